package local

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/place"
)

func word() Word {
	return Word{Chain: place.Hash{0xab, 15: 1}, Number: 12, N: 3, Need: 2, Mode: "siblings", State: causal.Sum{Hi: 1, Lo: 0xff}}
}

// Each word has one text, and nothing else is one.
func TestWordText(t *testing.T) {
	absent := word()
	absent.Absent, absent.State = true, causal.Sum{}
	for _, w := range []Word{word(), absent, {N: 1, Need: 1, Mode: "lww"}} {
		if got, ok := Parse(w.String()); !ok || got != w {
			t.Errorf("%q is read as %+v", w.String(), got)
		}
	}
	w := word()
	text := w.String()
	if want := "list=ab000000000000000000000000000001.12 n=3 need=2 mode=siblings state=000000000000000100000000000000ff"; text != want {
		t.Errorf("%q", text)
	}
	for _, bad := range []string{
		"", "list=", text + " ", text + " more=1", strings.Replace(text, "n=3", "n=+3", 1), strings.Replace(text, "n=3 ", "", 1),
		strings.Replace(text, "ab0", "a0", 1), strings.ToUpper(text), strings.Replace(text, "state=0", "state=", 1),
		strings.Replace(text, "siblings", strings.Repeat("s", maxWord), 1), strings.Replace(text, ".12", "", 1),
	} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q is taken for a word", bad)
		}
	}
}

// TestAgree: only as many different nodes as are needed, which say the same, are a read.
func TestAgree(t *testing.T) {
	said := func(change func(*Word), nodes ...string) []Said {
		var all []Said
		for i, n := range nodes {
			s := Said{n, word()}
			if i == len(nodes)-1 && change != nil {
				change(&s.Word)
			}
			all = append(all, s)
		}
		return all
	}
	for name, c := range map[string]struct {
		said []Said
		want bool
	}{
		"two":                {said(nil, "a", "b"), true},
		"three":              {said(nil, "a", "b", "c"), true},
		"none":               {nil, false},
		"one":                {said(nil, "a"), false},
		"the same twice":     {said(nil, "a", "a"), false},
		"nobody":             {said(nil, "a", ""), false},
		"another chain":      {said(func(w *Word) { w.Chain[3]++ }, "a", "b"), false},
		"other lists":        {said(func(w *Word) { w.Number++ }, "a", "b"), false},
		"more replicas":      {said(func(w *Word) { w.N++ }, "a", "b"), false},
		"more needed":        {said(func(w *Word) { w.Need++ }, "a", "b"), false},
		"another mode":       {said(func(w *Word) { w.Mode = "lww" }, "a", "b"), false},
		"another state":      {said(func(w *Word) { w.State.Lo++ }, "a", "b"), false},
		"nothing is there":   {said(func(w *Word) { w.State, w.Absent = causal.Sum{}, true }, "a", "b"), false},
		"one of three is so": {said(func(w *Word) { w.State.Hi++ }, "a", "b", "c"), false},
		"none is needed":     {[]Said{{"a", Word{}}, {"b", Word{}}}, false},
	} {
		if got := Agree(c.said); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	w := word()
	f.Add(w.String())
	f.Add("list=.0 n=0 need=0 mode= state=absent")
	f.Fuzz(func(t *testing.T, text string) {
		if w, ok := Parse(text); ok && w.String() != text {
			t.Errorf("%q is %q", text, w.String())
		}
	})
}
