// Package config holds the settings of a node: one struct, each field with its
// reason, read from a file, the environment and flags. A flag goes over the
// environment, that over the file, that over the default; every value knows
// where it came from, for 'ouro config show'.
//
// Names are the same everywhere: the key peer-listen of the file is the flag
// --peer-listen and the variable OURO_PEER_LISTEN. An unknown key is an error
// that names the nearest known one. Durations and sizes carry units.
package config

import (
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
)

// Config is every setting of one node. Its zero value is not usable: begin with
// [Default] or [Load].
type Config struct {
	// ID names the node for ever; a member's identity is its id, not its address.
	ID string
	// Data is the folder of everything the node keeps. One node, one folder.
	Data string
	// Cluster names the cluster, so that nodes of two never mix.
	Cluster string
	// ClusterKeyFile holds the cluster's secret, equal on all nodes: contexts are
	// sealed and digests keyed with keys derived from it. Without one they are
	// derived from the cluster's name, which protects from accidents only.
	ClusterKeyFile string
	// AllowReadableSecrets takes secret files that others may read, for systems
	// that mount them so.
	AllowReadableSecrets bool

	// Listen serves clients, PeerListen other nodes, AdminListen operators. Each is
	// host:port; port 0 picks a free one. All are on loopback until told otherwise.
	Listen      string
	PeerListen  string
	AdminListen string
	// AdminHosts are the names besides its addresses by which operators reach
	// AdminListen. A page in a browser that is led there by another name is not
	// answered.
	AdminHosts []string
	// RESPListen serves Redis clients; "off": none. RESPBuckets are what they choose
	// with SELECT, by number: a cluster that is founded makes those of mode types that
	// no other setting is about, so they are equal on every node.
	RESPListen  string
	RESPBuckets []string
	// GRPCListen serves gRPC clients; "off": none.
	GRPCListen string
	// Advertise is where other nodes reach PeerListen, where that differs: behind
	// a container's port mapping, or when listening on all interfaces.
	Advertise string
	// AdvertiseClients is where clients reach Listen, likewise: clients that know the
	// ring learn it from any node.
	AdvertiseClients string
	// Compare makes replicas equal by turns, without a read. Without it a node
	// compares only what it must before it counts again.
	Compare bool
	// Canary is how often the node writes a canary and has another node read it, to
	// measure how often reads are stale; 0: never.
	Canary time.Duration
	// Insecure allows addresses off loopback although links are not encrypted yet.
	Insecure bool

	// Members is the static list a cluster is formed from, this node included:
	// equal on all of them. Empty, without Seeds, is a cluster of one.
	Members []member.Member
	// Seeds are nodes to ask about the cluster, tried for ever: host:port, where the host
	// may have several addresses, or file:PATH. With Seeds and no Members a node on an
	// empty data folder waits until it is joined.
	Seeds []string
	// Zone, DC and Weight place this node when it is not in a list of Members, which
	// would say them itself: every node has to know them.
	Zone   string
	DC     string
	Weight int
	// Q is how many partitions the cluster's ring has: a power of two, fixed when
	// the cluster is made; at least 32 for each node there may ever be.
	Q int

	// Engine is the storage engine: one of [Engines].
	Engine string
	// Shards is how many goroutines own partitions; 0 chooses by the machine. Fewer
	// make larger batches, which is cheaper.
	Shards int

	// LogLevel is debug, info, warn or error; it may be changed at run time.
	LogLevel string
	// LogFormat is text, json, or auto: text on a terminal, json otherwise.
	LogFormat string

	// Bucket is how a bucket behaves that nobody defined, Buckets those defined,
	// sorted by name. n and mode belong to a bucket for ever (RULES R17).
	Bucket  member.Bucket
	Buckets []member.NamedBucket

	Limits Limits
}

// Limits are the bounds on everything that could grow. What happens when one is
// reached is said at each.
type Limits struct {
	// MaxValue is the largest value, in bytes; a larger one is refused as too_large.
	MaxValue Size
	// DrainBody is how much of a refused body is read and dropped, so that its
	// client sees the answer instead of a broken connection.
	DrainBody Size
	// MaxSiblings refuses a blind put as too_many_siblings where so many versions
	// are; a put whose context covers one of them is always taken.
	MaxSiblings int
	// MaxInFlight is how many requests a shard coordinates at a time, Inbox how many
	// requests and messages wait before it; beyond either: overloaded.
	MaxInFlight int
	Inbox       int
	// MaxExplain is how many facts an explained request keeps; later ones are counted.
	MaxExplain int
	// MaxFrame is the largest message between nodes; a larger one is not sent, which
	// is stated and counts as silence. It has to carry a record with all siblings
	// that MaxSiblings allows, or that record could not be replicated.
	MaxFrame Size
	// MaxPending is how much waits for one peer's link; beyond it messages to it are
	// dropped, as by a network. One message is taken whatever its size.
	MaxPending Size
	// MaxHints is how much a node keeps for others that can't be reached; beyond it
	// it takes no more of that, and another node does.
	MaxHints Size
	// TransferRate is how many bytes of values a second this node exchanges of
	// partitions that move, to and from it.
	TransferRate Size
	// SlowRead is what a read of the engine for a client, or a wait in the queue of a
	// shard, may take. Where more than one in a hundred takes longer, background work
	// gets less to do (paper, section 6.5); 0: whatever they take it goes at full pace.
	SlowRead time.Duration
	// ScrubWithin is in what time a node reads back all that it stores, 0: never by
	// itself, and ScrubRate how many bytes a second it does so at most.
	ScrubWithin time.Duration
	ScrubRate   Size
	// ArchiveRate is how many bytes a second of records each shard of this node puts into
	// archives, or takes back out of them, at most; each record counts as 4 KiB more.
	ArchiveRate Size
	// DiskReserve is how much of the data's file system is kept free. Below it a
	// node takes no writes, names the reason (disk_full) and goes on reading, until
	// an eighth more than it is free; what makes room may use half of it.
	DiskReserve Size
	// WriteBuffer bounds the writes that wait in memory for the engine, of buckets
	// whose durability is not all, about twice: beyond half of it they are written,
	// beyond it writes wait. FlushWindow is how long they wait at most (paper, section
	// 6.1).
	WriteBuffer Size
	FlushWindow time.Duration
	// MemoryLimit bounds the keys and values of an engine that has them in memory:
	// beyond it writes are refused as disk_full; 0: no bound.
	MemoryLimit Size
	// MaxHintAge is for how long a record is kept for one: an older one is dropped
	// as soon as two other primaries hold it.
	MaxHintAge time.Duration
	// MaxLinks is how many links from peers and clients of the peer port are
	// accepted; of further ones only those of members are.
	MaxLinks int
	// RESPMaxClients is how many Redis clients may be connected; further ones are
	// told so and closed. RESPIdleTimeout closes the connection of one that sends
	// nothing for so long; 0: never.
	RESPMaxClients  int
	RESPIdleTimeout time.Duration
	// GRPCMaxClients is how many connections of gRPC clients may be open; further ones
	// are closed.
	GRPCMaxClients int
	// RequestTokens and RequestTokenTTL bound how many request ids a shard remembers,
	// and how long; a retry after that may store a sibling again (RULES R29).
	RequestTokens   int
	RequestTokenTTL time.Duration
	// RepairWait is how long an answered get waits for late replies to repair
	// (paper, section 5).
	RepairWait time.Duration
	// EpochInterval is the least time between two epochs: a tombstone is reaped some
	// four of them after its delete, if every member can be reached.
	EpochInterval time.Duration
	// Exceptions bounds the single events a record claims beyond its vector; what is
	// claimed of the actors of the oldest is dropped, which costs siblings at most
	// (RULES R4).
	Exceptions int
	// Prune is how many entries a version vector has before old ones are dropped
	// (paper, section 4.4), PruneAge how young none is dropped, unless there are
	// PruneHard (RULES R7).
	Prune     int
	PruneHard int
	PruneAge  time.Duration
}

// Default returns the settings of a node told nothing: a cluster of one on
// loopback.
func Default() Config {
	return Config{
		ID: "n1", Data: "ouro-data", Cluster: "ouro",
		Listen: "127.0.0.1:7070", PeerListen: "127.0.0.1:7071", AdminListen: "127.0.0.1:7072",
		RESPListen: "127.0.0.1:7079", RESPBuckets: []string{"redis"}, GRPCListen: "127.0.0.1:7078",
		Weight: 1, Q: 1024, Engine: EnginePebble, Compare: true,
		LogLevel: "info", LogFormat: "auto",
		Bucket: member.DefaultBucket(),
		Limits: Limits{
			MaxValue: 1 << 20, DrainBody: 8 << 20, MaxSiblings: 100,
			MaxInFlight: 4096, Inbox: 4096, MaxExplain: 256,
			MaxFrame: 128 << 20, MaxPending: 16 << 20, MaxHints: 1 << 30, TransferRate: 64 << 20, ScrubWithin: 14 * 24 * time.Hour, ScrubRate: 8 << 20, ArchiveRate: 16 << 20, SlowRead: 50 * time.Millisecond, MaxHintAge: 3 * time.Hour, DiskReserve: 256 << 20, WriteBuffer: 8 << 20, FlushWindow: time.Second, MaxLinks: 1024,
			RESPMaxClients: 8192, RESPIdleTimeout: 30 * time.Minute, GRPCMaxClients: 4096,
			RequestTokens: 65_536, RequestTokenTTL: 2 * time.Minute,
			RepairWait: 100 * time.Millisecond, EpochInterval: 20 * time.Second, Exceptions: 64,
			Prune: 24, PruneHard: 50, PruneAge: 24 * time.Hour,
		},
	}
}

// SeedFile begins a seed that names a file with an address on each line. It is read
// anew whenever it is tried.
const SeedFile = "file:"

// NoSeeds in the place of seeds lets a node wait until it is joined, or a cluster is
// founded at it, without looking for any.
const NoSeeds = "none"

// SeedList returns the seeds that are to be tried.
func (c *Config) SeedList() []string {
	if len(c.Seeds) == 1 && c.Seeds[0] == NoSeeds {
		return nil
	}
	return c.Seeds
}

// StaticMembers returns the members that the cluster is formed from: the static
// list, or this node alone. It returns none where the node waits to be joined.
func (c *Config) StaticMembers() []member.Member {
	if len(c.Members) > 0 {
		return c.Members
	}
	if len(c.Seeds) > 0 {
		return nil
	}
	self := member.Member{Addr: c.PeerAddr()}
	self.ID, self.Weight, self.Zone, self.DC = nodeID(c.ID), c.Weight, c.Zone, c.DC
	return []member.Member{self}
}

// Off in the place of an address listens nowhere.
const Off = "off"

// FoundingBuckets returns every bucket setting as a founding history takes them,
// the default first. Those of Redis clients that nobody defined are as the default
// is, of mode types.
func (c *Config) FoundingBuckets() []member.NamedBucket {
	named := slices.Clone(c.Buckets)
	for _, name := range c.RESPBuckets {
		if !slices.ContainsFunc(named, func(b member.NamedBucket) bool { return b.Name == name }) {
			b := member.NamedBucket{Name: name, Bucket: c.Bucket}
			b.LWW, b.Types = false, true
			named = append(named, b)
		}
	}
	slices.SortFunc(named, func(a, b member.NamedBucket) int { return strings.Compare(a.Name, b.Name) })
	return append([]member.NamedBucket{{Bucket: c.Bucket}}, named...)
}

// PeerAddr returns where other nodes reach this one.
func (c *Config) PeerAddr() string {
	if c.Advertise != "" {
		return c.Advertise
	}
	for _, m := range c.Members {
		if string(m.ID) == c.ID {
			return m.Addr
		}
	}
	return c.PeerListen
}
