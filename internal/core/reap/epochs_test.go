package reap_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
)

// keeper is the epochs of node A of three, on a disk as found.
type keeper struct {
	t   *testing.T
	e   *reap.Epochs
	out reap.EpochEffects
}

func newKeeper(t *testing.T, disk reap.Disk) *keeper {
	k := &keeper{t: t, e: reap.NewEpochs(reap.EpochConfig{}, "A", []ring.NodeID{"A", "B", "C"}, disk)}
	k.e.Begin(&k.out)
	k.settle()
	return k
}

// settle answers every question for the shards, which keep nothing, and every
// store.
func (k *keeper) settle() {
	for k.out.Stand.Seq != 0 || k.out.Storing {
		if seq := k.out.Stand.Seq; seq != 0 {
			k.out.Stand.Seq = 0
			k.e.Stood(exploreNow, 0, seq, 0, false, &k.out)
		}
		if k.out.Storing {
			k.out.Storing = false
			k.e.Stored(exploreNow, k.out.Store, &k.out)
		}
	}
}

// hears takes what a member tells of A, B and C; those below 0 it does not know.
func (k *keeper) hears(from ring.NodeID, a, b, c int) {
	k.t.Helper()
	var show reap.Show
	for i, epoch := range []int{a, b, c} {
		if epoch >= 0 {
			show.Shown = append(show.Shown, reap.Shown{Node: []ring.NodeID{"A", "B", "C"}[i], Epoch: uint64(epoch)})
		}
	}
	k.e.Hear(exploreNow, from, &show, &k.out)
	k.settle()
}

// is checks the epoch, and whether the disk was found to be an old copy.
func (k *keeper) is(what string, epoch uint64, rolledBack bool) {
	k.t.Helper()
	if got := k.e.Status().Epoch; got != epoch || k.out.RolledBack != rolledBack {
		k.t.Errorf("%s: epoch %d, rolled back %v; want %d, %v", what, got, k.out.RolledBack, epoch, rolledBack)
	}
	stated := len(k.out.Facts) > 0 && k.out.Facts[len(k.out.Facts)-1].Kind == fact.RolledBack
	if stated != rolledBack {
		k.t.Errorf("%s: %v is stated", what, k.out.Facts)
	}
}

// A disk that knows no epoch is new, or an old copy from before the first one. One
// that was empty when its process started has nothing to bring back and takes the
// epoch of the others; any other is set aside where they are past the first.
func TestDiskThatKnowsNoEpoch(t *testing.T) {
	for _, c := range []struct {
		what    string
		a, b, c int // what B tells
		rolled  bool
	}{
		{"a cluster that begins", 0, 0, 0, false},
		{"others that never heard of it", -1, 0, -1, false},
		{"others in the first epoch, which it may have missed", 0, 1, 0, false},
		{"seen in the first", 1, 0, 0, true},
		{"seen in a later one", 4, 4, 3, true},
		{"never seen, by others that are further", 0, 1, 2, true},
	} {
		k := newKeeper(t, reap.Disk{Holds: true})
		k.hears("B", c.a, c.b, c.c)
		k.is("an old disk and "+c.what, 0, c.rolled)

		k = newKeeper(t, reap.Disk{})
		k.hears("B", c.a, c.b, c.c)
		epoch := uint64(0)
		if c.rolled {
			epoch = uint64(max(c.a, c.b, c.c))
		}
		k.is("a new disk and "+c.what, epoch, false)
	}
}

// One that is refused, since the others know another disk of its node, begins
// again: a new disk takes the epoch of who refused it first, an old copy does not.
func TestRefusedDisk(t *testing.T) {
	for _, c := range []struct {
		what  string
		disk  reap.Disk
		told  uint64
		epoch uint64
	}{
		{"new", reap.Disk{}, 5, 5},
		{"new, where nobody is in an epoch", reap.Disk{}, 0, 0},
		{"an old copy", reap.Disk{Holds: true}, 5, 0},
		{"in an epoch of its own", reap.Disk{Durable: reap.Durable{Epoch: 2}}, 5, 2},
	} {
		k := newKeeper(t, c.disk)
		k.e.Refused(c.told, &k.out)
		k.settle()
		k.is(c.what, c.epoch, false)
	}
}

// A newcomer that took the epoch of who refused it takes theirs again, where the others
// have gone on before a link named it (seed 65 of the ring among faults). One that was
// a member is never so far behind.
func TestANewcomerCatchesUp(t *testing.T) {
	for _, c := range []struct {
		what  string
		disk  reap.Disk
		other int
		epoch uint64
	}{
		{"three behind", reap.Disk{Durable: reap.Durable{Epoch: 14}}, 17, 17},
		{"two behind", reap.Disk{Durable: reap.Durable{Epoch: 15}}, 17, 17},
		{"one behind, as members are", reap.Disk{Durable: reap.Durable{Epoch: 16}}, 17, 16},
		{"with something of its own", reap.Disk{Durable: reap.Durable{Epoch: 14}, Holds: true}, 17, 14},
	} {
		k := newKeeper(t, c.disk)
		k.hears("B", int(c.disk.Durable.Epoch), c.other, c.other)
		k.settle()
		k.is(c.what, c.epoch, false)
	}
}

// A disk that knows its epoch was rolled back where it was seen in a later one,
// whatever it holds.
func TestDiskSeenInALaterEpoch(t *testing.T) {
	for _, holds := range []bool{false, true} {
		k := newKeeper(t, reap.Disk{Durable: reap.Durable{Epoch: 3}, Holds: holds})
		k.hears("B", 3, 4, 3)
		k.is("seen in its own", 3, false)
		k.hears("C", 4, 4, 4)
		k.is("seen in the next", 3, true)
	}
}

// Nobody goes on from epoch 0 before every member was heard of: an old copy of a
// disk, which knows nothing, would go on into an epoch that it was in before, and
// its records would count as new there.
func TestNobodyGoesOnUnheard(t *testing.T) {
	k := newKeeper(t, reap.Disk{Holds: true})
	k.e.Want(exploreNow, 3, &k.out)
	k.settle()
	k.is("nobody was heard", 0, false)
	if behind := k.e.Status().Behind; len(behind) != 2 {
		t.Errorf("it waits for %v", behind)
	}
	k.hears("B", -1, 0, -1)
	k.is("B was heard", 0, false)
	k.hears("B", 0, 0, 0)
	k.is("C was heard of", 1, false)
	fresh := newKeeper(t, reap.Disk{Holds: true})
	fresh.e.Want(exploreNow, 3, &fresh.out)
	fresh.settle()
	fresh.hears("B", -1, 0, -1)
	fresh.hears("C", 1, 2, 2)
	fresh.is("C has seen it", 0, true)
}

// What was never heard of is not told as if it were in epoch 0.
func TestUnheardIsNotTold(t *testing.T) {
	k := newKeeper(t, reap.Disk{})
	k.e.Link(exploreNow, "B", true, &k.out)
	k.hears("B", -1, 0, -1)
	k.out.Reset()
	k.e.Link(exploreNow, "C", true, &k.out)
	if len(k.out.Tells) != 1 || k.out.Tells[0].To != "C" || len(k.out.Tells[0].Shown) != 2 {
		t.Errorf("C is told %+v", k.out.Tells)
	}
}

// clean takes what B tells: all are in an epoch, and B and C are clean by numbers.
func (k *keeper) clean(epoch, b, c uint64) {
	show := reap.Show{Wanted: epoch + 1, Shown: []reap.Shown{{Node: "A", Epoch: epoch}, {Node: "B", Epoch: epoch, Clean: b}, {Node: "C", Epoch: epoch, Clean: c}}}
	k.e.Hear(exploreNow, "B", &show, &k.out)
}

// TestRules_E1_LeftOverByALink: a node enters an epoch only when all are known to
// have nothing left over by the placement that it goes by itself, also by one that
// it adopts in the middle of that.
func TestRules_E1_LeftOverByALink(t *testing.T) {
	now := exploreNow
	now.Mono += 1 << 40
	k := newKeeper(t, reap.Disk{Durable: reap.Durable{Epoch: 3}})
	k.e.Placed(now, 7, true, &k.out)
	k.clean(3, 7, 6)
	k.e.Tick(now, &k.out)
	k.settle()
	k.is("C is not clean by 7", 3, false)
	if behind := k.e.Status().Behind; len(behind) != 1 || behind[0] != "C" {
		t.Errorf("that waits for %v", behind)
	}
	k.clean(3, 6, 7)
	k.e.Placed(now, 8, false, &k.out)
	k.e.Tick(now, &k.out)
	k.settle()
	k.is("it is not clean by 8 itself", 3, false)
	k.e.Placed(now, 8, true, &k.out)
	k.clean(3, 8, 9)
	k.e.Tick(now, &k.out)
	for k.out.Stand.Seq != 0 && k.out.Stand.Epoch == 3 {
		seq := k.out.Stand.Seq
		k.out.Stand = reap.Stand{}
		k.e.Stood(now, 0, seq, 0, false, &k.out)
	}
	if k.out.Stand.Epoch != 4 {
		t.Fatalf("no epoch begins: %+v", k.out.Stand)
	}
	k.e.Placed(now, 9, true, &k.out) // and B has told of 8 only
	k.settle()
	k.is("in the middle", 3, false)
	k.clean(3, 9, 9)
	now.Mono += 1 << 40
	k.e.Tick(now, &k.out)
	k.settle()
	k.is("all are clean", 4, false)
	k.e.Link(now, "B", true, &k.out)
	told := k.out.Tells[len(k.out.Tells)-1].Show
	if len(told.Shown) != 3 || told.Shown[0].Clean != 9 || told.Shown[2].Clean != 9 {
		t.Errorf("tells %+v", told)
	}
}

// TestAnotherRing: a node whose ring was merged into another begins there like a
// newcomer, whatever it holds. What its members were clean by counts no more, and it
// has not lost its disk for being in a later epoch before.
func TestAnotherRing(t *testing.T) {
	now := exploreNow
	now.Mono += 1 << 40
	k := newKeeper(t, reap.Disk{Durable: reap.Durable{Epoch: 30}, Holds: true})
	k.e.Placed(now, 9, true, &k.out)
	k.clean(30, 9, 9)
	k.e.Anew(&k.out)
	if k.out.Stand.Epoch != 0 || k.out.Stand.Floor != 0 {
		t.Errorf("it stands at %+v", k.out.Stand)
	}
	k.e.Members(exploreNow, []ring.NodeID{"A", "B", "C"}, &k.out)
	k.e.Placed(now, 3, true, &k.out)
	show := reap.Show{Wanted: 5, Shown: []reap.Shown{{Node: "B", Epoch: 4, Clean: 3}, {Node: "C", Epoch: 4}}}
	k.e.Hear(now, "B", &show, &k.out)
	k.settle()
	k.is("it takes the epoch that is there", 4, false)
	if d := k.e.Durable(); d.Born != 4 {
		t.Errorf("what it holds is as old as epoch %d", d.Born)
	}
	show.Shown = append([]reap.Shown{{Node: "A", Epoch: 4, Clean: 3}}, show.Shown...)
	k.e.Hear(now, "B", &show, &k.out)
	now.Mono += 1 << 40
	k.e.Tick(now, &k.out)
	k.settle()
	k.is("C is not clean here", 4, false)
	show.Shown[2].Clean = 3
	k.e.Hear(now, "B", &show, &k.out)
	now.Mono += 1 << 40
	k.e.Tick(now, &k.out)
	for range 3 {
		if k.out.Stand.Seq != 0 {
			seq := k.out.Stand.Seq
			k.out.Stand = reap.Stand{}
			k.e.Stood(now, 0, seq, 0, false, &k.out)
		}
		k.settle()
	}
	k.is("all are", 5, false)
}

// Who joins takes the epoch that it has heard of before it knew of its place.
func TestANewcomerHeardBeforeItWasAMember(t *testing.T) {
	for _, c := range []struct {
		what       string
		b, c       int
		holds      bool
		epoch      uint64
		rolledBack bool
	}{
		{"the others are on their way", 1, 2, false, 2, false},
		{"they have begun", 1, 1, false, 0, false},
		{"its disk is an old copy", 5, 5, true, 0, true},
	} {
		k := &keeper{t: t, e: reap.NewEpochs(reap.EpochConfig{}, "A", []ring.NodeID{"B", "C"}, reap.Disk{Holds: c.holds})}
		k.e.Begin(&k.out)
		k.settle()
		k.hears("B", -1, c.b, c.c)
		k.is(c.what+": before", 0, false)
		k.e.Members(exploreNow, []ring.NodeID{"A", "B", "C"}, &k.out)
		if stand := k.out.Stand; c.epoch > 0 && stand.Epoch != c.epoch {
			t.Errorf("%s: the shards are told %+v with the members", c.what, stand)
		}
		k.settle()
		k.is(c.what, c.epoch, c.rolledBack)
	}
}

// Who has joined and knows no epoch is told at once: nobody says the same again so soon
// otherwise.
func TestANewcomerIsToldAtOnce(t *testing.T) {
	for _, c := range []struct {
		what   string
		highs  int // of A and C
		b      int
		expect bool
	}{
		{"it knows nothing", 5, 0, true},
		{"it is one behind", 5, 4, false},
		{"all are young", 1, 0, false},
	} {
		k := newKeeper(t, reap.Disk{Durable: reap.Durable{Epoch: uint64(c.highs)}})
		k.hears("C", c.highs, -1, c.highs)
		k.e.Link(exploreNow, "B", true, &k.out)
		k.out.Tells = nil
		k.hears("B", -1, c.b, -1)
		if told := len(k.out.Tells) > 0 && k.out.Tells[0].To == "B"; told != c.expect {
			t.Errorf("%s: told again at once: %v", c.what, told)
		}
	}
}
