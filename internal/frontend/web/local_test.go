package web

import (
	"testing"

	"github.com/ourodb/ouro"
)

// TestOwnCopyIsForAGet: of an own copy no other request is answered, nor is any by a
// store that has none.
func TestOwnCopyIsForAGet(t *testing.T) {
	s := one("v")
	for _, method := range []string{"PUT", "DELETE", "HEAD", "POST"} {
		if rec := ask(s, method, "/kv/b/k?local=true", ""); rec.Code != 400 {
			t.Errorf("%s: %d", method, rec.Code)
		}
	}
	if rec := ask(struct{ ouro.Store }{s}, "GET", "/kv/b/k?local=true", ""); rec.Code != 400 || s.calls > 0 {
		t.Errorf("a store without a copy: %d, after %d calls", rec.Code, s.calls)
	}
	if rec := ask(s, "GET", "/kv/b/k?local=true&r=3", ""); rec.Code != 200 || s.opts.R.N != 3 {
		t.Errorf("%d, %+v", rec.Code, s.opts)
	}
}
