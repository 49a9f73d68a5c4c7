package admin

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/ourodb/ouro"
)

// guard keeps pages that are not the node's own from using the port through the
// browser of an operator who can reach it.
//
// A page of another origin may do nothing that has an effect, whatever the browser
// says of where it comes from, and read nothing: it may link to the console, no
// more. A page whose name was made to lead here (DNS rebinding) is of the same
// origin as far as its browser can tell, so the port answers only to addresses, to
// names of one word, which nobody can own in the public tree of names, and to those
// that it was told of. Health and metrics have neither values nor effects, and are
// asked for by whatever name a machine has.
type guard struct {
	names map[string]bool
	next  http.Handler
}

// newGuard guards next, which answers to hosts too.
func newGuard(hosts []string, next http.Handler) http.Handler {
	g := &guard{names: map[string]bool{}, next: next}
	for _, name := range hosts {
		g.names[canonical(name)] = true
	}
	return http.NewCrossOriginProtection().Handler(g)
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	// What is stored may be a page of somebody: shown here it can do nothing.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case openToAll(r.URL.Path):
	case !g.known(r.Host):
		fail(w, http.StatusMisdirectedRequest, ouro.Errorf(ouro.BadRequest, ouro.NotDone,
			"this node does not go by the name %.80q: use its address, or name it in admin-hosts", r.Host))
		return
	case (site == "cross-site" || site == "same-site") && r.URL.Path != "/":
		fail(w, http.StatusForbidden, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "pages of other origins get nothing here"))
		return
	}
	g.next.ServeHTTP(w, r)
}

// openToAll says whether a path is served whatever the node is called.
func openToAll(path string) bool {
	return path == "/healthz" || path == "/livez" || path == "/readyz" || path == "/metrics"
}

// known says whether a Host header names this port.
func (g *guard) known(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = canonical(host)
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || g.names[host]
}

// canonical is a name as it is compared.
func canonical(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
