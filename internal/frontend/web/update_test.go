package web

import (
	"runtime"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// Of an update of more elements than any may name little is read, as one of a mebibyte
// would take fifty times its size.
func TestUpdatesOfTooManyElementsAreNotRead(t *testing.T) {
	body := func(n int) string {
		return `{"type":"set","act":"assign","elements":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}`
	}
	if u, err := parseUpdate([]byte(body(ouro.MaxElements))); err != nil || len(u.Elements) != ouro.MaxElements {
		t.Errorf("as many as there may be: %d, %v", len(u.Elements), err)
	}
	long := []byte(body(300_000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := parseUpdate(long)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 || ouro.CodeOf(err) != ouro.BadRequest || !strings.Contains(err.Error(), "at most 10000 elements") {
		t.Errorf("%d elements took %d bytes: %v", 300_000, took, err)
	}
}

// What is refused in the body of an update, each with a word that says why.
func TestBadUpdatesAreRefused(t *testing.T) {
	for body, mentions := range map[string]string{
		"{\"type\":\"set\",\"act\":\"assign\",\"elements\":[{\"name\":\"\xff\"}]}": "UTF-8",
		`{"type":"set","act":"assign","elements":[{"nome":"a"}]}`:                  "nome",
		`{"type":"sorted_set","act":"assign","elements":[{"score_text":"1"}]}`:     "inf or -inf",
		`{"type":"set","act":"assign","elements":{}}`:                              "no list",
		`{"type":"set","act":"assign","elements":[{}`:                              "JSON",
		`{"type":"set","act":"assign","elements":[1]}`:                             "number",
	} {
		if _, err := parseUpdate([]byte(body)); ouro.CodeOf(err) != ouro.BadRequest || !strings.Contains(err.Error(), mentions) {
			t.Errorf("%q: %v, want %s", body, err, mentions)
		}
	}
	if u, err := parseUpdate([]byte(`{"type":"set","act":"expire","elements":null}`)); err != nil || u.Elements != nil {
		t.Errorf("no elements: %+v, %v", u, err)
	}
}
