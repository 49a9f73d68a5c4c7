package resp

import (
	"iter"
	"slices"
	"strings"
)

func connectionCommands() []command {
	alone := "Concerns this connection alone."
	return []command{
		{name: "auth", arity: -2, open: true, usage: "AUTH [user] password", meaning: "Says who the client is; while the node has no passwords it is an error, as in Redis.", run: auth},
		{name: "client", arity: -2, usage: "CLIENT ID|INFO|LIST|KILL|SETNAME|GETNAME|SETINFO|NO-EVICT|NO-TOUCH|REPLY ON", meaning: "Concerns the connections of this node alone; ids are this node's.", run: client},
		{name: "echo", arity: 2, usage: "ECHO message", meaning: alone, run: func(x *call) { x.reply.bulk(x.args[1]) }},
		{name: "hello", arity: -1, open: true, usage: "HELLO [2|3 [AUTH user password] [SETNAME name]]", meaning: alone, run: hello},
		{name: "ping", arity: -1, usage: "PING [message]", meaning: "This node answers; it says nothing of others.", run: ping},
		{name: "quit", arity: -1, open: true, usage: "QUIT", meaning: alone, run: func(x *call) {
			x.c.ending = true
			x.reply.ok()
		}},
		{name: "reset", arity: 1, open: true, usage: "RESET", meaning: alone, run: func(x *call) {
			x.c.reset()
			x.reply.simple("RESET")
		}},
		{name: "select", arity: 2, usage: "SELECT index", meaning: "Chooses the bucket that resp-buckets has at this place; OURO.BUCKET chooses any by name.", run: selectDB},
	}
}

func ping(x *call) {
	switch len(x.args) {
	case 1:
		x.reply.simple("PONG")
	case 2:
		x.reply.bulk(x.args[1])
	default:
		x.wrongNumber()
	}
}

func selectDB(x *call) {
	n, ok := number(x.args[1])
	switch {
	case !ok:
		x.reply.error("ERR value is not an integer or out of range")
	case n < 0 || n >= len(x.c.cfg.Buckets):
		x.reply.error("ERR DB index is out of range")
	default:
		x.c.choose(n, x.c.cfg.Buckets[n])
		x.reply.ok()
	}
}

// choose makes a bucket that of the connection.
func (c *conn) choose(db int, bucket string) {
	c.db, c.bucket = db, bucket
	c.describe(func(a *about) { a.db = db })
}

func auth(x *call) {
	user, password := "default", x.args[1]
	switch {
	case len(x.args) == 3:
		user, password = string(x.args[1]), x.args[2]
	case len(x.args) > 3:
		x.syntax()
		return
	}
	if x.identify(user, string(password)) {
		x.reply.ok()
	}
}

// identify asks whether a password is right, and answers where it is not.
func (x *call) identify(user, password string) bool {
	c := x.c
	if c.cfg.Auth == nil {
		x.reply.error("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
		return false
	}
	if err := c.cfg.Auth(user, password); err != nil {
		x.reply.error("WRONGPASS invalid username-password pair or user is disabled.")
		return false
	}
	c.known, c.in.limits.stranger = true, false
	c.describe(func(a *about) { a.user = user })
	return true
}

// hello chooses a version of the protocol and says who is here.
func hello(x *call) {
	v3, name := x.c.v3, ""
	rest := x.args[1:]
	if len(rest) > 0 {
		n, ok := number(rest[0])
		if !ok {
			x.reply.error("ERR Protocol version is not an integer or out of range")
			return
		}
		if n != 2 && n != 3 {
			x.reply.error("NOPROTO unsupported protocol version")
			return
		}
		v3, rest = n == 3, rest[1:]
	}
	for len(rest) > 0 {
		switch {
		case is(rest[0], "auth") && len(rest) >= 3:
			if !x.identify(string(rest[1]), string(rest[2])) {
				return
			}
			rest = rest[3:]
		case is(rest[0], "setname") && len(rest) >= 2:
			if name = string(rest[1]); !plainName(name) {
				x.reply.error(errName)
				return
			}
			rest = rest[2:]
		default:
			x.reply.error("ERR Syntax error in HELLO option '" + string(rest[0]) + "'")
			return
		}
	}
	if !x.c.known {
		x.reply.error("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time")
		return
	}
	x.welcome(v3, name)
}

func (x *call) welcome(v3 bool, name string) {
	proto := 2
	if v3 {
		proto = 3
	}
	x.c.v3, x.reply.v3 = v3, v3
	x.c.describe(func(a *about) {
		if a.proto = proto; name != "" {
			a.name = name
		}
	})
	r := &x.reply
	r.mapping(7)
	r.text("server")
	r.text("redis")
	r.text("version")
	r.text(redisVersion)
	r.text("proto")
	r.int(int64(proto))
	r.text("id")
	r.int(x.c.id)
	r.text("mode")
	r.text("standalone")
	r.text("role")
	r.text("master")
	r.text("modules")
	r.array(0)
}

// redisVersion is the version of Redis whose words the commands have.
const redisVersion = "7.2.0"

const errName = "ERR Client names cannot contain spaces, newlines or special characters."

// plainName says whether a client may call itself so.
func plainName(s string) bool {
	return len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
}

func sorted(s iter.Seq[string]) []string { return slices.Sorted(s) }
