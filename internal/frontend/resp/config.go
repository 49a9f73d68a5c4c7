package resp

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// Config bounds what clients may ask of the front end. A field left zero means
// its default.
type Config struct {
	// Buckets are those that SELECT chooses by number; the first is where a
	// connection begins. Default: one, "redis".
	Buckets []string
	// Mode returns the mode of a bucket: "lww", "siblings" or "types". Default: each
	// is "lww".
	Mode func(bucket string) string

	// MaxValue is the size of a value in bytes, default 1 MiB; the store refuses a
	// larger one with too_large. A bulk string of more than twice that, and 64 KiB,
	// is a protocol error, as Redis has it for proto-max-bulk-len.
	MaxValue int
	// MaxArgs is how many arguments a command has, default 65,536; MaxInline the
	// bytes of an inline command or of a length, default 64 KiB; MaxCommand the
	// bytes of a whole command, default 16 MiB. What is over one is a protocol
	// error, after which the connection is closed.
	MaxArgs, MaxInline, MaxCommand int
	// MaxBuffered is how many bytes of commands all connections may hold at once
	// beyond a small buffer for each, default 256 MiB. Who needs more is told so
	// and its connection closed.
	MaxBuffered int64
	// MaxPipeline is how many commands of a connection are under way at once,
	// default 64. MaxOutput is how many bytes of answers may wait while the answer
	// before them is under way, default 4 MiB: then no further command is begun.
	MaxPipeline, MaxOutput int
	// MaxReply is how many bytes of values one answer to a command that only reads has at
	// most, default 256 MiB. One of more is refused with too_large.
	MaxReply int
	// MaxClients is how many connections are open at once, default 8,192. Further
	// ones are told so and closed.
	MaxClients int
	// A client may take FrameTimeout (default 30 s) for the rest of a command that
	// it began, WriteTimeout (30 s) to take an answer, and leave a connection
	// unused for IdleTimeout (30 min; less than 0: for ever). Then the connection
	// is closed.
	FrameTimeout, WriteTimeout, IdleTimeout time.Duration
	// MaxKeys is how many keys KEYS answers with, default 10,000.
	MaxKeys int

	// Auth, where set, is asked whether a password is right; user is "default"
	// where a client names none. Until it has said so once, a connection may do
	// nothing else and its commands are small.
	Auth func(user, password string) error
	// Version is what INFO and HELLO call this server.
	Version string
	// Dropped, where set, is told why a connection was closed by this side: one of
	// "protocol", "slow_reader", "slow_frame", "idle", "memory", "clients" and "killed".
	Dropped func(why string)
	// Rejected, where set, is told the code of each request that was refused
	// before the store heard of it.
	Rejected func(code ouro.Code)
	// Faulted, where set, is told of a request that met a fault of this package, or of
	// what the store does for its caller, and the client has an error; else the process
	// ends.
	Faulted fault.Told
	// Opened, where set, is told how many connections are open whenever that
	// changes.
	Opened func(clients int)
}

// Bounds before a client has named itself to [Config.Auth], as Redis has them.
const (
	strangerArgs = 10
	strangerBulk = 16 << 10
)

func (c *Config) setDefaults() {
	if len(c.Buckets) == 0 {
		c.Buckets = []string{"redis"}
	}
	if c.Mode == nil {
		c.Mode = func(string) string { return modeLWW }
	}
	setDefault(&c.MaxValue, 1<<20)
	setDefault(&c.MaxArgs, 1<<16)
	setDefault(&c.MaxInline, 64<<10)
	setDefault(&c.MaxCommand, 16<<20)
	c.MaxCommand = max(c.MaxCommand, c.longestBulk()+c.MaxInline)
	setDefault(&c.MaxBuffered, 256<<20)
	setDefault(&c.MaxPipeline, 64)
	setDefault(&c.MaxOutput, 4<<20)
	setDefault(&c.MaxReply, 256<<20)
	setDefault(&c.MaxClients, 8192)
	setDefault(&c.FrameTimeout, 30*time.Second)
	setDefault(&c.WriteTimeout, 30*time.Second)
	setDefault(&c.IdleTimeout, 30*time.Minute)
	setDefault(&c.MaxKeys, 10_000)
	if c.Dropped == nil {
		c.Dropped = func(string) {}
	}
	if c.Rejected == nil {
		c.Rejected = func(ouro.Code) {}
	}
	if c.Opened == nil {
		c.Opened = func(int) {}
	}
}

// longestBulk is the size of the longest bulk string that is read.
func (c *Config) longestBulk() int { return 2*c.MaxValue + 64<<10 }

// The modes of a bucket.
const (
	modeLWW      = "lww"
	modeSiblings = "siblings"
	modeTypes    = "types"
)

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
