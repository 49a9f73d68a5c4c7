package causal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

func sealer() *causal.Sealer { return causal.NewSealer([]byte("a key of this cluster")) }

func someContext() causal.Context {
	s := everything()
	for i := range s.Vector {
		s.Vector[i].Time = 0
	}
	return causal.Context{Claims: s.Claims, Fastest: "n2"}
}

func TestContextRoundTrip(t *testing.T) {
	s := sealer()
	rapid.Check(t, func(t *rapid.T) {
		state := draw(t, history(t, tight(t)), "state")
		c := causal.Context{Claims: untimed(state.Claims), Fastest: rapid.StringMatching(`[a-z0-9._-]{0,64}`).Draw(t, "fastest")}
		bucket, name := rapid.String().Draw(t, "bucket"), rapid.String().Draw(t, "name")
		opened, err := s.Open(bucket, name, s.Seal(bucket, name, c))
		if err != nil {
			t.Fatal(err)
		}
		if opened.Fastest != c.Fastest || !equalDots(dots(opened.Claims), dots(c.Claims)) {
			t.Fatalf("%+v came back as %+v", c, opened)
		}
		bytesOf(t, causal.State{Claims: opened.Claims})
	})
}

func TestContextsOfSeveralReplicas(t *testing.T) {
	s := sealer()
	a, b := causal.Actor{Run: 1, Life: 1}, causal.Actor{Run: 2, Life: 1}
	x := causal.Claims{Vector: []causal.Entry{{Actor: a, N: 2}}}
	y := causal.Claims{Vector: []causal.Entry{{Actor: b, N: 1}}}.With(causal.Dot{Actor: a, N: 3})
	parts := append(s.Seal("b", "k", causal.Context{Claims: x}), s.Seal("b", "k", causal.Context{Claims: y, Fastest: "n3"})...)
	parts = append(parts, s.Seal("b", "k", causal.Context{Fastest: "n1"})...)
	c, err := s.Open("b", "k", parts)
	if err != nil {
		t.Fatal(err)
	}
	want := causal.Claims{Vector: []causal.Entry{{Actor: a, N: 3}, {Actor: b, N: 1}}}
	if !equal(causal.State{Claims: c.Claims}, causal.State{Claims: want}) || c.Fastest != "n3" {
		t.Fatalf("%+v", c)
	}
}

// TestContextDefects: each kind of broken context is refused as bad_context, and
// the message says what to do.
func TestContextDefects(t *testing.T) {
	s := sealer()
	good := s.Seal("bucket", "key", someContext())
	many := bytes.Repeat(s.Seal("bucket", "key", causal.Context{}), causal.MaxContextParts+1)
	for name, c := range map[string]struct {
		sealed []byte
		want   string
	}{
		"empty":             {[]byte{}, "leave it away for a blind write"},
		"cut short":         {good[:len(good)-1], "cut short: use it exactly"},
		"cut after a byte":  {good[:1], "cut short: use it exactly"},
		"another version":   {append([]byte{9}, good[1:]...), "use it exactly as a get returned it"},
		"garbage behind it": {append(bytes.Clone(good), "garbage"...), "use it exactly as a get returned it"},
		"a zero behind it":  {append(bytes.Clone(good), 0), "use it exactly as a get returned it"},
		"of another key":    {s.Seal("bucket", "other", someContext()), "belongs to another key"},
		"of another bucket": {s.Seal("other", "key", someContext()), "belongs to another key"},
		"border moved":      {s.Seal("bucketk", "ey", someContext()), "belongs to another key"},
		"of another cluster": {
			causal.NewSealer([]byte("a key of another cluster")).Seal("bucket", "key", someContext()), "another cluster made it: get the key again",
		},
		"too long":            {make([]byte, causal.MaxContextLen+1), "get the key again"},
		"too many parts":      {many, "more than 16 parts: get the key again"},
		"second part altered": {flip(append(bytes.Clone(good), good...), 2*len(good)-1), "altered"},
	} {
		_, err := s.Open("bucket", "key", c.sealed)
		var e *ouro.Error
		if !errors.As(err, &e) || e.Code != ouro.BadContext || e.Outcome != ouro.NotDone || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := s.Open("bucket", "key", many[:len(many)/(causal.MaxContextParts+1)*causal.MaxContextParts]); err != nil {
		t.Errorf("%d parts are refused: %v", causal.MaxContextParts, err)
	}
}

func flip(b []byte, i int) []byte {
	b[i] ^= 1
	return b
}

// TestContextBitFlips: no single bit may be wrong, and none is overlooked.
func TestContextBitFlips(t *testing.T) {
	s := sealer()
	good := s.Seal("bucket", "key", someContext())
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, err := s.Open("bucket", "key", b); ouro.CodeOf(err) != ouro.BadContext {
				t.Fatalf("bit %d of byte %d is flipped and the answer is %v", bit, i, err)
			}
		}
		if _, err := s.Open("bucket", "key", good[:i]); ouro.CodeOf(err) != ouro.BadContext {
			t.Fatalf("cut to %d bytes the answer is %v", i, err)
		}
	}
}

// TestContextIsBounded: however much a record claims, what is sealed opens
// again, and claims no more than it did.
func TestContextIsBounded(t *testing.T) {
	s := sealer()
	var c causal.Context
	for i := range causal.MaxContextClaims + 10 {
		c.Vector = append(c.Vector, causal.Entry{Actor: causal.Actor{Run: uint64(i), Life: 1}, N: 1 << 60}, causal.Entry{Actor: causal.Actor{Run: uint64(i), Life: 2}})
		c.Exceptions = append(c.Exceptions, causal.Dot{Actor: causal.Actor{Run: uint64(i), Life: 2}, N: 9})
	}
	sealed := s.Seal("b", "k", c)
	opened, err := s.Open("b", "k", sealed)
	if err != nil || len(opened.Vector) != causal.MaxContextClaims/2 || len(sealed) > causal.MaxContextLen {
		t.Fatalf("%d bytes, %d entries: %v", len(sealed), len(opened.Vector), err)
	}
	if !c.Contains(opened.Claims) {
		t.Error("it claims more than it did")
	}
	c.Claims = gaps(1, causal.MaxContextClaims+10)
	opened, err = s.Open("b", "k", s.Seal("b", "k", c))
	if err != nil || len(opened.Exceptions) != causal.MaxContextClaims-1 || !opened.Covers(c.Exceptions[len(c.Exceptions)-1]) {
		t.Fatalf("%d exceptions: %v", len(opened.Exceptions), err)
	}
}

func TestGoldenContexts(t *testing.T) {
	s := sealer()
	golden(t, "testdata/context.v1.golden", fmt.Sprintf("nothing %s\nsome %s\n",
		hex.EncodeToString(s.Seal("bucket", "key", causal.Context{})), hex.EncodeToString(s.Seal("bucket", "key", someContext()))))
}

// FuzzOpenContext: nothing makes it panic, and what it accepts was sealed.
func FuzzOpenContext(f *testing.F) {
	s := sealer()
	good := s.Seal("bucket", "key", someContext())
	f.Add(good)
	f.Add(append(bytes.Clone(good), s.Seal("bucket", "key", causal.Context{})...))
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := s.Open("bucket", "key", b)
		if err == nil {
			bytesOf(t, causal.State{Claims: c.Claims})
			return
		}
		if ouro.CodeOf(err) != ouro.BadContext {
			t.Fatalf("%v", err)
		}
	})
}
