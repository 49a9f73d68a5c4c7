package causal

import (
	"testing"

	"github.com/ourodb/ouro"
)

// FuzzContextBody fuzzes what a good seal vouches for: even that is believed
// only as far as it can be checked.
func FuzzContextBody(f *testing.F) {
	c := Context{Claims: Claims{Vector: []Entry{{Actor: Actor{1, 2}, N: 3}, {Actor: Actor{1, 3}}}, Exceptions: []Dot{{Actor{1, 2}, 5}, {Actor{1, 3}, 2}}}}
	f.Add(append(c.Claims.append(nil, false, 0), "n1"...))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, body []byte) {
		var c Context
		if err := c.decode(body); err != nil {
			if ouro.CodeOf(err) != ouro.BadContext {
				t.Fatalf("%v", err)
			}
			return
		}
		if again := append(c.Claims.append(nil, false, 0), c.Fastest...); string(again) != string(body) {
			t.Fatalf("%x is accepted but its form is %x", body, again)
		}
		if len(c.Vector)+len(c.Exceptions) > MaxContextClaims || len(c.Fastest) > maxNodeID {
			t.Fatalf("%d entries, %d exceptions, id of %d bytes", len(c.Vector), len(c.Exceptions), len(c.Fastest))
		}
	})
}

func TestContextBodyBounds(t *testing.T) {
	var many Claims
	for i := range uint64(MaxContextClaims + 1) {
		many.Vector = append(many.Vector, Entry{Actor: Actor{i, 1}, N: 1})
	}
	var id [maxNodeID + 1]byte
	for name, body := range map[string][]byte{
		"too many claims": many.append(nil, false, 0),
		"id too long":     append([]byte{0}, id[:]...),
		"nothing":         {},
	} {
		var c Context
		if err := c.decode(body); ouro.CodeOf(err) != ouro.BadContext {
			t.Errorf("%s: %v", name, err)
		}
	}
}
