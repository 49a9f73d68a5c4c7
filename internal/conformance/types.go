package conformance

import (
	"crypto/rand"
	"fmt"
	"math"
	"testing"

	"github.com/ourodb/ouro"
)

// TypesBucket is the bucket of mode types that [RunTypes] writes to.
const TypesBucket = "typed"

// RunTypes holds a store with data types to all cases of them.
func RunTypes(t *testing.T, store ouro.Store) {
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"a counter adds up", []step{
			{does: ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: by(5)}, shows: `["5"]`, changed: 1},
			{does: ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: by(-7)}, shows: `["-2"]`},
		}},
		{"a set has what was added and not removed", []step{
			{does: ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: names("b", "a")}, shows: "set [a b]", changed: 2},
			{does: ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: names("a", "c")}, shows: "set [a b c]", changed: 1},
			{does: ouro.Update{Kind: ouro.Set, Act: ouro.Remove, Elements: names("b", "z")}, shows: "set [a c]", changed: 1},
			{does: ouro.Update{Kind: ouro.Set, Act: ouro.Remove, Elements: names("a", "c")}, shows: "nothing", changed: 2},
		}},
		{"a map has the last value of each field", []step{
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: field("a", "x")}, shows: "map [a=x]", changed: 1},
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: field("a", "7")}, shows: "map [a=7]"},
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Increment, Elements: []ouro.Element{{Name: "a", By: 3}}}, shows: "map [a=10]"},
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Assign, If: ouro.IfAbsent, Elements: field("a", "no")}, shows: "map [a=10]"},
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Assign, If: ouro.IfPresent, Elements: field("b", "no")}, shows: "map [a=10]"},
		}},
		{"a sorted set is in order of scores", []step{
			{does: ouro.Update{Kind: ouro.SortedSet, Act: ouro.Assign, Elements: []ouro.Element{{Name: "a", Score: 2}, {Name: "b", Score: 1}}}, shows: "sorted_set [b:1 a:2]", changed: 2},
			{does: ouro.Update{Kind: ouro.SortedSet, Act: ouro.Increment, Elements: []ouro.Element{{Name: "b", Score: 2.5}}}, shows: "sorted_set [a:2 b:3.5]"},
			{does: ouro.Update{Kind: ouro.SortedSet, Act: ouro.Assign, If: ouro.IfGreater, Elements: []ouro.Element{{Name: "b", Score: 3}}}, shows: "sorted_set [a:2 b:3.5]"},
			{does: ouro.Update{Kind: ouro.SortedSet, Act: ouro.Assign, If: ouro.IfLess, Elements: []ouro.Element{{Name: "b", Score: 0}}}, shows: "sorted_set [b:0 a:2]"},
		}},
		{"scores have infinities", []step{
			{does: ouro.Update{Kind: ouro.SortedSet, Act: ouro.Assign, Elements: []ouro.Element{{Name: "a", Score: math.Inf(1)}, {Name: "b", Score: math.Inf(-1)}, {Name: "c", Score: math.MaxFloat64}}}, shows: "sorted_set [b:-Inf c:1.7976931348623157e+308 a:+Inf]", changed: 3},
			{does: ouro.Update{Kind: ouro.SortedSet, Act: ouro.Increment, Elements: []ouro.Element{{Name: "a", Score: math.Inf(-1)}}}, refused: ouro.BadRequest, shows: "sorted_set [b:-Inf c:1.7976931348623157e+308 a:+Inf]"},
		}},
		{"another type is refused", []step{
			{does: ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: names("a")}, shows: "set [a]", changed: 1},
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: field("a", "x")}, refused: ouro.WrongType, shows: "set [a]"},
			{does: ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: by(1)}, refused: ouro.WrongType, shows: "set [a]"},
		}},
		{"what is no number is not incremented", []step{
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: field("a", "text")}, shows: "map [a=text]", changed: 1},
			{does: ouro.Update{Kind: ouro.Map, Act: ouro.Increment, Elements: []ouro.Element{{Name: "a", By: 1}}}, refused: ouro.BadRequest, shows: "map [a=text]"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) { play(t, store, c.steps) })
	}
	t.Run("a put takes the place of any type, and a delete of a put", func(t *testing.T) { typesPut(t, store) })
}

// step is an update and what comes of it.
type step struct {
	does    ouro.Update
	refused ouro.Code
	changed int
	shows   string
}

func by(n int64) []ouro.Element { return []ouro.Element{{By: n}} }

func field(name, value string) []ouro.Element {
	return []ouro.Element{{Name: name, Value: []byte(value)}}
}

func names(all ...string) (out []ouro.Element) {
	for _, n := range all {
		out = append(out, ouro.Element{Name: n})
	}
	return out
}

// play takes steps one after the other on a new key.
func play(t *testing.T, store ouro.Store, steps []step) {
	key := ouro.Key{Bucket: TypesBucket, Name: t.Name() + "/" + rand.Text()}
	for i := range steps {
		s := &steps[i]
		res, err := store.(ouro.Updater).Update(t.Context(), key, s.does, ouro.W(3))
		if s.refused != "" {
			(&suite{t: t}).refused(err, s.refused)
		} else if err != nil || res.Changed != s.changed {
			t.Fatalf("step %d: %d changed, %v; want %d", i, res.Changed, err, s.changed)
		}
		if got := shown(t, store, key); got != s.shows {
			t.Fatalf("after step %d it shows %q, want %q", i, got, s.shows)
		}
	}
}

// shown is what a key shows, in one line.
func shown(t *testing.T, store ouro.Store, key ouro.Key) string {
	t.Helper()
	res, err := store.Get(t.Context(), key)
	switch {
	case ouro.CodeOf(err) == ouro.NotFound:
		return "nothing"
	case err != nil:
		t.Fatal(err)
	case res.Typed != nil && res.Typed.Kind == ouro.Counter && fmt.Sprint(res.Typed.Count) != values(res)[0]:
		t.Fatalf("a counter of %d shows %q", res.Typed.Count, values(res))
	case res.Typed == nil || res.Typed.Kind == ouro.Counter: // a number is also its text
		return fmt.Sprintf("%q", values(res))
	}
	all := []string{}
	for _, e := range res.Typed.Elements {
		line := e.Name
		switch res.Typed.Kind {
		case ouro.Map:
			line += "=" + string(e.Value)
		case ouro.SortedSet:
			line += fmt.Sprintf(":%v", e.Score)
		}
		all = append(all, line)
	}
	return fmt.Sprintf("%s %v", res.Typed.Kind, all)
}

func typesPut(t *testing.T, store ouro.Store) {
	key := ouro.Key{Bucket: TypesBucket, Name: t.Name() + "/" + rand.Text()}
	updater := store.(ouro.Updater)
	if _, err := updater.Update(t.Context(), key, ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: names("a")}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), key, ouro.Value{Data: []byte("41")}, ouro.Blind(), ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, store, key); got != `["41"]` {
		t.Errorf("after a put it shows %s", got)
	}
	if _, err := updater.Update(t.Context(), key, ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: by(1)}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, store, key); got != `["42"]` {
		t.Errorf("incremented it shows %s", got)
	}
	if _, err := store.Delete(t.Context(), key, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, store, key); got != "nothing" {
		t.Errorf("after a delete it shows %s", got)
	}
}
