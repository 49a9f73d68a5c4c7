package config

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/ourodb/ouro/internal/core/member"
)

// Key describes one setting.
type Key struct {
	Name    string // in the file; the flag is --Name
	Env     string // the variable
	Type    string
	Default string
	Doc     string
	Reload  bool // may be changed at run time
}

// key is a setting and how to reach it in a value of type T.
type key[T any] struct {
	name string
	doc  string
	at   func(*T) pflag.Value
}

// Describe returns every setting in the order in which a reader wants them. The
// keys of a [buckets.NAME] table are n r w pr pw dw timeout ttl mode.
func Describe() []Key {
	def := Default()
	var keys []Key
	for _, k := range schema() {
		v := k.at(&def)
		keys = append(keys, Key{Name: k.name, Env: envName(k.name), Type: v.Type(), Default: v.String(), Doc: k.doc, Reload: k.name == "log-level"})
	}
	return keys
}

// envName is the variable of a key.
func envName(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

const envPrefix = "OURO_"

// schema lists every key of a Config.
func schema() []key[Config] {
	keys := append(identityKeys(), placeKeys()...)
	for _, b := range bucketKeys() {
		keys = append(keys, key[Config]{b.name, "default of every bucket: " + b.doc, func(c *Config) pflag.Value { return b.at(&c.Bucket) }})
	}
	return append(keys, limitKeys()...)
}

func identityKeys() []key[Config] {
	return []key[Config]{
		{"id", "name of this node for ever, 1 to 64 characters of A-Z a-z 0-9 . _ -", func(c *Config) pflag.Value { return textValue{&c.ID} }},
		{"data", "folder of everything the node keeps", func(c *Config) pflag.Value { return pathValue{textValue{&c.Data}} }},
		{"cluster", "name of the cluster", func(c *Config) pflag.Value { return textValue{&c.Cluster} }},
		{"cluster-key-file", "file with the cluster's secret, 32 bytes or more, equal on all nodes", func(c *Config) pflag.Value { return pathValue{textValue{&c.ClusterKeyFile}} }},
		{"allow-readable-secrets", "take secret files that other users may read", func(c *Config) pflag.Value { return boolValue{&c.AllowReadableSecrets} }},
		{"listen", "address for clients", func(c *Config) pflag.Value { return addrValue{textValue{&c.Listen}} }},
		{"peer-listen", "address for other nodes", func(c *Config) pflag.Value { return addrValue{textValue{&c.PeerListen}} }},
		{"admin-listen", "address for operators: console, status, metrics, health, profiles", func(c *Config) pflag.Value { return addrValue{textValue{&c.AdminListen}} }},
		{"admin-hosts", "names besides addresses, single words and the machine's own by which operators reach admin-listen", func(c *Config) pflag.Value { return namesValue{listValue{&c.AdminHosts}} }},
		{"resp-listen", "address for Redis clients; off: none", func(c *Config) pflag.Value { return addrValue{textValue{&c.RESPListen}} }},
		{"resp-buckets", "buckets that Redis clients SELECT by number, equal on all nodes; those a cluster is founded with are of mode types where not defined", func(c *Config) pflag.Value { return namesValue{listValue{&c.RESPBuckets}} }},
		{"grpc-listen", "address for gRPC clients; off: none", func(c *Config) pflag.Value { return addrValue{textValue{&c.GRPCListen}} }},
		{"advertise", "address at which other nodes reach this one, where it differs from peer-listen", func(c *Config) pflag.Value { return addrValue{textValue{&c.Advertise}} }},
		{"advertise-clients", "address at which clients reach this node, where it differs from listen", func(c *Config) pflag.Value { return addrValue{textValue{&c.AdvertiseClients}} }},
		{"compare", "compare what is held with other replicas by turns, and make it equal", func(c *Config) pflag.Value { return boolValue{&c.Compare} }},
		{"canary", "how often a canary is written and read at another node, to measure how often reads are stale; 0s: never", func(c *Config) pflag.Value { return durationValue{&c.Canary} }},
		{"insecure", "allow addresses off loopback although links are not encrypted", func(c *Config) pflag.Value { return boolValue{&c.Insecure} }},
	}
}

func placeKeys() []key[Config] {
	return []key[Config]{
		{"members", "static list the cluster is formed from, this node included; ;zone= ;dc= ;weight= may follow an address", func(c *Config) pflag.Value { return membersValue{&c.Members} }},
		{"seeds", "nodes to ask about the cluster, tried for ever; file:PATH names a file with one a line, none waits without", func(c *Config) pflag.Value { return listValue{&c.Seeds} }},
		{"zone", "failure domain of this node within its data centre, if it founds a cluster; who joins one has what 'ouro cluster join' says", func(c *Config) pflag.Value { return textValue{&c.Zone} }},
		{"dc", "data centre of this node, if it founds a cluster", func(c *Config) pflag.Value { return textValue{&c.DC} }},
		{"weight", "share of the data relative to other nodes, if it founds a cluster", func(c *Config) pflag.Value { return intValue{&c.Weight} }},
		{"q", "partitions of the ring, a power of two, fixed when the cluster is made", func(c *Config) pflag.Value { return intValue{&c.Q} }},
		{"engine", "storage engine: pebble, bbolt, memory, which forgets, or memory+pebble, memory+bbolt, which have all in memory too", func(c *Config) pflag.Value { return textValue{&c.Engine} }},
		{"shards", "goroutines that own partitions; 0 chooses by the machine", func(c *Config) pflag.Value { return intValue{&c.Shards} }},
		{"log-level", "debug, info, warn or error", func(c *Config) pflag.Value { return textValue{&c.LogLevel} }},
		{"log-format", "text, json, or auto: text on a terminal, json otherwise", func(c *Config) pflag.Value { return textValue{&c.LogFormat} }},
	}
}

// bucketKeys lists the keys of a bucket.
func bucketKeys() []key[member.Bucket] {
	return []key[member.Bucket]{
		{"n", "replicas of every key; fixed when a bucket is made", func(b *member.Bucket) pflag.Value { return intValue{&b.N} }},
		{"r", "replicas that must answer a read; unset: the majority of n", func(b *member.Bucket) pflag.Value { return intValue{&b.R} }},
		{"w", "replicas that must acknowledge a write; unset: the majority of n", func(b *member.Bucket) pflag.Value { return intValue{&b.W} }},
		{"pr", "of a read's answers, how many from primaries", func(b *member.Bucket) pflag.Value { return intValue{&b.PR} }},
		{"pw", "of a write's acknowledgements, how many from primaries", func(b *member.Bucket) pflag.Value { return intValue{&b.PW} }},
		{"dw", "of a write's acknowledgements, how many durable", func(b *member.Bucket) pflag.Value { return intValue{&b.DW} }},
		{"timeout", "bound on a request's time, at most 1m", func(b *member.Bucket) pflag.Value { return durationValue{&b.Timeout} }},
		{"ttl", "how long versions are shown; 0s: for ever", func(b *member.Bucket) pflag.Value { return durationValue{&b.TTL} }},
		{"durability", "what is on disk when a write is acknowledged: all copies that count, one of them, or none (buffered)", func(b *member.Bucket) pflag.Value { return durabilityValue{b} }},
		{"mode", "siblings shows every version, lww the last writer's, types merges data types; fixed when a bucket is made", func(b *member.Bucket) pflag.Value { return modeValue{b} }},
	}
}

func limitKeys() []key[Config] {
	return []key[Config]{
		{"max-value", "largest value", func(c *Config) pflag.Value { return sizeValue{&c.Limits.MaxValue} }},
		{"drain-body", "how much of a refused body is read and dropped", func(c *Config) pflag.Value { return sizeValue{&c.Limits.DrainBody} }},
		{"max-siblings", "versions of a key beyond which a blind put is refused", func(c *Config) pflag.Value { return intValue{&c.Limits.MaxSiblings} }},
		{"max-in-flight", "requests a shard coordinates at a time, an eighth of them of one key", func(c *Config) pflag.Value { return intValue{&c.Limits.MaxInFlight} }},
		{"inbox", "requests and messages that wait before a shard; a large message counts as one more for each 64 KiB, up to a sixteenth of all", func(c *Config) pflag.Value { return intValue{&c.Limits.Inbox} }},
		{"max-explain", "facts kept of an explained request", func(c *Config) pflag.Value { return intValue{&c.Limits.MaxExplain} }},
		{"max-frame", "largest message between nodes", func(c *Config) pflag.Value { return sizeValue{&c.Limits.MaxFrame} }},
		{"max-pending", "bytes that wait for one peer's link", func(c *Config) pflag.Value { return sizeValue{&c.Limits.MaxPending} }},
		{"max-hints", "bytes kept for nodes that cannot be reached", func(c *Config) pflag.Value { return sizeValue{&c.Limits.MaxHints} }},
		{"transfer-rate", "bytes of values exchanged in a second of partitions that move", func(c *Config) pflag.Value { return sizeValue{&c.Limits.TransferRate} }},
		{"slow-read", "what a read of the engine for a client may take before background work is held back, and a wait in a queue; 0s: never held back", func(c *Config) pflag.Value { return durationValue{&c.Limits.SlowRead} }},
		{"scrub-within", "in what time all that is stored is read back; 0s: never, unless 'ouro scrub run' says so", func(c *Config) pflag.Value { return durationValue{&c.Limits.ScrubWithin} }},
		{"scrub-rate", "bytes read back in a second at most", func(c *Config) pflag.Value { return sizeValue{&c.Limits.ScrubRate} }},
		{"archive-rate", "bytes a second that go into archives and come back out of them at most, each record counted as 4 KiB more", func(c *Config) pflag.Value { return sizeValue{&c.Limits.ArchiveRate} }},
		{"disk-reserve", "bytes of the file system kept free: below, writes are refused as disk_full", func(c *Config) pflag.Value { return sizeValue{&c.Limits.DiskReserve} }},
		{"write-buffer", "bytes of writes that wait in memory for the disk, in buckets whose durability is not all: they are written at half of it, and beyond it writes wait", func(c *Config) pflag.Value { return sizeValue{&c.Limits.WriteBuffer} }},
		{"flush-window", "how long they wait there at most: what a crash of every node may lose of a buffered bucket", func(c *Config) pflag.Value { return durationValue{&c.Limits.FlushWindow} }},
		{"memory-limit", "bytes of keys and values in memory with an engine that has them there, beyond which writes are refused; 0: no bound", func(c *Config) pflag.Value { return sizeValue{&c.Limits.MemoryLimit} }},
		{"max-hint-age", "age from which what is kept for one is dropped, once two others have it", func(c *Config) pflag.Value { return durationValue{&c.Limits.MaxHintAge} }},
		{"max-links", "links accepted on the peer port, beyond which only members are let in", func(c *Config) pflag.Value { return intValue{&c.Limits.MaxLinks} }},
		{"resp-max-clients", "Redis clients connected at once", func(c *Config) pflag.Value { return intValue{&c.Limits.RESPMaxClients} }},
		{"resp-idle-timeout", "how long a Redis client may send nothing; 0s: for ever", func(c *Config) pflag.Value { return durationValue{&c.Limits.RESPIdleTimeout} }},
		{"grpc-max-clients", "connections of gRPC clients open at once", func(c *Config) pflag.Value { return intValue{&c.Limits.GRPCMaxClients} }},
		{"request-tokens", "request ids a shard remembers, for retries", func(c *Config) pflag.Value { return intValue{&c.Limits.RequestTokens} }},
		{"request-token-ttl", "how long a request id is remembered", func(c *Config) pflag.Value { return durationValue{&c.Limits.RequestTokenTTL} }},
		{"repair-wait", "how long an answered get waits for late replies to repair", func(c *Config) pflag.Value { return durationValue{&c.Limits.RepairWait} }},
		{"epoch-interval", "least time between two epochs; a tombstone goes some four after its delete", func(c *Config) pflag.Value { return durationValue{&c.Limits.EpochInterval} }},
		{"exceptions", "single events a record claims beyond its vector", func(c *Config) pflag.Value { return intValue{&c.Limits.Exceptions} }},
		{"prune", "entries of a version vector beyond which old ones are dropped", func(c *Config) pflag.Value { return intValue{&c.Limits.Prune} }},
		{"prune-hard", "entries beyond which young ones are dropped too", func(c *Config) pflag.Value { return intValue{&c.Limits.PruneHard} }},
		{"prune-age", "age below which an entry is not dropped", func(c *Config) pflag.Value { return durationValue{&c.Limits.PruneAge} }},
	}
}
