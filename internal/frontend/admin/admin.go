package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/frontend/console"
	"github.com/ourodb/ouro/internal/frontend/keypath"
	"github.com/ourodb/ouro/internal/telemetry"
)

// Config is what the admin port shows and changes.
type Config struct {
	Inspector ouro.Inspector
	Operator  ouro.Operator
	Repairer  ouro.Repairer
	Archiver  ouro.Archiver
	Metrics   prometheus.Gatherer
	Level     *slog.LevelVar // what the node logs from
	Build     Build
	// Latencies tells how long client requests took.
	Latencies func() telemetry.Latencies
	// Keys is the front end of the client port, for the console: a page may ask only
	// where it came from. It takes paths that begin with /kv/.
	Keys http.Handler
	// Hosts are the names that the port answers to, besides addresses and single words.
	Hosts []string

	// Of a node of a dev cluster; on any other these are nil, and not there.
	Faults Faulter
	Dev    func(dev.Command) (dev.Outcome, error)
}

// Build says what is running.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Faulter puts faults on the links to peers, and takes them off.
type Faulter interface {
	SetFault(peer string, dropOut, dropIn bool, delay time.Duration)
	ClearFaults()
}

type handler struct {
	cfg   Config
	mux   *http.ServeMux
	paths map[string]methods // what docs/reference/openapi.yaml describes
}

// Paths whose rest is a key: a mux would clean and redirect them.
const (
	ownersPrefix  = "/admin/v1/owners/"
	replicaPrefix = "/admin/v1/replica/"
	keysPrefix    = "/kv/"
	archivePrefix = "/admin/v1/archive/record/"
)

// New returns the handler of the admin port.
func New(cfg Config) http.Handler {
	return impatient(newGuard(cfg.Hosts, newHandler(cfg)), bodyPause)
}

func newHandler(cfg Config) *handler {
	h := &handler{cfg: cfg, mux: http.NewServeMux(), paths: map[string]methods{}}
	h.routes()
	return h
}

func (h *handler) routes() {
	add := func(path string, m methods) { h.paths[path] = m; h.mux.Handle(path, m) }
	get := func(path string, f http.HandlerFunc) { add(path, methods{http.MethodGet: f}) }
	get("/metrics", promhttp.HandlerFor(h.cfg.Metrics, promhttp.HandlerOpts{}).ServeHTTP)
	get("/healthz", alive)
	get("/livez", alive)
	get("/readyz", h.ready)
	get("/version", func(w http.ResponseWriter, _ *http.Request) { reply(w, h.cfg.Build) })
	get("/admin/v1/status", func(w http.ResponseWriter, _ *http.Request) { reply(w, h.cfg.Inspector.Status()) })
	get("/admin/v1/ring", func(w http.ResponseWriter, _ *http.Request) { reply(w, h.cfg.Inspector.Ring()) })
	get("/admin/v1/hints", from(h.cfg.Inspector.Hints))
	get("/admin/v1/repair", from(h.cfg.Inspector.Repair))
	get("/admin/v1/verify", h.verify)
	get("/admin/v1/staleness", h.staleness)
	get("/admin/v1/latencies", func(w http.ResponseWriter, _ *http.Request) { reply(w, h.cfg.Latencies()) })
	scrub := methods{http.MethodGet: from(h.cfg.Inspector.Scrub)}
	if h.cfg.Operator != nil {
		scrub[http.MethodPost], scrub[http.MethodDelete] = done(h.cfg.Operator.RunScrub), done(h.cfg.Operator.PauseScrub)
	}
	add("/admin/v1/scrub", scrub)
	get("/admin/v1/archive/buckets", h.heldBuckets)
	h.operatorRoutes(add)
	if r := h.cfg.Repairer; r != nil {
		get("/admin/v1/repair/pairs", from(r.RepairPairs))
		add("/admin/v1/repair/run", methods{http.MethodPost: with(r.RunRepair)})
		add("/admin/v1/repair/pause", methods{http.MethodPut: with(r.PauseRepair)})
	}
	add("/admin/v1/log-level", methods{http.MethodGet: h.level, http.MethodPut: h.setLevel})
	if h.cfg.Faults != nil {
		add("/admin/v1/dev/fault", methods{http.MethodPost: h.setFaults, http.MethodDelete: h.clearFaults})
	}
	if h.cfg.Dev != nil {
		add("/admin/v1/dev/cluster", methods{http.MethodGet: h.devCluster, http.MethodPost: with(h.devCommand)})
	}
	h.paths["/"] = methods{http.MethodGet: console.Page}
	h.mux.Handle("/{$}", h.paths["/"])
	h.mux.HandleFunc("/", nothing)
	h.mux.Handle("/console/", methods{http.MethodGet: console.Assets})
	for path, f := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		h.mux.Handle("/debug/pprof/"+path, methods{http.MethodGet: f})
	}
}

func nothing(w http.ResponseWriter, _ *http.Request) {
	fail(w, http.StatusNotFound, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "there is nothing here: look at / in a browser, /healthz, /readyz, /version, /metrics, /debug/pprof/ and /admin/v1/"))
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := keypath.Raw(r)
	if strings.HasPrefix(path, keysPrefix) && h.cfg.Keys != nil {
		h.cfg.Keys.ServeHTTP(w, r)
	} else if raw, ok := strings.CutPrefix(path, ownersPrefix); ok {
		methods{http.MethodGet: h.owners(raw)}.ServeHTTP(w, r)
	} else if raw, ok := strings.CutPrefix(path, replicaPrefix); ok {
		methods{http.MethodGet: h.replica(raw)}.ServeHTTP(w, r)
	} else if raw, ok := strings.CutPrefix(path, archivePrefix); ok {
		methods{http.MethodGet: h.archived(raw), http.MethodPut: h.restore(raw)}.ServeHTTP(w, r)
	} else {
		h.mux.ServeHTTP(w, r)
	}
}

// methods are the handlers of one path. HEAD is served as GET.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if f, ok := m[method]; ok {
		f(w, r)
		return
	}
	var allowed []string
	for _, known := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if m[known] != nil {
			allowed = append(allowed, known)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	fail(w, http.StatusMethodNotAllowed, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.20q does not work here: use %s", r.Method, strings.Join(allowed, " or ")))
}

// from answers with what ask returns.
func from[T any](ask func(context.Context) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := ask(r.Context())
		answerWith(w, answer, err)
	}
}

func answerWith[T any](w http.ResponseWriter, answer T, err error) {
	if err != nil {
		failWith(w, err)
	} else {
		reply(w, answer)
	}
}

func (h *handler) verify(w http.ResponseWriter, r *http.Request) {
	info, err := h.cfg.Inspector.Verify(r.Context(), r.URL.Query().Get("from"))
	answerWith(w, info, err)
}

func (h *handler) staleness(w http.ResponseWriter, r *http.Request) {
	n := 0
	if text := r.URL.Query().Get("n"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			failWith(w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "n=%.20q is no number of replicas", text))
			return
		}
	}
	info, err := h.cfg.Inspector.Staleness(r.Context(), n)
	answerWith(w, info, err)
}

func (h *handler) owners(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		key, err := keypath.Parse(raw)
		if err != nil {
			failWith(w, err)
			return
		}
		owners, err := h.cfg.Inspector.Owners(key)
		answerWith(w, owners, err)
	}
}
