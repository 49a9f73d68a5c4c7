package resp

import (
	"fmt"
	"strings"
	"time"
)

// client is the CLIENT command.
func client(x *call) {
	r := &x.reply
	args := x.args[2:]
	switch what := lower(x.args[1]); {
	case what == "id" && len(args) == 0:
		r.int(x.c.id)
	case what == "info" && len(args) == 0:
		r.verbatim(x.c.line())
	case what == "getname" && len(args) == 0:
		if name := x.c.about().name; name != "" {
			r.text(name)
		} else {
			r.null()
		}
	case what == "setname" && len(args) == 1:
		if name := string(args[0]); plainName(name) {
			x.c.describe(func(a *about) { a.name = name })
			r.ok()
		} else {
			r.error(errName)
		}
	case what == "setinfo" && len(args) == 2:
		setInfo(x, lower(args[0]), string(args[1]))
	case what == "list":
		listClients(x, args)
	case what == "kill" && len(args) > 0:
		killClients(x, args)
	case (what == "no-evict" || what == "no-touch") && len(args) == 1 && (is(args[0], "on") || is(args[0], "off")):
		r.ok() // nothing is evicted, and no touch is noted
	case what == "reply" && len(args) == 1 && is(args[0], "on"):
		r.ok()
	case what == "reply", what == "pause", what == "unpause", what == "tracking", what == "caching", what == "unblock":
		r.error("ERR 'client|" + what + "' is not supported: every command is answered, nothing blocks, and no node knows who read what")
	default:
		r.error(fmt.Sprintf("ERR unknown subcommand or wrong number of arguments for '%.128s'. Try COMMAND DOCS CLIENT.", what))
	}
}

func setInfo(x *call, what, value string) {
	if !plainName(value) {
		x.reply.error("ERR " + what + " cannot contain spaces, newlines or special characters.")
		return
	}
	switch what {
	case "lib-name":
		x.c.describe(func(a *about) { a.lib = value })
	case "lib-ver":
		x.c.describe(func(a *about) { a.libVersion = value })
	default:
		x.reply.error("ERR Unrecognized option '" + what + "'")
		return
	}
	x.reply.ok()
}

// about returns what the client said of itself.
func (c *conn) about() about {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown
}

// line describes the connection as CLIENT LIST does.
func (c *conn) line() string {
	a := c.about()
	age := time.Since(c.since)
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=0 name=%s age=%d idle=%d flags=N db=%d sub=0 psub=0 multi=-1 user=%s resp=%d lib-name=%s lib-ver=%s\n",
		c.id, c.nc.RemoteAddr(), c.nc.LocalAddr(), a.name, int(age.Seconds()), int((age - time.Duration(c.last.Load())).Seconds()), a.db, a.user, a.proto, a.lib, a.libVersion)
}

func listClients(x *call, args [][]byte) {
	wanted := map[int64]bool{}
	switch {
	case len(args) == 0:
	case len(args) == 2 && is(args[0], "type"):
		if !is(args[1], "normal") {
			x.reply.verbatim("")
			return
		}
	case len(args) > 1 && is(args[0], "id"):
		for _, a := range args[1:] {
			id, ok := integer(a)
			if !ok || id < 1 {
				x.reply.error("ERR Invalid client ID")
				return
			}
			wanted[id] = true
		}
	default:
		x.syntax()
		return
	}
	var b strings.Builder
	for _, c := range x.c.clients() {
		if len(wanted) == 0 || wanted[c.id] {
			b.WriteString(c.line())
		}
	}
	x.reply.verbatim(b.String())
}

// killClients ends connections: by address in the old form, or by filters.
func killClients(x *call, args [][]byte) {
	old := len(args) == 1
	skipMe, id, addr, user := true, int64(0), "", ""
	if old {
		addr, skipMe = string(args[0]), false
	}
	for rest := args; !old && len(rest) > 0; rest = rest[2:] {
		if len(rest) == 1 {
			x.syntax()
			return
		}
		value := string(rest[1])
		switch lower(rest[0]) {
		case "id":
			var ok bool
			if id, ok = integer(rest[1]); !ok || id < 1 {
				x.reply.error("ERR client-id should be greater than 0")
				return
			}
		case "addr":
			addr = value
		case "user":
			user = value
		case "skipme":
			skipMe = !strings.EqualFold(value, "no")
		default:
			x.syntax()
			return
		}
	}
	killed := 0
	for _, c := range x.c.clients() {
		if c == x.c && skipMe || id != 0 && c.id != id || addr != "" && c.nc.RemoteAddr().String() != addr || user != "" && c.about().user != user {
			continue
		}
		x.c.cfg.Dropped("killed")
		c.interrupt()
		killed++
	}
	switch {
	case !old:
		x.reply.int(int64(killed))
	case killed == 0:
		x.reply.error("ERR No such client")
	default:
		x.reply.ok()
	}
}
