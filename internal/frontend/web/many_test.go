package web

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault/faulttest"
	"github.com/ourodb/ouro/internal/oracle"
)

// answersOf reads the lines of an answer, by their index.
func answersOf(t *testing.T, rec *httptest.ResponseRecorder) map[int]map[string]any {
	t.Helper()
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%d %s: %s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
	all := map[int]map[string]any{}
	for line := range strings.Lines(rec.Body.String()) {
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		readDocument(t).holdObject(t, "ItemAnswer", a)
		all[int(a["index"].(float64))] = a
	}
	return all
}

func TestMany(t *testing.T) {
	store := oracle.New(oracle.Config{MaxSiblings: 2})
	const keyed = `"bucket":"b","key":"%FF%00"`
	rec := ask(store, "POST", "/many", `{"op":"put",`+keyed+`,"value":"dg==","content_type":"text/x","request_id":"r","attempt":1}
		{"op":"put","bucket":"b","key":"k","text":"hello"}
		{"op":"get","bucket":"b","key":"none"}
		{"op":"delete","bucket":"b","key":"none"}
		{"op":"put","bucket":"b","key":"k","text":"x","context":"YmFk"}`)
	got := answersOf(t, rec)
	for i, want := range []string{"200 r", "200 ", "404 ", "200 ", "400 "} {
		if s := fmt.Sprintf("%v %v", got[i]["status"], got[i]["request_id"]); !strings.HasPrefix(s, want) || len(s) < 5 {
			t.Errorf("item %d: %v, want %s", i, got[i], want)
		}
	}
	if got[2]["code"] != "not_found" || got[4]["code"] != "bad_context" || got[4]["outcome"] != "not_done" {
		t.Errorf("errors: %v, %v", got[2], got[4])
	}
	got = answersOf(t, ask(store, "POST", "/many?r=1", `{"op":"get",`+keyed+`}{"op":"get","bucket":"b","key":"k"}`))
	sib := got[0]["siblings"].([]any)[0].(map[string]any)
	if sib["value"] != "dg==" || sib["content_type"] != "text/x" || got[0]["context"] == nil || got[0]["quorum"] == nil {
		t.Errorf("what was put comes back as %v", got[0])
	}
	seen := got[1]["context"].(string)
	got = answersOf(t, ask(store, "POST", "/many", `{"op":"put","bucket":"b","key":"k","text":"new","context":"`+seen+`"}`))
	if res, err := store.Get(t.Context(), ouro.Key{Bucket: "b", Name: "k"}); err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "new" {
		t.Errorf("under its context: %v; %v %v", got, res.Siblings, err)
	}
	if got := answersOf(t, ask(store, "POST", "/many", "")); len(got) != 0 {
		t.Errorf("nothing asked: %v", got)
	}
}

// An error shows no context of versions that the client was not shown.
func TestManyErrorsAreHonest(t *testing.T) {
	for code, context := range map[ouro.Code]bool{ouro.NotFound: true, ouro.TimedOut: false} {
		got := answersOf(t, ask(failing(code, ouro.NotDone), "POST", "/many", `{"op":"get","bucket":"b","key":"k"}`))
		if has := got[0]["context"] != nil; has != context {
			t.Errorf("%s: %v", code, got[0])
		}
	}
}

// A body that is not wholly one of requests does nothing.
func TestBadManyIsRefused(t *testing.T) {
	good := `{"op":"put","bucket":"b","key":"k","text":"v"}`
	for name, c := range map[string]struct {
		body, mentions string
		status         int
	}{
		"no JSON":        {good + "x", "item 1", 400},
		"another field":  {`{"op":"get","bucket":"b","key":"k","ttl":1}`, "ttl", 400},
		"no op":          {good + `{"bucket":"b","key":"k"}`, "get, put or delete", 400},
		"no key":         {good + `{"op":"get","bucket":"b"}`, "key is empty", 400},
		"bad key":        {`{"op":"get","bucket":"b","key":"%zz"}`, "percent", 400},
		"bad context":    {`{"op":"put","bucket":"b","key":"k","context":"!"}`, "base64", 400},
		"too many":       {strings.Repeat(good, ouro.MaxItems+1), "more than 1000", 400},
		"long id":        {`{"op":"get","bucket":"b","key":"k","request_id":"` + strings.Repeat("i", 129) + `"}`, "at most 128", 400},
		"too large":      {good + strings.Repeat(" ", 2000), "several requests", 413},
		"half an object": {good[:20], "item 0", 400},
		"no UTF-8":       {good + "{\"op\":\"put\",\"bucket\":\"b\",\"key\":\"k\",\"text\":\"\xff\"}", "UTF-8", 400},
	} {
		cfg := Config{}
		if c.status == 413 {
			cfg.MaxBatch = 1000
		}
		rec := askWith(cfg, nil, "POST", "/many", c.body)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.mentions) {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	if rec := ask(nil, "GET", "/many", ""); rec.Code != 405 || rec.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d", rec.Code)
	}
	if rec := ask(nil, "POST", "/many?q=1", good); rec.Code != 400 {
		t.Errorf("an unknown parameter: %d", rec.Code)
	}
	if rec := ask(nil, "POST", "/many", good, "Ouro-Context", "YmFk"); rec.Code != 400 {
		t.Errorf("a context for all: %d", rec.Code)
	}
}

// A value over the limit is refused alone.
func TestManyLargeValue(t *testing.T) {
	got := answersOf(t, askWith(Config{MaxValue: 3}, oracle.New(oracle.Config{}), "POST", "/many",
		`{"op":"put","bucket":"b","key":"k","text":"1234"}{"op":"put","bucket":"b","key":"l","text":"123"}`))
	if got[0]["code"] != "too_large" || got[1]["status"] != 200.0 {
		t.Errorf("%v", got)
	}
}

func TestAFaultIsTheItemsAlone(t *testing.T) {
	told := 0
	cfg := Config{Faulted: func(any, []byte) { told++ }}
	got := answersOf(t, askWith(cfg, faulttest.Store{Store: oracle.New(oracle.Config{})}, "POST", "/many", `{"op":"get","bucket":"b","key":"odd"}{"op":"get","bucket":"b","key":"even"}`))
	if got[0]["code"] != "internal" || got[0]["status"] != 500.0 || got[1]["code"] != "not_found" || told != 1 {
		t.Errorf("answered %v; %d were told", got, told)
	}
}
