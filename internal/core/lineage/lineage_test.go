package lineage_test

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/lineage"
)

// runs returns the run ids of starts from a to b of the folder numbered disk.
func runs(disk, a, b uint64) []uint64 {
	var r []uint64
	for i := a; i <= b; i++ {
		r = append(r, disk*1000+i)
	}
	return r
}

func shown(disk, starts uint64) lineage.Disk {
	return lineage.Disk{ID: disk, Starts: starts, Runs: runs(disk, uint64(max(1, int64(starts)-lineage.MaxRuns+1)), starts)}
}

func TestLineageJudges(t *testing.T) {
	var l lineage.Lineage
	first := shown(1, 5)
	l, _ = l.With("A", &first)
	another := shown(1, 5)
	another.Runs[4] = 77
	forked := shown(1, 6)
	forked.Runs[4] = 77
	replaced, recovering := shown(2, 1), shown(2, 1)
	replaced.Replaced, recovering.Recovering = []uint64{9, 1}, true
	far := shown(1, 5+lineage.MaxRuns)
	edge := shown(1, 4+lineage.MaxRuns)
	for _, c := range []struct {
		name string
		node string
		live uint64
		now  lineage.Disk
		want lineage.Verdict
	}{
		{"never seen", "B", 0, shown(3, 8), lineage.Follows},
		{"the same run again", "A", 0, shown(1, 5), lineage.Follows},
		{"the same run over a second link", "A", 1005, shown(1, 5), lineage.Follows},
		{"started again", "A", 0, shown(1, 6), lineage.Follows},
		{"started often", "A", 0, edge, lineage.Follows},
		{"started so often that the run seen is not shown", "A", 0, far, lineage.RolledBack},
		{"an older copy", "A", 0, shown(1, 4), lineage.RolledBack},
		{"a copy started as often", "A", 0, another, lineage.RolledBack},
		{"a copy started more often", "A", 0, forked, lineage.RolledBack},
		{"no runs", "A", 0, lineage.Disk{ID: 1, Starts: 5}, lineage.RolledBack},
		{"two at once", "A", 1005, shown(1, 6), lineage.Twin},
		{"two disks at once", "A", 1005, recovering, lineage.Twin},
		{"another disk that does not know", "A", 0, shown(2, 1), lineage.NewDisk},
		{"another disk that recovers", "A", 0, recovering, lineage.Follows},
		{"another disk that has recovered", "A", 0, replaced, lineage.Follows},
	} {
		if got := l.Judge(c.node, c.live, &c.now); got != c.want {
			t.Errorf("%s: verdict %d, want %d", c.name, got, c.want)
		}
		if text := l.Explain(c.node, c.want, &c.now); (text == "") != (c.want == lineage.Follows) {
			t.Errorf("%s is explained by %q", c.name, text)
		}
	}
}

// TestLineageRetiresDisks is RULES R11 and R13: a disk that was replaced never
// comes back, whatever it says of itself.
func TestLineageRetiresDisks(t *testing.T) {
	var l lineage.Lineage
	for disk := uint64(1); disk <= 70; disk++ {
		d := shown(disk, 1)
		d.Recovering = true
		if v := l.Judge("A", 0, &d); v != lineage.Follows {
			t.Fatalf("disk %d: verdict %d", disk, v)
		}
		l, _ = l.With("A", &d)
	}
	old := shown(30, 9)
	old.Recovering, old.Replaced = true, []uint64{70}
	if v := l.Judge("A", 0, &old); v != lineage.Retired {
		t.Errorf("a replaced disk is judged %d", v)
	}
	forgotten := shown(1, 9)
	if v := l.Judge("A", 0, &forgotten); v != lineage.NewDisk {
		t.Errorf("a disk replaced so long ago that it is forgotten is judged %d", v)
	}
	if seen, _ := l.Of("A"); len(seen.Retired) != 64 {
		t.Errorf("%d disks are remembered", len(seen.Retired))
	}
}

func TestLineageIsOrderedAndUnshared(t *testing.T) {
	var l lineage.Lineage
	d := shown(1, 1)
	for _, node := range []string{"C", "A", "B"} {
		before := slices.Clone(l)
		next, news := l.With(node, &d)
		if !news || !slices.EqualFunc(before, l, func(a, b lineage.Seen) bool { return a.Node == b.Node }) {
			t.Errorf("%s: news %v", node, news)
		}
		l = next
	}
	if l[0].Node != "A" || l[1].Node != "B" || l[2].Node != "C" {
		t.Errorf("order %v", l)
	}
	if _, news := l.With("B", &d); news {
		t.Error("the same again is no news")
	}
	d = shown(1, 2)
	next, news := l.With("B", &d)
	if !news || l[1].Starts != 1 || next[1].Starts != 2 {
		t.Errorf("before %v, after %v, news %v", l[1], next[1], news)
	}
}
