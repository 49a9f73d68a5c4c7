package resp

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func serverCommands() []command {
	return []command{
		{name: "command", arity: -1, usage: "COMMAND [COUNT|LIST|INFO [name ...]|DOCS [name ...]]", meaning: "Describes the commands of this node.", run: commands},
		{name: "config", arity: -2, usage: "CONFIG GET pattern ...", meaning: "Shows what clients of Redis look for; 'ouro config show' has the settings of the node.", run: configGet},
		{name: "info", arity: -1, usage: "INFO [section ...]", meaning: "Describes this node alone; 'ouro status' shows the cluster.", run: info},
		{name: "time", arity: 1, usage: "TIME", meaning: "The clock of this node; those of others differ.", run: func(x *call) {
			now := time.Now()
			x.reply.array(2)
			x.reply.text(strconv.FormatInt(now.Unix(), 10))
			x.reply.text(strconv.Itoa(now.Nanosecond() / 1000))
		}},
	}
}

// commands is the COMMAND command.
func commands(x *call) {
	what := "all"
	if len(x.args) > 1 {
		what = lower(x.args[1])
	}
	var asked []string
	for _, a := range x.args[min(2, len(x.args)):] {
		asked = append(asked, lower(a))
	}
	r := &x.reply
	switch {
	case what == "count" && len(asked) == 0:
		r.int(int64(len(table)))
	case what == "list" && len(asked) == 0:
		r.array(len(table))
		for _, name := range names() {
			r.text(name)
		}
	case what == "all", what == "info" && len(asked) == 0:
		r.array(len(table))
		for _, name := range names() {
			table[name].describe(r)
		}
	case what == "info":
		r.array(len(asked))
		for _, name := range asked {
			if c, ok := table[name]; ok {
				c.describe(r)
			} else {
				r.null()
			}
		}
	case what == "docs":
		commandDocs(r, asked)
	default:
		r.error(fmt.Sprintf("ERR unknown subcommand '%.128s'. Try COMMAND DOCS COMMAND.", what))
	}
}

// describe writes a command as COMMAND INFO has it.
func (c *command) describe(r *reply) {
	r.array(6)
	r.text(c.name)
	r.int(int64(c.arity))
	flag := "fast"
	switch {
	case c.write:
		flag = "write"
	case c.first > 0:
		flag = "readonly"
	}
	r.set(1)
	r.simple(flag)
	r.int(int64(c.first))
	r.int(int64(c.last))
	r.int(int64(c.step))
}

func commandDocs(r *reply, asked []string) {
	if len(asked) == 0 {
		asked = names()
	}
	asked = slices.DeleteFunc(asked, func(name string) bool { return table[name] == nil })
	r.mapping(len(asked))
	for _, name := range asked {
		c := table[name]
		r.text(name)
		r.mapping(3)
		r.text("summary")
		r.text(c.usage + ": " + c.meaning)
		r.text("since")
		r.text("1.0.0")
		r.text("group")
		r.text(c.group)
	}
}

// configGet is CONFIG GET. Nothing can be set: the settings are the node's.
func configGet(x *call) {
	if !is(x.args[1], "get") {
		x.reply.error("ERR only CONFIG GET is supported: the settings of a node are in its file; see 'ouro config show'")
		return
	}
	if len(x.args) < 3 {
		x.wrongNumber()
		return
	}
	cfg := &x.c.cfg
	all := [][2]string{
		{"appendonly", "no"},
		{"databases", itoa(len(cfg.Buckets))},
		{"maxclients", itoa(cfg.MaxClients)},
		{"maxmemory", "0"},
		{"maxmemory-policy", "noeviction"},
		{"proto-max-bulk-len", itoa(cfg.longestBulk())},
		{"save", ""},
		{"timeout", itoa(int(max(cfg.IdleTimeout, 0).Seconds()))},
	}
	var shown [][2]string
	for _, kv := range all {
		if slices.ContainsFunc(x.args[2:], func(p []byte) bool { return match(lower(p), kv[0]) }) {
			shown = append(shown, kv)
		}
	}
	x.reply.mapping(len(shown))
	for _, kv := range shown {
		x.reply.text(kv[0])
		x.reply.text(kv[1])
	}
}

// info is the INFO command.
func info(x *call) {
	var b strings.Builder
	for _, section := range []struct {
		name  string
		write func(*Server, *strings.Builder)
	}{
		{"Server", infoServer},
		{"Clients", infoClients},
		{"Stats", infoStats},
		{"Replication", func(_ *Server, b *strings.Builder) { b.WriteString("role:master\r\nconnected_slaves:0\r\n") }},
		{"Cluster", func(_ *Server, b *strings.Builder) { b.WriteString("cluster_enabled:0\r\n") }},
		{"Keyspace", infoKeyspace},
	} {
		if !sectionWanted(x.args[1:], section.name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "# %s\r\n", section.name)
		section.write(x.c.Server, &b)
	}
	x.reply.verbatim(b.String())
}

func sectionWanted(asked [][]byte, name string) bool {
	return len(asked) == 0 || slices.ContainsFunc(asked, func(a []byte) bool {
		return is(a, name) || is(a, "all") || is(a, "default") || is(a, "everything")
	})
}

func infoServer(s *Server, b *strings.Builder) {
	up := time.Since(s.started)
	fmt.Fprintf(b, "redis_version:%s\r\nredis_mode:standalone\r\nserver_name:ouro\r\nouro_version:%s\r\nos:%s %s\r\narch_bits:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n",
		redisVersion, s.cfg.Version, runtime.GOOS, runtime.GOARCH, strconv.IntSize, int(up.Seconds()), int(up.Hours()/24))
}

func infoClients(s *Server, b *strings.Builder) {
	fmt.Fprintf(b, "connected_clients:%d\r\nmaxclients:%d\r\nblocked_clients:0\r\n", len(s.clients()), s.cfg.MaxClients)
}

func infoStats(s *Server, b *strings.Builder) {
	fmt.Fprintf(b, "total_connections_received:%d\r\ntotal_commands_processed:%d\r\n", s.accepted.Load(), s.commands.Load())
}

// infoKeyspace names the buckets. How many keys they have is not known without a
// walk, and a number would be taken for one.
func infoKeyspace(s *Server, b *strings.Builder) {
	for i, name := range s.cfg.Buckets {
		fmt.Fprintf(b, "db%d:bucket=%s,mode=%s\r\n", i, name, s.cfg.Mode(name))
	}
}
