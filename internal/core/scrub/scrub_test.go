package scrub_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/scrub"
)

// bench is a scrub over a disk that has so many stretches of so many bytes.
type bench struct {
	t         *testing.T
	cfg       scrub.Config
	scrub     *scrub.Scrub
	now       time.Duration
	wall      int64
	stretches uint64
	size      int64
	busy      bool
	bad       map[uint64]int // stretches that can't be read, and how often
	note      []byte
	read      map[uint64]int
	order     []uint64
	rotten    []replica.Rotten
	facts     []fact.Fact
	slices    int
}

func newBench(t *testing.T, cfg scrub.Config, stretches uint64, size int64) *bench {
	b := &bench{t: t, cfg: cfg, stretches: stretches, size: size, read: map[uint64]int{}, bad: map[uint64]int{}, wall: 1e12}
	b.start()
	return b
}

func (b *bench) start() {
	b.cfg.Note = b.note
	b.scrub = scrub.New(b.cfg)
	b.wall += b.now.Milliseconds()
	b.now = 0
}

func (b *bench) clock() clock.Now {
	return clock.Now{Mono: b.now, Wall: b.wall + b.now.Milliseconds()}
}

// pass lets time pass, and the disk do what it is asked.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	for end := b.now + d; ; {
		at := b.scrub.Deadline()
		if at > end {
			b.now = end
			return
		}
		b.now = max(b.now, at)
		var e scrub.Effects
		b.scrub.Tick(b.clock(), b.busy, &e)
		b.do(&e)
	}
}

func (b *bench) do(e *scrub.Effects) {
	b.t.Helper()
	for len(e.Slices) > 0 {
		s := e.Slices[0]
		b.rotten, b.facts = append(b.rotten, e.Rotten...), append(b.facts, e.Facts...)
		e.Reset()
		if b.slices++; b.slices > 2e5 {
			b.t.Fatal("it never rests")
		}
		b.scrub.Scrubbed(b.clock(), b.look(s), e)
	}
	b.rotten, b.facts = append(b.rotten, e.Rotten...), append(b.facts, e.Facts...)
}

func (b *bench) look(s scrub.Slice) *replica.Scrubbed {
	var f replica.Scrubbed
	if s.Note != nil {
		b.note = bytes.Clone(s.Note)
	}
	if s.Limit == 0 {
		return &f
	}
	at := uint64(0)
	if s.From != nil {
		at = binary.BigEndian.Uint64(s.From)
	}
	var next []byte
	if at+1 < b.stretches {
		next = binary.BigEndian.AppendUint64(nil, at+1)
	}
	f.Size = b.size * int64(b.stretches)
	if b.bad[at] > 0 {
		b.bad[at]--
		f.Err, f.Skip = errors.New("test: it can't be read"), next
		return &f
	}
	b.read[at]++
	b.order = append(b.order, at)
	f.Bytes, f.Records, f.Next = b.size, 1, next
	return &f
}

func (b *bench) rounds() int {
	n := 0
	for i := range b.facts {
		if b.facts[i].Kind == fact.ScrubEnded {
			n++
		}
	}
	return n
}

const mib = 1 << 20

// What is stored is read back once in the time given, however much it is, where the
// rate allows it, and not at all faster than the rate.
func TestEverythingInTimeAndAtARate(t *testing.T) {
	for _, c := range []struct {
		stretches uint64
		size      int64
	}{{1, 1}, {7, 100}, {1000, 1 << 17}, {5000, 200 * mib}} {
		b := newBench(t, scrub.Config{Rate: 2 * mib}, c.stretches, c.size)
		b.pass(14 * 24 * time.Hour)
		for i := range c.stretches {
			if c.size*int64(c.stretches) < 14*24*3600*2*mib/2 && b.read[i] == 0 {
				t.Fatalf("%d stretches of %d bytes: stretch %d was not read", c.stretches, c.size, i)
			}
		}
		read := int64(len(b.order)) * c.size
		if most := int64(14*24*3600) * 2 * mib; read > most+c.size {
			t.Errorf("%d bytes were read where the rate allows %d", read, most)
		}
		if rounds := b.rounds(); rounds > 15 {
			t.Errorf("%d rounds in 14 days", rounds)
		}
	}
}

// A large store is read evenly, not as fast as the rate allows.
func TestSpread(t *testing.T) {
	b := newBench(t, scrub.Config{Rate: 100 * mib}, 100_000, 8*mib) // 800 GB
	b.pass(24 * time.Hour)
	if n := len(b.order); n < 100_000/14 || n > 100_000/4 {
		t.Errorf("%d of 100,000 stretches were read on the first of fourteen days", n)
	}
	b.pass(6*24*time.Hour + time.Hour)
	if b.rounds() != 1 {
		t.Errorf("%d rounds have ended after half of the time", b.rounds())
	}
}

// A node that is started every day still gets round.
func TestThePlaceOutlivesARestart(t *testing.T) {
	b := newBench(t, scrub.Config{Rate: 100 * mib}, 10_000, 8*mib)
	for range 14 {
		b.pass(23 * time.Hour)
		b.start()
		b.wall += time.Hour.Milliseconds() // it was down
	}
	if b.rounds() < 1 || len(b.read) != 10_000 {
		t.Errorf("%d rounds ended, %d of 10,000 stretches were read", b.rounds(), len(b.read))
	}
	begun := 0
	for i := 1; i < len(b.order); i++ {
		if b.order[i] == 0 {
			begun++
		}
		if back := int64(b.order[i-1]) - int64(b.order[i]); b.order[i] != 0 && back > 100 {
			t.Fatalf("it went back from %d to %d", b.order[i-1], b.order[i])
		}
	}
	if begun > b.rounds()+1 {
		t.Errorf("%d rounds ended, and %d began", b.rounds(), begun)
	}
}

// A note that can't be read, or is a lie, is none.
func TestANoteThatRots(t *testing.T) {
	b := newBench(t, scrub.Config{}, 10, mib)
	b.pass(2 * time.Second)
	for i := range b.note {
		b.cfg.Note = bytes.Clone(b.note)
		b.cfg.Note[i] ^= 4
		if st := scrub.New(b.cfg).Status(b.clock()); st.Round.Began != 0 {
			t.Fatalf("byte %d of the note is wrong, and it says %+v", i, st.Round)
		}
	}
}

func TestPauseAndHurry(t *testing.T) {
	b := newBench(t, scrub.Config{Rate: 100 * mib}, 1000, 8*mib)
	b.pass(time.Hour)
	b.scrub.SetOff(b.clock(), true)
	before := len(b.order)
	b.pass(30 * 24 * time.Hour)
	if len(b.order) != before {
		t.Fatal("it goes on where it was told to pause")
	}
	b.scrub.Hurry(b.clock())
	b.pass(81 * time.Second) // 8,000 MiB at 100 MiB a second
	if st := b.scrub.Status(b.clock()); b.rounds() != 1 || len(b.order) != before+1000 || st.Hurry || st.Off {
		t.Fatalf("asked for a round at once: %d rounds, %d stretches, %+v", b.rounds(), len(b.order)-before, st)
	}
	b.pass(15 * 24 * time.Hour)
	if b.rounds() < 2 {
		t.Error("it does not go on after that")
	}

	b = newBench(t, scrub.Config{Off: true}, 10, 1)
	b.pass(time.Hour)
	b.scrub.Hurry(b.clock())
	b.pass(100 * 24 * time.Hour)
	if b.rounds() != 1 {
		t.Errorf("%d rounds of one that is off, after one was asked for", b.rounds())
	}
}

// A round that is asked for while a slice is under way begins with the first.
func TestHurryBeginsAnew(t *testing.T) {
	b := newBench(t, scrub.Config{Rate: mib}, 10, mib)
	b.pass(3 * time.Second)
	var e scrub.Effects
	b.now = b.scrub.Deadline()
	b.scrub.Tick(b.clock(), false, &e)
	b.scrub.Hurry(b.clock())
	b.order = nil
	b.do(&e)
	b.pass(20 * time.Second)
	if len(b.order) != 11 || b.order[1] != 0 || b.order[10] != 9 {
		t.Errorf("the slice under way, and then %v", b.order)
	}
}

// What can't be read is tried again, and then what is behind it is read.
func TestWhatCantBeReadIsSkipped(t *testing.T) {
	b := newBench(t, scrub.Config{}, 5, 1)
	b.bad[1], b.bad[3], b.bad[4] = 2, 3, 3
	b.pass(time.Minute)
	st := b.scrub.Status(b.clock())
	if b.read[1] != 1 || b.read[3]+b.read[4] != 0 || b.rounds() != 1 || st.Last.Skipped != 2 {
		t.Errorf("read %v, %d rounds, %+v", b.read, b.rounds(), st.Last)
	}
}

// What was found that can't be seen to yet holds it up.
func TestBusy(t *testing.T) {
	b := newBench(t, scrub.Config{}, 100, mib)
	b.busy = true
	b.pass(time.Hour)
	if len(b.order) != 0 {
		t.Error("it reads on")
	}
	b.busy = false
	b.pass(time.Hour)
	if b.rounds() != 1 {
		t.Error("it does not go on")
	}
}

func TestFindingsArePassedOnAndCounted(t *testing.T) {
	s := scrub.New(scrub.Config{})
	var e scrub.Effects
	now := clock.Now{Wall: 5}
	s.Tick(now, false, &e)
	e.Reset()
	f := &replica.Scrubbed{
		Rotten: []replica.Rotten{{Partition: 3, Key: ring.NewKey("b", "k")}}, Mended: 2, Lost: 1,
		Verified: replica.Verified{Wrong: []string{"a leaf is wrong"}, Next: []byte{1}, Bytes: 7, Leaves: 4, Records: 9},
	}
	s.Scrubbed(now, f, &e)
	kinds := map[fact.Kind]int{}
	for i := range e.Facts {
		kinds[e.Facts[i].Kind]++
	}
	if len(e.Rotten) != 1 || e.Rotten[0] != f.Rotten[0] || kinds[fact.Damaged] != 2 || kinds[fact.Mended] != 1 || kinds[fact.Scrubbed] != 1 {
		t.Errorf("%+v", e)
	}
	if r := s.Status(now).Round; (r != scrub.Round{Began: 5, Bytes: 7, Records: 9, Leaves: 4, Rotten: 1, Mended: 2, Lost: 1}) {
		t.Errorf("%+v", r)
	}
	s.Scrubbed(now, f, &e)
	if r := s.Status(now).Round; r.Rotten != 1 {
		t.Error("an answer that nobody waits for is counted")
	}
}

// FuzzNote: whatever the disk has of a note, a machine begins with it.
func FuzzNote(f *testing.F) {
	b := &bench{cfg: scrub.Config{}, stretches: 10, size: mib, read: map[uint64]int{}, wall: 1e12}
	b.t = &testing.T{}
	b.start()
	b.pass(2 * time.Second)
	f.Add(b.note)
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, note []byte) {
		s := scrub.New(scrub.Config{Note: note})
		var e scrub.Effects
		s.Tick(clock.Now{Mono: 1e15, Wall: 1e12}, false, &e)
		if len(e.Slices) > 1 || len(e.Slices) == 0 && s.Deadline() <= 1e15 {
			t.Errorf("%d slices, due %v", len(e.Slices), s.Deadline())
		}
	})
}
