package admin

import (
	"strings"
	"testing"
)

// TestOtherNames: a page that was led here by a name of its own gets no answer,
// whatever it asks; addresses, single words and the names that were given do.
func TestOtherNames(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	for host, status := range map[string]int{
		"127.0.0.1:7072": 200, "[::1]:7072": 200, "10.1.2.3": 200, "localhost:7072": 200, "n1:7072": 200, "ouro.localhost": 200,
		"ops.example.org:7072": 200, "OPS.example.org.": 200,
		"evil.example:7072": 421, "evil.ops.example.org": 421, "ops.example.org.evil.example": 421, "127.0.0.1.evil.example:7072": 421, "localhost.evil.example": 421,
	} {
		for _, target := range []string{"/", "/console/app.js", "/admin/v1/status", "/admin/v1/replica/b/k", "/kv/b/k", "/debug/pprof/cmdline"} {
			rec := ask(h, "GET", target, "", "host", host)
			if rec.Code != status {
				t.Errorf("%s as %s: %d, want %d", target, host, rec.Code, status)
			}
		}
		for _, target := range []string{"/healthz", "/readyz", "/metrics"} {
			if rec := ask(h, "GET", target, "", "host", host); rec.Code != 200 {
				t.Errorf("%s as %s: %d", target, host, rec.Code)
			}
		}
	}
}

// TestOtherOrigins: another page may link to the console, and nothing else: it can
// change nothing, keys included, and read nothing.
func TestOtherOrigins(t *testing.T) {
	f := &faulter{set: map[string]string{}}
	h, _ := newTestHandler(node{}, f)
	for _, site := range []string{"cross-site", "same-site"} {
		for _, c := range [][2]string{
			{"GET", "/admin/v1/status"},
			{"GET", "/kv/b/k"},
			{"GET", "/console/app.js"},
			{"GET", "/debug/pprof/profile"},
			{"PUT", "/kv/b/k"},
			{"POST", "/kv/b/k"},
			{"DELETE", "/kv/b/k"},
			{"POST", "/admin/v1/cluster/commit"},
			{"POST", "/admin/v1/dev/cluster"},
		} {
			if rec := ask(h, c[0], c[1], "{}", "Sec-Fetch-Site", site, "Content-Type", "application/json"); rec.Code != 403 {
				t.Errorf("%s %s from a page that is %s: %d", c[0], c[1], site, rec.Code)
			}
		}
		if rec := ask(h, "GET", "/", "", "Sec-Fetch-Site", site); rec.Code != 200 {
			t.Errorf("a link to the console from a page that is %s: %d", site, rec.Code)
		}
	}
	// A browser that does not say where from says of which origin.
	if rec := ask(h, "PUT", "/kv/b/k", "v", "Origin", "http://elsewhere"); rec.Code != 403 {
		t.Errorf("%d", rec.Code)
	}
	if rec := ask(h, "PUT", "/kv/b/k", "v", "Sec-Fetch-Site", "same-origin"); rec.Code != 200 || rec.Body.String() != "PUT /kv/b/k" {
		t.Errorf("the console itself: %d %s", rec.Code, rec.Body)
	}
}

// TestWhatIsStoredIsNoPage: a value that says that it is HTML runs nothing when a
// link leads an operator to it.
func TestWhatIsStoredIsNoPage(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	for _, target := range []string{"/kv/b/k", "/admin/v1/replica/b/k", "/other"} {
		head := ask(h, "GET", target, "").Header()
		policy := head.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script-src") {
			t.Errorf("%s may do this: %s", target, policy)
		}
		if head.Get("X-Content-Type-Options") != "nosniff" || head.Get("X-Frame-Options") != "DENY" || head.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s: %v", target, head)
		}
	}
}
