package transport

import (
	"net"
	"slices"
)

// lobby holds the accepted connections whose handshake is under way. Where it is full
// the one that has said nothing for longest makes room: a member says who it is at
// once, so that no number of mute connections keeps one out.
type lobby struct {
	most   int
	guests []*guest // in the order they came
}

type guest struct {
	conn   net.Conn
	known  bool // it has said who it is, and is being judged
	ousted bool // it made room for another
}

// enter lets a connection in, unless all that are there are being judged. Out, where
// set, made room for it and must be closed.
func (l *lobby) enter(conn net.Conn) (in, out *guest) {
	if len(l.guests) >= l.most {
		i := slices.IndexFunc(l.guests, func(g *guest) bool { return !g.known })
		if i < 0 {
			return nil, nil
		}
		out = l.guests[i]
		out.ousted = true
		l.guests = slices.Delete(l.guests, i, i+1)
	}
	in = &guest{conn: conn}
	l.guests = append(l.guests, in)
	return in, out
}

// leave takes a connection out whose handshake has ended.
func (l *lobby) leave(g *guest) {
	l.guests = slices.DeleteFunc(l.guests, func(other *guest) bool { return other == g })
}
