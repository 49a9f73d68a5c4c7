package web

import (
	"net/http"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// Config bounds what clients may ask of the front end. A field left zero means
// its default.
type Config struct {
	// Cluster is the id of the cluster. A request whose Ouro-Cluster names another is
	// refused; empty: none is.
	Cluster string
	// MaxValue is the size of a value in bytes, default 1 MiB. A larger one is
	// refused with too_large.
	MaxValue int
	// MaxBatch is how many bytes the body of several requests may have, default 8 MiB
	// or, where that is more, twice MaxValue.
	MaxBatch int64
	// MaxBodies is how many bytes of values may be read and stored at once over
	// all connections, default 64 MiB. What comes on top is refused with
	// overloaded before any of it is read. A body of unknown length counts as
	// the most that it may have.
	MaxBodies int64
	// MaxDropped is how many bytes of a refused body are read and thrown away,
	// so that its client sees the refusal, default 16 MiB. Of a longer one the
	// connection is closed.
	MaxDropped int64
	// MaxContentType and MaxRequestID bound those headers in bytes, default 256
	// and 128. MaxHeader bounds the request line and all headers together,
	// default 64 KiB; net/http refuses what is larger with status 431.
	MaxContentType int
	MaxRequestID   int
	MaxHeader      int
	// MaxTimeout is the longest timeout that a request may ask for, default one
	// minute.
	MaxTimeout time.Duration
	// A client may take HeaderTimeout to send the headers (default 10 s),
	// BodyTimeout for the body (30 s), ReplyTimeout to take the answer (30 s),
	// and leave a connection unused for IdleTimeout (2 min). Then the connection
	// is closed.
	HeaderTimeout time.Duration
	BodyTimeout   time.Duration
	ReplyTimeout  time.Duration
	IdleTimeout   time.Duration
	// MaxConns is how many connections [Listen] keeps open at once, default
	// 8,192. More wait in the system's backlog until one closes.
	MaxConns int

	// Rejected, where set, is told the code of each request that was refused
	// before the store heard of it.
	Rejected func(code ouro.Code)
	// Faulted, where set, is told of an item of a batch that met a fault of this package,
	// or of what the store does for its caller, and the client has an error; else the
	// process ends. (Of other requests net/http closes the connection.)
	Faulted fault.Told
}

func (c *Config) setDefaults() {
	setDefault(&c.MaxValue, 1<<20)
	setDefault(&c.MaxBatch, max(8<<20, 2*int64(c.MaxValue)))
	setDefault(&c.MaxBodies, 64<<20)
	setDefault(&c.MaxDropped, 16<<20)
	setDefault(&c.MaxContentType, 256)
	setDefault(&c.MaxRequestID, 128)
	setDefault(&c.MaxHeader, 64<<10)
	setDefault(&c.MaxTimeout, time.Minute)
	setDefault(&c.HeaderTimeout, 10*time.Second)
	setDefault(&c.BodyTimeout, 30*time.Second)
	setDefault(&c.ReplyTimeout, 30*time.Second)
	setDefault(&c.IdleTimeout, 2*time.Minute)
	setDefault(&c.MaxConns, 8192)
	if c.Rejected == nil {
		c.Rejected = func(ouro.Code) {}
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Server returns a server for h with the limits of cfg. The handler moves the
// deadline for each answer; the server's own only has to be later than any.
func Server(cfg Config, h http.Handler) *http.Server {
	cfg.setDefaults()
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: cfg.HeaderTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		WriteTimeout:      cfg.BodyTimeout + longestBucketTimeout + cfg.ReplyTimeout,
		MaxHeaderBytes:    cfg.MaxHeader,
	}
}

// longestBucketTimeout bounds what the store may take where the request names
// no timeout.
const longestBucketTimeout = 10 * time.Minute
