package place_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

type ids = []ring.NodeID

// founded returns a cluster of these founders with q partitions.
func founded(t testing.TB, q, n int, founders ...ring.NodeID) *place.Placement {
	t.Helper()
	var nodes []ring.Node
	for _, id := range founders {
		nodes = append(nodes, ring.Node{ID: id})
	}
	tokens, err := ring.EqualTokens(q)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tokens {
		tokens[i].Owner = founders[i%len(founders)]
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return place.Founded(place.Hash{7}, r, n)
}

// next is a link that follows p and changes nothing.
func next(p *place.Placement, a place.Act) *place.Link {
	return &place.Link{Number: p.Next(a), Before: p.Hash(), Act: a, Members: slices.Clone(p.Members())}
}

func follow(t testing.TB, p *place.Placement, l *place.Link) *place.Placement {
	t.Helper()
	n, err := p.Follow(l)
	if err != nil {
		t.Fatalf("%+v: %v", l, err)
	}
	return n
}

// named returns a placement with the disks of its founders named: 1, 2 and so on.
func named(t testing.TB, p *place.Placement) *place.Placement {
	l := next(p, place.Ordinary)
	for i := range l.Members {
		l.Members[i].Disk = uint64(i + 1)
	}
	return follow(t, p, l)
}

func disk(p *place.Placement, id ring.NodeID) uint64 {
	m, _ := p.Member(id)
	return m.Disk
}

// proofs returns what ends the move of a partition, of all promises.
func proofs(p *place.Placement, partition uint32, promises ...place.Promise) (all []place.Proof) {
	l := p.Of(partition)
	for _, pr := range promises {
		f := l.First(pr.N)
		sources, sealed := l.Need(pr)
		sorted := slices.Sorted(slices.Values(f.Old))
		for _, who := range l.Provers(nil, pr) {
			all = append(all, place.Proof{
				Who: who, Disk: disk(p, who), Number: l.Number, N: pr.N, W: pr.W, R: pr.R,
				Sources: sorted[:sources], Sealed: sorted[:sealed],
			})
		}
	}
	slices.SortFunc(all, func(a, b place.Proof) int { return a.Compare(&b) })
	return all
}

var usual = place.Promise{N: 3, W: 2, R: 2}

// moving returns four members A to D, of whom D is new, and partition 0 on its way
// from A, B, C to A, B, D.
func moving(t testing.TB) *place.Placement {
	p := named(t, founded(t, 4, 3, "A", "B", "C"))
	l := next(p, place.Ordinary)
	l.Members = append(l.Members, place.Member{ID: "D", Disk: 4})
	old := p.Of(0).Old
	l.Moves = []place.Move{{Partition: 0, Old: old, New: swapped(old, "C", "D")}}
	return follow(t, p, l)
}

func swapped(list ids, from, to ring.NodeID) ids {
	list = slices.Clone(list)
	list[slices.Index(list, from)] = to
	return list
}

func TestTheDisksOfTheFoundersAreNamedFirst(t *testing.T) {
	p := founded(t, 4, 3, "A", "B", "C")
	if p.Number() != 1 || p.Named() || p.Origin() != (place.Hash{7}) || p.Hash() == p.Origin() {
		t.Fatalf("%d %v", p.Number(), p.Named())
	}
	some := next(p, place.Ordinary)
	some.Members[0].Disk = 7
	less := next(named(t, p), place.Ordinary)
	less.Number, less.Before, less.Members = 2, p.Hash(), less.Members[:2]
	for _, l := range []*place.Link{next(p, place.Ordinary), some, less} {
		if _, err := p.Follow(l); !errors.Is(err, place.ErrIllegal) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	n := named(t, p)
	if n.Number() != 2 || !n.Named() || n.Of(0).Number != 1 || n.Origin() != p.Origin() || n.Hash() == p.Hash() {
		t.Errorf("number %d, of partition 0 %d", n.Number(), n.Of(0).Number)
	}
	third := follow(t, n, next(n, place.Restarted))
	if p.First() != (place.Hash{}) || n.First() != n.Hash() || third.First() != n.First() || third.Hash() == n.Hash() {
		t.Errorf("the chain begins with %x, %x, %x", p.First(), n.First(), third.First())
	}
}

func TestAMoveEndsThroughItsGate(t *testing.T) {
	p := moving(t)
	l := p.Of(0)
	if l.Number != 3 || !l.Moving() || !l.Newcomer("D") || !slices.Contains(l.Old, "C") || slices.Contains(l.New, "C") {
		t.Fatalf("%+v", l)
	}
	end := next(p, place.Ordinary)
	end.Moves = []place.Move{{Partition: 0, Old: l.New, Proofs: proofs(p, 0, usual)}}
	n := follow(t, p, end)
	if got := n.Of(0); got.Moving() || got.Number != 4 || !slices.Equal(got.Old, l.New) {
		t.Errorf("%+v", got)
	}
	if n.Of(1).Number != 1 {
		t.Errorf("partition 1 did not move: %+v", n.Of(1))
	}
	back := next(p, place.Ordinary)
	back.Moves = []place.Move{{Partition: 0, Old: l.Old}}
	if got := follow(t, p, back).Of(0); got.Moving() || got.Number != 4 || !slices.Equal(got.Old, l.Old) {
		t.Errorf("aborted: %+v", got)
	}
}

// Each change of a legal link makes it illegal.
func TestIllegalLinks(t *testing.T) {
	p := moving(t)
	at := p.Of(0)
	end := func(change func(*place.Link, *place.Proof)) *place.Link {
		l := next(p, place.Ordinary)
		l.Moves = []place.Move{{Partition: 0, Old: at.New, Proofs: proofs(p, 0, usual)}}
		change(l, &l.Moves[0].Proofs[0])
		return l
	}
	begin := func(change func(*place.Move)) *place.Link {
		l := next(p, place.Ordinary)
		old := p.Of(1).Old
		l.Moves = []place.Move{{Partition: 1, Old: old, New: swapped(old, "C", "D")}}
		change(&l.Moves[0])
		return l
	}
	follow(t, p, end(func(*place.Link, *place.Proof) {}))
	follow(t, p, begin(func(*place.Move) {}))
	p = settled(t, p, 5)
	at = p.Of(0)
	settle := func(change func(*place.Link)) *place.Link {
		l := next(p, place.Ordinary)
		l.Checkpoint = place.Checkpoint{Count: 6}
		change(l)
		return l
	}
	for name, l := range map[string]*place.Link{
		"number left out":            end(func(l *place.Link, _ *place.Proof) { l.Number++ }),
		"number again":               end(func(l *place.Link, _ *place.Proof) { l.Number-- }),
		"another chain":              end(func(l *place.Link, _ *place.Proof) { l.Before[0]++ }),
		"unknown act":                end(func(l *place.Link, _ *place.Proof) { l.Act = 3 }),
		"moved by force":             end(func(l *place.Link, _ *place.Proof) { l.Act = place.Forced }),
		"restarted in the old count": end(func(l *place.Link, _ *place.Proof) { l.Act, l.Moves = place.Restarted, nil }),
		"no members":                 end(func(l *place.Link, _ *place.Proof) { l.Members = nil }),
		"members out of order":       end(func(l *place.Link, _ *place.Proof) { slices.Reverse(l.Members) }),
		"a member twice":             end(func(l *place.Link, _ *place.Proof) { l.Members[1] = l.Members[0] }),
		"a member without a disk":    end(func(l *place.Link, _ *place.Proof) { l.Members[1].Disk = 0 }),
		"a holder removed":           end(func(l *place.Link, _ *place.Proof) { l.Members = l.Members[1:] }),
		"a holder removed, alone":    end(func(l *place.Link, _ *place.Proof) { l.Members, l.Moves = l.Members[1:], nil }),
		"a partition twice":          end(func(l *place.Link, _ *place.Proof) { l.Moves = append(l.Moves, l.Moves[0]) }),
		"no such partition":          end(func(l *place.Link, _ *place.Proof) { l.Moves[0].Partition = 4 }),
		"ended elsewhere":            end(func(l *place.Link, _ *place.Proof) { l.Moves[0].Old = ids{"D", "B", "C"} }),
		"ended and begun":            end(func(l *place.Link, _ *place.Proof) { l.Moves[0].New = at.Old }),
		"no proof":                   end(func(l *place.Link, _ *place.Proof) { l.Moves[0].Proofs = nil }),
		"one source too few":         end(func(_ *place.Link, p *place.Proof) { p.Sources = p.Sources[1:] }),
		"a source twice":             end(func(_ *place.Link, p *place.Proof) { p.Sources = ids{"A", "A"} }),
		"a source of the new list":   end(func(_ *place.Link, p *place.Proof) { p.Sources = ids{"A", "D"} }),
		"no seal":                    end(func(_ *place.Link, p *place.Proof) { p.Sealed = nil }),
		"one too few sealed":         end(func(_ *place.Link, p *place.Proof) { p.Sealed = p.Sealed[1:] }),
		"sealed by the newcomer":     end(func(_ *place.Link, p *place.Proof) { p.Sealed = ids{"A", "D"} }),
		"compared at another number": end(func(_ *place.Link, p *place.Proof) { p.Number-- }),
		"compared for another disk":  end(func(_ *place.Link, p *place.Proof) { p.Disk = 9 }),
		"its disk is another now":    end(func(l *place.Link, _ *place.Proof) { l.Members[3].Disk = 9 }),
		"proved by another":          end(func(_ *place.Link, p *place.Proof) { p.Who = "A" }),
		"proved by the leaver":       end(func(_ *place.Link, p *place.Proof) { p.Who = "C" }),
		"proved for fewer replicas":  end(func(_ *place.Link, p *place.Proof) { p.N = 2 }),
		"promises too much":          end(func(_ *place.Link, p *place.Proof) { p.W = 4 }),
		"promises nothing":           end(func(_ *place.Link, p *place.Proof) { p.R = 0 }),
		"aborted with proofs":        end(func(l *place.Link, _ *place.Proof) { l.Moves[0].Old = at.Old }),
		"begun from elsewhere":       begin(func(m *place.Move) { m.Old = ids{"A", "B"} }),
		"begun with proofs":          begin(func(m *place.Move) { m.Proofs = proofs(p, 0, usual) }),
		"begun to where it is":       begin(func(m *place.Move) { m.New = m.Old }),
		"begun to a stranger":        begin(func(m *place.Move) { m.New = ids{"A", "B", "X"} }),
		"begun to one twice":         begin(func(m *place.Move) { m.New = ids{"A", "B", "A"} }),
		"begun to nobody":            begin(func(m *place.Move) { m.New = ids{} }),
		"moved in one step":          begin(func(m *place.Move) { m.Old, m.New = m.New, nil }),
		"begun while it moves":       begin(func(m *place.Move) { m.Partition, m.Old, m.New = 0, at.Old, ids{"D"} }),
		"aborted without a move":     begin(func(m *place.Move) { m.New = nil }),
		"a checkpoint again":         settle(func(l *place.Link) { l.Checkpoint.Count = 5 }),
		"a checkpoint of nothing":    settle(func(l *place.Link) { l.Checkpoint = place.Checkpoint{Digest: [16]byte{1}} }),
		"a checkpoint by force":      settle(func(l *place.Link) { l.Act = place.Forced }),
	} {
		if _, err := p.Follow(l); !errors.Is(err, place.ErrIllegal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who may not be a list's but a bucket's newcomer proves for that bucket.
func TestRules_H12_EachNumberOfReplicasHasItsOwnGate(t *testing.T) {
	p := moving(t)
	l := next(p, place.Ordinary)
	old := p.Of(1).Old
	l.Moves = []place.Move{{Partition: 1, Old: old, New: ids{old[2], old[0], old[1]}}}
	p = follow(t, p, l)
	lists := p.Of(1)
	two := place.Promise{N: 2, W: 1, R: 2}
	if got := lists.Provers(nil, usual); len(got) != 0 {
		t.Errorf("%v prove that three replicas are the same three", got)
	}
	if got := lists.Provers(nil, two); !slices.Equal(got, ids{old[2]}) {
		t.Errorf("%v prove for buckets of two replicas, not %s", got, old[2])
	}
	if sources, sealed := lists.Need(two); sources != 2 || sealed != 1 {
		t.Errorf("%d sources, %d sealed", sources, sealed)
	}
	all := proofs(p, 1, usual, two)
	if !lists.Met(all, []place.Promise{usual, two}) || lists.Met(nil, []place.Promise{usual, two}) {
		t.Error("what is proved is not what is needed")
	}
	end := next(p, place.Ordinary)
	end.Moves = []place.Move{{Partition: 1, Old: lists.New, Proofs: all}}
	follow(t, p, end)
	end.Moves[0].Proofs[0].Sources = ids{old[0]}
	if _, err := p.Follow(end); err == nil {
		t.Error("one source too few for buckets of two replicas")
	}
}

// Lists of different length: a read of the new list may rest on old members alone,
// who need not have what the old list acknowledged.
func TestAllOfAShorterListMayHaveToProve(t *testing.T) {
	five := ids{"A", "B", "C", "D", "E"}
	for _, test := range []struct {
		old, fresh ids
		p          place.Promise
		want       ids
	}{
		{five, ids{"A", "B", "C"}, place.Promise{N: 5, W: 3, R: 3}, ids{"A", "B", "C"}},
		{five, ids{"A", "B", "F"}, place.Promise{N: 5, W: 3, R: 3}, ids{"A", "B", "F"}},
		{five, ids{"A", "B", "F"}, place.Promise{N: 5, W: 5, R: 1}, ids{"F"}},
		{five, ids{"A", "B", "C", "D", "F"}, place.Promise{N: 5, W: 3, R: 3}, ids{"F"}},
		{five[:3], five, place.Promise{N: 5, W: 3, R: 3}, ids{"D", "E"}},
		{five[:3], five[:2], place.Promise{N: 3, W: 2, R: 2}, five[:2]},
		{five[:1], five[:3], place.Promise{N: 3, W: 2, R: 2}, ids{"B", "C"}},
		{five[:3], ids{"A", "F"}, place.Promise{N: 3, W: 1, R: 1}, ids{"F"}}, // nothing is promised
	} {
		l := place.Lists{Number: 1, Old: test.old, New: test.fresh}
		if got := l.Provers(nil, test.p); !slices.Equal(got, test.want) {
			t.Errorf("%v to %v, %+v: %v prove, want %v", test.old, test.fresh, test.p, got, test.want)
		}
	}
}

func TestAnotherDiskIsANewNumber(t *testing.T) {
	p := moving(t)
	l := next(p, place.Ordinary)
	l.Members[3].Disk = 44 // D, in partition 0 only
	n := follow(t, p, l)
	if n.Of(0).Number != 4 || n.Of(1).Number != 1 || !n.Of(0).Moving() {
		t.Errorf("%+v %+v", n.Of(0), n.Of(1))
	}
	old := next(n, place.Ordinary)
	old.Moves = []place.Move{{Partition: 0, Old: n.Of(0).New, Proofs: proofs(p, 0, usual)}}
	if _, err := n.Follow(old); err == nil {
		t.Error("a proof that the lost disk made ends the move")
	}
}

func TestMembersAreRemovedByForce(t *testing.T) {
	p := moving(t)
	l := next(p, place.Forced)
	l.Members = slices.DeleteFunc(l.Members, func(m place.Member) bool { return m.ID == "C" })
	n := follow(t, p, l)
	for i := range uint32(4) {
		if got := n.Of(i); got.Holds("C") || got.Number != n.Number() || len(got.Old) != 2 {
			t.Errorf("%d: %+v", i, got)
		}
	}
	if !n.Of(0).Moving() {
		t.Error("the move does not go on")
	}
	r := next(n, place.Restarted)
	r.Members = []place.Member{{ID: "D", Disk: 4}}
	n = follow(t, n, r)
	for i := range uint32(4) {
		if got := n.Of(i); !slices.Equal(got.Old, ids{"D"}) || got.Moving() || got.Number != 1<<32 {
			t.Errorf("%d: %+v", i, got)
		}
	}
}

// settled is a placement after a link with a checkpoint of so many changes.
func settled(t *testing.T, p *place.Placement, changes uint64) *place.Placement {
	t.Helper()
	l := next(p, place.Ordinary)
	l.Checkpoint = place.Checkpoint{Count: changes, Digest: [16]byte{byte(changes)}}
	return follow(t, p, l)
}

// A checkpoint stays named until another goes beyond it, through whatever else happens,
// and nothing but the history depends on it (RULES R38).
func TestRules_R38_ACheckpointStays(t *testing.T) {
	first := founded(t, 4, 3, "A", "B", "C")
	names := next(first, place.Ordinary)
	for i := range names.Members {
		names.Members[i].Disk = uint64(i) + 1
	}
	names.Checkpoint.Count = 3
	if _, err := first.Follow(names); !errors.Is(err, place.ErrIllegal) {
		t.Errorf("a checkpoint before the disks of the founders are named: %v", err)
	}
	p := named(t, first)
	if p.Checkpoint() != (place.Checkpoint{}) {
		t.Fatal("there is a checkpoint")
	}
	p = settled(t, settled(t, p, 3), 8)
	forced := next(p, place.Forced)
	forced.Members = forced.Members[1:]
	p = follow(t, p, forced)
	p = follow(t, p, next(p, place.Restarted))
	if cp := p.Checkpoint(); cp.Count != 8 || cp.Digest[0] != 8 {
		t.Errorf("the checkpoint is %+v", cp)
	}
	checkPlacement(t, p)
}

// Whatever legal links follow each other: a partition's number only grows, its
// lists name members, and what is sent and stored is what was meant.
func TestChains(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := named(t, founded(t, 8, 3, "A", "B", "C", "D", "E"))
		for range 40 {
			l := anyLink(r, p)
			n, err := p.Follow(l)
			if err != nil {
				t.Fatalf("seed %d: %+v: %v", seed, l, err)
			}
			checkLink(t, l)
			checkFollows(t, p, n, l)
			p = n
		}
	}
}

func checkFollows(t *testing.T, p, n *place.Placement, l *place.Link) {
	t.Helper()
	if n.Number() <= p.Number() || n.Hash() == p.Hash() || n.Origin() != p.Origin() {
		t.Fatalf("number %d after %d", n.Number(), p.Number())
	}
	for i := range uint32(n.Q()) {
		was, now := p.Of(i), n.Of(i)
		same := slices.Equal(was.Old, now.Old) && slices.Equal(was.New, now.New)
		if now.Number != was.Number && now.Number != n.Number() || !same && now.Number == was.Number {
			t.Fatalf("%+v: partition %d: %+v, then %+v", l, i, was, now)
		}
		for _, id := range now.All(nil) {
			if _, ok := n.Member(id); !ok {
				t.Fatalf("%s holds %d and is no member", id, i)
			}
		}
	}
	checkPlacement(t, n)
}

// anyLink draws a legal link.
func anyLink(r *rand.Rand, p *place.Placement) *place.Link {
	act := place.Ordinary
	switch r.IntN(12) {
	case 0:
		act = place.Forced
	case 1:
		act = place.Restarted
	}
	l := next(p, act)
	all := ids{"A", "B", "C", "D", "E", "F", "G"}
	id := all[r.IntN(len(all))]
	at := slices.IndexFunc(l.Members, func(m place.Member) bool { return m.ID >= id })
	switch {
	case at < 0:
		l.Members = append(l.Members, place.Member{ID: id, Disk: r.Uint64() | 1})
	case l.Members[at].ID != id:
		l.Members = slices.Insert(l.Members, at, place.Member{ID: id, Disk: r.Uint64() | 1})
	case act != place.Ordinary && len(l.Members) > 2:
		l.Members = slices.Delete(l.Members, at, at+1)
	case r.IntN(4) == 0:
		l.Members[at].Disk = r.Uint64() | 1
	}
	if act == place.Ordinary {
		for i := range uint32(p.Q()) {
			if r.IntN(3) == 0 {
				anyMove(r, p, l, i)
			}
		}
	}
	return l
}

func anyMove(r *rand.Rand, p *place.Placement, l *place.Link, i uint32) {
	lists := p.Of(i)
	var m place.Move
	switch {
	case !lists.Moving():
		m = place.Move{Partition: i, Old: lists.Old}
		for _, at := range r.Perm(len(l.Members))[:min(1+r.IntN(4), len(l.Members))] {
			m.New = append(m.New, l.Members[at].ID)
		}
		if slices.Equal(m.Old, m.New) {
			return
		}
	case r.IntN(2) == 0:
		m = place.Move{Partition: i, Old: lists.Old}
	default:
		m = place.Move{Partition: i, Old: lists.New, Proofs: proofs(p, i, place.Promise{N: 4, W: 2, R: 3}, usual)}
		for _, pr := range m.Proofs {
			for _, now := range l.Members {
				if now.ID == pr.Who && now.Disk != pr.Disk {
					return
				}
			}
		}
	}
	l.Moves = append(l.Moves, m)
}
