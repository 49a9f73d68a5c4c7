package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// fakeStore keeps siblings under one lock. A context is the number of versions
// of its key that were ever written: it covers them all.
type fakeStore struct {
	ouro.Store
	mu      sync.Mutex
	objects map[ouro.Key]*object
	fail    func(verb string, key ouro.Key) error
	puts    int
}

type object struct {
	written  int
	versions []dated
}

type dated struct {
	ouro.Sibling
	n int
}

func newFakeStore() *fakeStore { return &fakeStore{objects: map[ouro.Key]*object{}} }

func (s *fakeStore) failing(verb string, key ouro.Key) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(verb, key)
}

func (s *fakeStore) Get(_ context.Context, key ouro.Key, _ ...ouro.Option) (ouro.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("get", key); err != nil {
		return ouro.Result{}, err
	}
	o := s.objects[key]
	if o == nil {
		return ouro.Result{}, ouro.Errorf(ouro.NotFound, ouro.Done, "no such key")
	}
	res := ouro.Result{Context: ouro.Context(strconv.Itoa(o.written))}
	for _, v := range o.versions {
		res.Siblings = append(res.Siblings, v.Sibling)
	}
	return res, nil
}

func (s *fakeStore) Put(_ context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("put", key); err != nil {
		return ouro.Result{}, err
	}
	o := s.objects[key]
	if o == nil {
		o = &object{}
		s.objects[key] = o
	}
	seen, _ := strconv.Atoi(string(ouro.Apply(opts...).Context))
	var kept []dated
	for _, v := range o.versions {
		if v.n > seen {
			kept = append(kept, v)
		}
	}
	o.written++
	s.puts++
	o.versions = append(kept, dated{ouro.Sibling{Value: value}, o.written})
	return ouro.Result{}, nil
}

func runImport(t *testing.T, im *Import, text string, src Source) error {
	t.Helper()
	return im.Run(t.Context(), mustOpen(t, text, src), src.Skip)
}

func manyLines(from, to int, value string) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "{\"id\":%d,\"v\":%q}\n", i%500, value)
	}
	return b.String()
}

var byID = Source{Format: "ndjson", Key: []string{"id"}}

func TestImportTwiceMakesNoSiblings(t *testing.T) {
	s := newFakeStore()
	text := manyLines(0, 500, "old") + manyLines(0, 1000, "new") // every key three times
	for round := range 2 {
		im := &Import{Store: s, Bucket: "b", Workers: 16}
		if err := runImport(t, im, text, byID); err != nil {
			t.Fatal(err)
		}
		if im.Counts.Total() != 1500 || im.Counts.Failed.Load() != 0 {
			t.Errorf("round %d: %d records, %d failed", round, im.Counts.Total(), im.Counts.Failed.Load())
		}
	}
	for key, o := range s.objects {
		if len(o.versions) != 1 || !strings.Contains(string(o.versions[0].Data), "new") {
			t.Fatalf("%s has %d versions: the records of a key were not stored in order", key, len(o.versions))
		}
	}
	before := s.puts
	im := &Import{Store: s, Bucket: "b", Workers: 16}
	if err := runImport(t, im, manyLines(0, 500, "new"), byID); err != nil {
		t.Fatal(err)
	}
	if s.puts != before || im.Counts.Same.Load() != 500 {
		t.Errorf("equal records were written again: %d puts, %d same", s.puts-before, im.Counts.Same.Load())
	}
}

func TestImportGoesOnWhereItStopped(t *testing.T) {
	s := newFakeStore()
	text := manyLines(0, 400, "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var reached Position
	im := &Import{Store: s, Bucket: "b", Workers: 8, Done: func(p Position) {
		if p.Records < reached.Records {
			t.Errorf("the mark went back from %d to %d", reached.Records, p.Records)
		}
		if reached = p; p.Records >= 100 {
			cancel()
		}
	}}
	if err := im.Run(ctx, mustOpen(t, text, byID), Position{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	src := byID
	src.Skip = reached
	again := &Import{Store: s, Bucket: "b", Workers: 8, Done: func(p Position) { reached = p }}
	if err := runImport(t, again, text, src); err != nil {
		t.Fatal(err)
	}
	if len(s.objects) != 400 || reached.Records != 400 {
		t.Errorf("%d of 400 records are stored, the mark is at %d", len(s.objects), reached.Records)
	}
	if again.Counts.Total() > 300 {
		t.Errorf("the second run did %d records again", again.Counts.Total())
	}
}

func TestImportOutlastsWhatPassesAndCountsWhatDoesNot(t *testing.T) {
	s := newFakeStore()
	tries := map[ouro.Key]int{}
	s.fail = func(verb string, key ouro.Key) error {
		switch tries[key]++; {
		case key.Name == "7":
			return ouro.Errorf(ouro.TooLarge, ouro.NotDone, "too large")
		case tries[key] <= 2:
			return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "no quorum")
		}
		return nil
	}
	var failed []string
	var reached Position
	im := &Import{
		Store: s, Bucket: "b", Workers: 4, MaxErrors: 3, Patience: time.Minute,
		Failed: func(r Record, err error) { failed = append(failed, r.Key+": "+err.Error()) },
		Done:   func(p Position) { reached = p },
	}
	if err := runImport(t, im, manyLines(0, 20, "x"), byID); err != nil {
		t.Fatal(err)
	}
	if len(failed) != 1 || failed[0] != "7: too_large: too large" || im.Counts.Stored.Load() != 19 {
		t.Errorf("failed %q, stored %d", failed, im.Counts.Stored.Load())
	}
	if reached.Records != 7 {
		t.Errorf("the mark is at record %d: it may not pass the failed one", reached.Records)
	}
}

func TestImportStopsAfterTooManyErrors(t *testing.T) {
	im := &Import{Store: newFakeStore(), Bucket: "b", Workers: 2, MaxErrors: 5}
	err := runImport(t, im, strings.Repeat("x\n", 1000), byID)
	if !errors.Is(err, errTooMany) || im.Counts.Failed.Load() > 50 {
		t.Errorf("%v after %d errors", err, im.Counts.Failed.Load())
	}
}

func TestExportCanBeImported(t *testing.T) {
	from := newFakeStore()
	key := func(name string) ouro.Key { return ouro.Key{Bucket: "b", Name: name} }
	put := func(name, value string) {
		if _, err := from.Put(t.Context(), key(name), ouro.Value{Data: []byte(value), ContentType: "text/plain"}); err != nil {
			t.Fatal(err)
		}
	}
	put("text", "<a> & \"b\"\n")
	put("bytes", "\xff\x00")
	put("empty", "")
	put("two", "x")
	put("two", "y")
	put("\xfe", "odd key")

	var out bytes.Buffer
	ex := &Export{Store: from, Bucket: "b", Workers: 3}
	if err := ex.Run(t.Context(), &out, KeyLines(strings.NewReader("text\nbytes\n\nempty\r\nnone\ntwo\n\xfe"))); err != nil {
		t.Fatal(err)
	}
	if ex.Found != 5 || ex.Missing != 1 || ex.Siblings != 1 {
		t.Errorf("found %d, missing %d, with siblings %d", ex.Found, ex.Missing, ex.Siblings)
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); !strings.Contains(first, `"key":"text"`) || !strings.Contains(first, `<a> & \"b\"\n`) {
		t.Errorf("the first line is %s", first)
	}

	to := newFakeStore()
	for range 2 {
		im := &Import{Store: to, Bucket: "b", Workers: 2}
		if err := runImport(t, im, out.String(), Source{Format: "ndjson"}); err != nil || im.Counts.Failed.Load() != 0 {
			t.Fatal(err, im.Counts.Failed.Load())
		}
	}
	for k, o := range from.objects {
		got := to.objects[k]
		if got == nil || len(got.versions) != len(o.versions) {
			t.Fatalf("%s: %+v, want %+v", k, got, o)
		}
		for i := range o.versions {
			if a, b := o.versions[i].Value, got.versions[i].Value; !bytes.Equal(a.Data, b.Data) || a.ContentType != b.ContentType {
				t.Errorf("%s: %q, want %q", k, b.Data, a.Data)
			}
		}
	}
}

func TestExportEndsWithTheFirstError(t *testing.T) {
	s := newFakeStore()
	s.fail = func(_ string, key ouro.Key) error {
		if key.Name == "9" {
			return ouro.Errorf(ouro.TimedOut, ouro.Unknown, "timeout")
		}
		return nil
	}
	ex := &Export{Store: s, Bucket: "b", Workers: 4}
	err := ex.Run(t.Context(), new(bytes.Buffer), KeysOf(mustOpen(t, manyLines(0, 400, "x"), byID)))
	if ouro.CodeOf(err) != ouro.TimedOut || !strings.Contains(err.Error(), "b/9") {
		t.Errorf("%v", err)
	}
}

// Records that fail hold the mark back, and nothing more than the records in
// flight is remembered.
func TestWatermark(t *testing.T) {
	var reached Position
	w := newWatermark(Position{}, func(p Position) { reached = p })
	for n := int64(1); n <= 1000; n++ {
		w.begin(Position{Offset: 10 * n, Records: n})
		if n >= 3 {
			w.done(n - 2) // in order, two behind
		}
	}
	if reached.Records != 998 || reached.Offset != 9980 || len(w.next) != 2 || len(w.stored) != 0 {
		t.Errorf("reached %+v, %d waiting, %d remembered", reached, len(w.next), len(w.stored))
	}
	w.done(1000)
	w.failed(999)
	for n := int64(1001); n <= 2000; n++ {
		w.begin(Position{Offset: 10 * n, Records: n})
		w.done(n)
	}
	if reached.Records != 998 || len(w.next) != 0 || len(w.stored) != 0 {
		t.Errorf("after a failure: reached %+v, %d waiting, %d remembered", reached, len(w.next), len(w.stored))
	}
}
