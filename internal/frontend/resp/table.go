package resp

import (
	"maps"
	"slices"
)

// command is one that is carried out.
type command struct {
	name  string
	group string
	// arity is how many words it has, its name included; less than 0: at least so
	// many.
	arity int
	// first, last and step say which arguments are keys; last less than 0 counts
	// from the end.
	first, last, step int
	oneKey            bool // it is about the key first, and leaves its connection alone
	write             bool
	open              bool // to who has not said yet who it is
	usage             string
	meaning           string // where several clients write at once
	run               func(*call)
}

func (c *command) writes() bool { return c.write }

// table has every command by its name.
var table map[string]*command

// init fills the table: commands that describe commands look it up.
func init() { table = tabulate() }

// groups returns the families of commands in the order in which they are
// documented.
func groups() []group {
	return []group{
		{"connection", connectionCommands()},
		{"server", serverCommands()},
		{"strings", stringCommands()},
		{"keys", keyCommands()},
		{"counters", counterCommands()},
		{"hashes", hashCommands()},
		{"sets", setCommands()},
		{"sorted sets", slices.Concat(zsetCommands(), zlexCommands(), zsumCommands())},
		{"scan", scanCommands()},
		{"ouro", ouroCommands()},
	}
}

type group struct {
	name     string
	commands []command
}

func tabulate() map[string]*command {
	all := map[string]*command{}
	for _, g := range groups() {
		for _, c := range g.commands {
			c.group = g.name
			all[c.name] = &c
		}
	}
	return all
}

// The shapes of most commands: reading or writing one key, or any number.
func reads(c command) command {
	c.first, c.last, c.step, c.oneKey = 1, 1, 1, true
	return c
}

func writes(c command) command {
	c = reads(c)
	c.write = true
	return c
}

// refused has the commands of Redis that are not carried out, and why.
var refused = refusals()

func refusals() map[string]string {
	all := map[string]string{}
	for why, names := range map[string][]string{
		"no step of several commands is taken as one in a store without a leader; use one key, a data type that merges, or OURO.PUT with the context of OURO.GET": {"multi", "exec", "discard", "watch", "unwatch"},
		"a script would have to be alone with its keys, and nobody is in a store without a leader":                                                                {"eval", "evalsha", "eval_ro", "evalsha_ro", "script", "function", "fcall", "fcall_ro"},
		"no list keeps its order, or gives an element to one client only, where two nodes push and pop at once": {
			"lpush", "rpush", "lpushx", "rpushx", "lpop", "rpop", "lrange", "llen", "lindex", "linsert", "lset", "lrem", "ltrim", "lpos", "lmove", "rpoplpush", "lmpop", "blpop", "brpop", "blmove", "brpoplpush", "blmpop", "sort", "sort_ro",
		},
		"an element can't be given to one client only where two nodes take it at once":                                      {"bzpopmin", "bzpopmax", "bzmpop", "zmpop", "zpopmin", "zpopmax", "spop"},
		"messages are not kept, and nodes pass none on":                                                                     {"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", "publish", "spublish", "pubsub"},
		"a node sees its own clients alone, and is not held up by one that watches them; see 'ouro status' and its metrics": {"monitor"},
		"a stream has one order, which nobody gives it in a store without a leader": {
			"xadd", "xread", "xreadgroup", "xrange", "xrevrange", "xlen", "xack", "xdel", "xtrim", "xgroup", "xinfo", "xclaim", "xautoclaim", "xpending",
		},
		"two keys are on different nodes and can't change as one; read the one, write the other":                                 {"msetnx", "rename", "renamenx", "copy", "move", "smove", "swapdb", "sinterstore", "sunionstore", "sdiffstore", "zunionstore", "zinterstore", "zdiffstore", "zrangestore"},
		"a field has no time of its own: a key expires as a whole; EXPIRE":                                                       {"hexpire", "hpexpire", "hexpireat", "hpexpireat", "httl", "hpttl", "hpersist", "hexpiretime", "hpexpiretime", "hgetex", "hsetex", "hgetdel"},
		"an answer already waits for w replicas; OURO.SET w says for how many":                                                   {"wait", "waitaof"},
		"a bit can't be set without the bits that others set at once; keep the value whole, or a set":                            {"setbit", "getbit", "bitcount", "bitpos", "bitop", "bitfield", "bitfield_ro"},
		"there is no such data type here":                                                                                        {"pfadd", "pfcount", "pfmerge", "geoadd", "geopos", "geodist", "geohash", "georadius", "geosearch", "geosearchstore"},
		"every node is an equal; 'ouro cluster' on the command line shows and changes the cluster":                               {"cluster", "replicaof", "slaveof", "failover", "sync", "psync", "replconf", "readonly", "readwrite", "asking"},
		"nodes save each write by themselves; 'ouro' on the command line has what operators need":                                {"save", "bgsave", "bgrewriteaof", "lastsave", "shutdown", "debug", "module", "acl", "slowlog", "latency", "memory"},
		"a dump would have another store's format; 'ouro export' writes what is stored":                                          {"dump", "restore", "migrate", "object"},
		"deleting all keys of a cluster by one word is an accident; 'ouro bucket' and 'ouro keys' on the command line tell more": {"flushdb", "flushall"},
	} {
		for _, name := range names {
			all[name] = why
		}
	}
	return all
}

// names returns the names of all commands, in order.
func names() []string { return sorted(maps.Keys(table)) }
