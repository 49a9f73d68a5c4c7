package member

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/place"
)

// Bucket is how one bucket behaves.
type Bucket struct {
	N, R, W     int // replicas; answers for a read; acknowledgements for a write
	PR, PW, DW  int // of them primaries, primaries, durable
	Timeout     time.Duration
	TTL         time.Duration // 0: versions do not expire
	LWW         bool          // show the greatest stamp only (RULES R23)
	Types       bool          // its keys hold data types, which are merged here (RULES R8)
	MaxSiblings int           // bound on blind growth; 0: the node's default
	Durability  Durability    // when a replica acknowledges
}

// Durability says what is on disk when a write is acknowledged (paper, section
// 6.1; RULES R35).
type Durability uint8

// The durability modes of a bucket.
const (
	// All: every acknowledgement that counts is of a copy on disk.
	All Durability = iota
	// One: at least one of them is, the paper's durable write; the others may wait
	// in the write buffer.
	One
	// Buffered: none need be. A crash of all that hold it loses what is younger
	// than the flush window.
	Buffered
)

// String returns the mode as it is written.
func (d Durability) String() string {
	switch d {
	case One:
		return "one"
	case Buffered:
		return "buffered"
	default:
		return "all"
	}
}

// ParseDurability is the inverse of [Durability.String]; false for any other text.
func ParseDurability(s string) (Durability, bool) {
	for d := All; d <= Buffered; d++ {
		if d.String() == s {
			return d, true
		}
	}
	return All, false
}

// The modes of a bucket, as they are written.
const (
	ModeSiblings = "siblings"
	ModeLWW      = "lww"
	ModeTypes    = "types"
)

// Mode returns how clients see the bucket's keys.
func (b Bucket) Mode() string {
	switch {
	case b.LWW:
		return ModeLWW
	case b.Types:
		return ModeTypes
	default:
		return ModeSiblings
	}
}

// SetMode sets it; false where there is no such mode.
func (b *Bucket) SetMode(mode string) bool {
	b.LWW, b.Types = mode == ModeLWW, mode == ModeTypes
	return b.LWW || b.Types || mode == ModeSiblings
}

// Bounds on what a bucket may be set to.
const (
	MaxN       = 8 // what one request's machine has room for (coord.MaxN)
	MinTimeout = time.Millisecond
	// MaxTimeout is the longest that a request may take, whatever it or its bucket asks
	// for: replicas that lost something wait it out (RULES R10).
	MaxTimeout = time.Minute
	// mostTimeout is what a bucket may say in a history: more than is in force, as some
	// were made when that was taken.
	mostTimeout = 10 * time.Minute
	MaxTTL      = 100 * 365 * 24 * time.Hour

	MostSiblings = 1 << 20
)

// DefaultBucket returns the settings of a bucket nobody defined: the paper's
// usual (3, 2, 2). Two seconds is longer than any healthy request takes and
// shorter than the patience of who waits for it.
func DefaultBucket() Bucket {
	return Bucket{N: 3, R: 2, W: 2, Timeout: 2 * time.Second}
}

// Validate says which of the numbers of a bucket or a request can never be met
// together, or returns nil. pr counts among the r answers, pw and dw among the w
// acknowledgements, so none can exceed it.
func Validate(n, r, w, pr, pw, dw int) error {
	switch {
	case n < 1 || n > MaxN:
		return fmt.Errorf("n=%d: choose n from 1 to %d", n, MaxN)
	case r < 1 || w < 1:
		return fmt.Errorf("r=%d w=%d: r and w must be at least 1", r, w)
	case r > n:
		return fmt.Errorf("r=%d is more than n=%d: no read could ever be answered; choose r from 1 to %d", r, n, n)
	case w > n:
		return fmt.Errorf("w=%d is more than n=%d: no write could ever be acknowledged; choose w from 1 to %d", w, n, n)
	case pr < 0 || pw < 0 || dw < 0:
		return fmt.Errorf("pr=%d pw=%d dw=%d: none may be negative; 0 asks for none", pr, pw, dw)
	case pr > r:
		return fmt.Errorf("pr=%d is more than r=%d: pr counts among the r answers; raise r or lower pr", pr, r)
	case pw > w:
		return fmt.Errorf("pw=%d is more than w=%d: pw counts among the w acknowledgements; raise w or lower pw", pw, w)
	case dw > w:
		return fmt.Errorf("dw=%d is more than w=%d: dw counts among the w acknowledgements; raise w or lower dw", dw, w)
	}
	return nil
}

// Validate says what is wrong with the settings, or returns nil.
func (b Bucket) Validate() error { return b.validate(MaxTimeout) }

func (b Bucket) validate(longest time.Duration) error {
	if err := Validate(b.N, b.R, b.W, b.PR, b.PW, b.DW); err != nil {
		return err
	}
	switch {
	case b.LWW && b.Types:
		return errors.New("a bucket has one mode")
	case b.Durability > Buffered:
		return fmt.Errorf("durability %d is none of all, one and buffered", uint8(b.Durability))
	case b.Timeout < MinTimeout || b.Timeout > longest:
		return fmt.Errorf("timeout=%v: choose a timeout from %v to %v", b.Timeout, MinTimeout, MaxTimeout)
	case b.TTL < 0 || b.TTL > MaxTTL:
		return fmt.Errorf("ttl=%v: choose a ttl from 0 (never) to %v", b.TTL, MaxTTL)
	case b.MaxSiblings < 0 || b.MaxSiblings > MostSiblings:
		return fmt.Errorf("max siblings %d: choose 0 (the node's default) to %d", b.MaxSiblings, MostSiblings)
	}
	return nil
}

// Majority returns how many of n are more than half of them.
func Majority(n int) int { return n/2 + 1 }

// EffectiveBucket returns the settings in force in a cluster of so many members.
// With fewer members than n, n is their number; an r or w that was the majority
// of n is the majority of that, and no number exceeds what it counts among.
func EffectiveBucket(b Bucket, members int) Bucket {
	b.Timeout = min(b.Timeout, MaxTimeout)
	if members >= b.N || members < 1 {
		return b
	}
	shrink := func(k int) int {
		if k == Majority(b.N) {
			return Majority(members)
		}
		return min(k, members)
	}
	e := b
	e.N, e.R, e.W = members, shrink(b.R), shrink(b.W)
	e.PR, e.PW, e.DW = min(b.PR, e.R), min(b.PW, e.W), min(b.DW, e.W)
	return e
}

// Shortfall tells an operator that a cluster of so many members keeps fewer
// replicas than the bucket asks for; "" where it does not.
func Shortfall(b Bucket, members int) string {
	if members >= b.N {
		return ""
	}
	e := EffectiveBucket(b, members)
	have := "is only 1 member"
	if members != 1 {
		have = fmt.Sprintf("are only %d members", members)
	}
	return fmt.Sprintf("n=%d is wanted but there %s: n=%d r=%d w=%d are in force until more join", b.N, have, e.N, e.R, e.W)
}

// Buckets are the settings of every bucket: those defined, and the default for
// all others.
type Buckets struct {
	Default Bucket
	Named   map[string]Bucket
	Names   []string // of those in Named, sorted
}

// MostN returns the greatest n of any bucket: so many replicas hold any of a
// partition.
func (b Buckets) MostN() int {
	most := b.Default.N
	for _, name := range b.Names {
		most = max(most, b.Named[name].N)
	}
	if len(b.Names) != len(b.Named) { // what is not known may be the greatest
		most = MaxN
	}
	return most
}

// Promises returns what requests of the buckets may rest on: for each n the smallest
// numbers of [Bucket.Promise] (RULES R16), by n.
func (b Buckets) Promises() []place.Promise {
	all := []place.Promise{b.Default.Promise()}
	for _, name := range b.Names {
		all = append(all, b.Named[name].Promise())
	}
	if len(b.Names) != len(b.Named) { // what is not known may ask for everything
		all = append(all, place.Promise{N: MaxN, W: 1, R: 1})
	}
	slices.SortFunc(all, func(a, b place.Promise) int { return cmp.Compare(a.N, b.N) })
	least := all[:1]
	for _, p := range all[1:] {
		if last := &least[len(least)-1]; p.N == last.N {
			last.W, last.R = min(last.W, p.W), min(last.R, p.R)
		} else {
			least = append(least, p)
		}
	}
	return least
}

// Promise returns what requests of the bucket may rest on: its pw and pr, or w and r
// where these are 0. A strict read shows also what is on fewer than pw replicas, of
// a write that failed, and from then on every later one shows it: so W is no more
// than a strict read makes sure of (RULES R16, R32).
func (b Bucket) Promise() place.Promise {
	p := place.Promise{N: b.N, W: b.W, R: b.R}
	if b.PW > 0 {
		p.W = min(b.PW, b.W)
	}
	if b.PR > 0 {
		p.R = min(b.PR, b.R)
		p.W = min(p.W, place.Settled(b.N, p.R))
	}
	return p
}

// Of returns the settings of a bucket.
func (b Buckets) Of(name string) Bucket {
	if d, ok := b.Named[name]; ok {
		return d
	}
	return b.Default
}

// NamedBucket is a bucket with its name; "" names the default.
type NamedBucket struct {
	Name string
	Bucket
}

// check says what is wrong with a bucket's name or settings, or returns nil.
func (b NamedBucket) check() error {
	if b.Name != "" {
		if err := ouro.ValidateBucket(b.Name); err != nil {
			return err
		}
	}
	if err := b.validate(mostTimeout); err != nil {
		return fmt.Errorf("bucket %s: %w", cmp.Or(b.Name, "default"), err)
	}
	return nil
}
