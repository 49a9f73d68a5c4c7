package member

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/place"
)

func TestImpossibleNumbers(t *testing.T) {
	for _, test := range []struct {
		n, r, w, pr, pw, dw int
		want                string // part of the error; "" for none
	}{
		{3, 2, 2, 0, 0, 0, ""},
		{1, 1, 1, 1, 1, 1, ""},
		{3, 3, 3, 3, 3, 3, ""},
		{MaxN, 1, MaxN, 0, 0, 0, ""},
		{0, 1, 1, 0, 0, 0, "n=0: choose n from 1"},
		{MaxN + 1, 1, 1, 0, 0, 0, "choose n from 1 to 8"},
		{3, 0, 1, 0, 0, 0, "at least 1"},
		{3, 1, 0, 0, 0, 0, "at least 1"},
		{3, 4, 2, 0, 0, 0, "r=4 is more than n=3"},
		{3, 2, 4, 0, 0, 0, "w=4 is more than n=3"},
		{3, 2, 2, 3, 0, 0, "pr=3 is more than r=2"},
		{3, 2, 2, 0, 3, 0, "pw=3 is more than w=2"},
		{3, 2, 2, 0, 0, 3, "dw=3 is more than w=2"},
		{3, 2, 2, -1, 0, 0, "negative"},
		{3, 2, 2, 0, -1, 0, "negative"},
		{3, 2, 2, 0, 0, -1, "negative"},
	} {
		err := Validate(test.n, test.r, test.w, test.pr, test.pw, test.dw)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v", test, err)
		}
	}
}

func TestBucketSettings(t *testing.T) {
	if err := DefaultBucket().Validate(); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
	for want, change := range map[string]func(*Bucket){
		"r=9 is more":      func(b *Bucket) { b.R = 9 },
		"timeout=0s":       func(b *Bucket) { b.Timeout = 0 },
		"timeout=1m1s":     func(b *Bucket) { b.Timeout = 61 * time.Second },
		"ttl=-1ns":         func(b *Bucket) { b.TTL = -1 },
		"max siblings -1:": func(b *Bucket) { b.MaxSiblings = -1 },
	} {
		b := DefaultBucket()
		change(&b)
		if err := b.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A history may have a bucket that gives its requests more time than there is now: it is
// read, and what is in force is what replicas that lost something wait (RULES R10).
func TestBucketOfMoreTimeThanThereIs(t *testing.T) {
	b := DefaultBucket()
	b.Timeout = 10 * time.Minute
	c := Change{Kind: Define, Name: "long", Bucket: b}
	if err := c.Check(); err != nil {
		t.Errorf("the history can't be read: %v", err)
	}
	if got := EffectiveBucket(b, 5).Timeout; got != MaxTimeout {
		t.Errorf("%v are in force", got)
	}
	c.Bucket.Timeout++
	if c.Check() == nil {
		t.Error("any time is taken")
	}
}

// With fewer members than n, n is their number, and the default r and w the
// majority of it.
func TestFewerMembersThanN(t *testing.T) {
	quorum := func(n, r, w, pr, pw, dw int) Bucket { return Bucket{N: n, R: r, W: w, PR: pr, PW: pw, DW: dw} }
	for _, test := range []struct {
		set     Bucket
		members int
		want    Bucket
	}{
		{quorum(3, 2, 2, 0, 0, 0), 3, quorum(3, 2, 2, 0, 0, 0)},
		{quorum(3, 2, 2, 0, 0, 0), 30, quorum(3, 2, 2, 0, 0, 0)},
		{quorum(3, 2, 2, 0, 0, 0), 2, quorum(2, 2, 2, 0, 0, 0)},
		{quorum(3, 2, 2, 0, 0, 0), 1, quorum(1, 1, 1, 0, 0, 0)},
		{quorum(5, 3, 3, 0, 0, 0), 4, quorum(4, 3, 3, 0, 0, 0)},
		{quorum(5, 3, 3, 0, 0, 0), 3, quorum(3, 2, 2, 0, 0, 0)},
		{quorum(3, 1, 3, 0, 0, 0), 2, quorum(2, 1, 2, 0, 0, 0)},
		{quorum(3, 2, 2, 2, 1, 2), 1, quorum(1, 1, 1, 1, 1, 1)},
	} {
		got := EffectiveBucket(test.set, test.members)
		if got != test.want {
			t.Errorf("%+v with %d members: %+v, want %+v", test.set, test.members, got, test.want)
		}
		if err := Validate(got.N, got.R, got.W, got.PR, got.PW, got.DW); err != nil {
			t.Errorf("%+v with %d members cannot be met: %v", test.set, test.members, err)
		}
		if note := Shortfall(test.set, test.members); (note == "") != (test.members >= test.set.N) {
			t.Errorf("%+v with %d members: note %q", test.set, test.members, note)
		}
	}
	const want = "n=3 is wanted but there are only 2 members: n=2 r=2 w=2 are in force until more join"
	if got := Shortfall(DefaultBucket(), 2); got != want {
		t.Errorf("note %q, want %q", got, want)
	}
}

func TestBucketsOf(t *testing.T) {
	b := Buckets{Default: Bucket{N: 3}, Named: map[string]Bucket{"one": {N: 1}}}
	if b.Of("one").N != 1 || b.Of("other").N != 3 {
		t.Errorf("one has n=%d, others %d", b.Of("one").N, b.Of("other").N)
	}
}

// TestRules_R16_WhatAStrictReadShowed: who compares with n-W+1 of a list meets every
// write that was acknowledged with pw, and all that a read with pr has shown, which
// may be of a write that failed and on fewer; and W is no smaller than that needs.
func TestRules_R16_WhatAStrictReadShowed(t *testing.T) {
	for n := 1; n <= MaxN; n++ {
		for pw := 1; pw <= n; pw++ {
			for pr := 0; pr <= n; pr++ {
				b := Bucket{N: n, R: max(pr, 1), W: pw, PR: pr, PW: pw}
				sources := n - b.Promise().W + 1
				shown := n // without pr nothing is promised of what a read has shown
				if pr > 0 {
					shown = place.Settled(n, pr)
					if shown+pr <= n || shown < pr {
						t.Errorf("n=%d pr=%d: what is shown is on %d", n, pr, shown)
					}
				}
				if sources+pw <= n || sources+shown <= n {
					t.Errorf("n=%d pr=%d pw=%d: %d sources", n, pr, pw, sources)
				}
				if sources > 1 && sources-1+pw > n && sources-1+shown > n {
					t.Errorf("n=%d pr=%d pw=%d: %d sources are more than it needs", n, pr, pw, sources)
				}
			}
		}
	}
}

// What a move rests on is in no list more than what requests make sure of there: no
// more acknowledgements than a bucket's writes wait for, and than a strict read sees to,
// and no more answers than its reads wait for (RULES R16, R32).
func TestPromisesInShorterLists(t *testing.T) {
	for n := 1; n <= place.MaxN; n++ {
		for _, c := range counts(n) {
			b := Bucket{N: n, R: c.r, W: c.w, PR: c.pr, PW: c.pw}
			for length := 1; length < n; length++ {
				w, r := b.Promise().In(length)
				if rests := EffectiveBucket(b, length).Promise(); w > rests.W || r > rests.R || w < 1 || r < 1 {
					t.Fatalf("n=%d r=%d w=%d pr=%d pw=%d, in a list of %d: a move rests on w=%d r=%d, requests make sure of w=%d r=%d",
						n, c.r, c.w, c.pr, c.pw, length, w, r, rests.W, rests.R)
				}
			}
		}
	}
}

type count struct{ r, w, pr, pw int }

// counts are all that a bucket of n may have.
func counts(n int) (all []count) {
	for r := 1; r <= n; r++ {
		for w := 1; w <= n; w++ {
			for pr := range r + 1 {
				for pw := range w + 1 {
					all = append(all, count{r, w, pr, pw})
				}
			}
		}
	}
	return all
}
