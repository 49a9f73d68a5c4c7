package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

func nodeID(id string) ring.NodeID { return ring.NodeID(id) }

// ParseMembers reads a static list of members: id=host:port, separated by
// commas, each with what places it after semicolons where it is not the default:
//
//	n1=10.0.0.1:7071;zone=a,n2=10.0.0.2:7071;zone=b;dc=east;weight=2
func ParseMembers(text string) ([]member.Member, error) {
	var members []member.Member
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		m, err := parseMember(part)
		if err != nil {
			return nil, err
		}
		for _, other := range members {
			if other.ID == m.ID {
				return nil, fmt.Errorf("member %s is listed twice: give each member its own id", m.ID)
			}
			if other.Addr == m.Addr {
				return nil, fmt.Errorf("members %s and %s have the same address %s: give each its own", other.ID, m.ID, m.Addr)
			}
		}
		members = append(members, m)
	}
	return members, nil
}

func parseMember(text string) (member.Member, error) {
	m := member.Member{Node: ring.Node{Weight: 1}}
	fields := strings.Split(text, ";")
	id, addr, ok := strings.Cut(fields[0], "=")
	if !ok {
		return m, fmt.Errorf("member %q: write id=host:port, such as n1=10.0.0.1:7071", text)
	}
	m.ID, m.Addr = ring.NodeID(strings.TrimSpace(id)), strings.TrimSpace(addr)
	if err := checkAddr(m.Addr); err != nil {
		return m, fmt.Errorf("member %q: %s", text, bare(err))
	}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "zone":
			m.Zone = value
		case "dc":
			m.DC = value
		case "weight":
			w, err := strconv.Atoi(value)
			if err != nil || w < 1 {
				return m, fmt.Errorf("member %q: weight %q is not a whole number from 1", text, value)
			}
			m.Weight = w
		default:
			return m, fmt.Errorf("member %q: unknown attribute %q: there are zone, dc and weight", text, name)
		}
	}
	if err := m.Check(); err != nil {
		return m, fmt.Errorf("member %q: %s", text, bare(err))
	}
	return m, nil
}

// FormatMembers is the inverse of [ParseMembers].
func FormatMembers(members []member.Member) string {
	var b strings.Builder
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=%s", m.ID, m.Addr)
		if m.Zone != "" {
			b.WriteString(";zone=" + m.Zone)
		}
		if m.DC != "" {
			b.WriteString(";dc=" + m.DC)
		}
		if m.Weight > 1 {
			b.WriteString(";weight=" + strconv.Itoa(m.Weight))
		}
	}
	return b.String()
}

// checkAddr wants host:port.
func checkAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not host:port, such as 127.0.0.1:7071", addr)
	}
	if strings.ContainsAny(host, ",; =/\"") {
		return fmt.Errorf("%q is not host:port: the host has a character no host has", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q: the port is a number from 0 to 65535", addr)
	}
	return nil
}

// Dialable reports whether other machines can dial an address that is said to be a
// node's own: one that a listener takes for all interfaces, or for any port, they can't.
func Dialable(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "0" || host == "" {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsUnspecified()
}

// onLoopback reports whether only this machine can reach a listener at addr.
func onLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// anyPort reports whether an address asks for a free port.
func anyPort(addr string) bool {
	_, port, _ := net.SplitHostPort(addr)
	return port == "0"
}
