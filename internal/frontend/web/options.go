package web

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
)

// requestID returns the client's own id of the request, or a fresh one, and
// whether no request of this id was sent before. A bad one is replaced, so that
// the refusal has an id too.
func requestID(h http.Header, most int) (id string, first bool, err error) {
	given, ok := h[headerRequestID]
	if !ok {
		return drawID(), true, nil
	}
	id = given[0]
	if len(given) > 1 || id == "" || len(id) > most || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return drawID(), true, ouro.Errorf(ouro.BadRequest, ouro.NotDone,
			"Ouro-Request-Id is given once and has 1 to %d characters from ! to ~ without spaces", most)
	}
	first, err = firstAttempt(h)
	return id, first, err
}

// maxAttempt bounds what a client may count up to.
const maxAttempt = 1_000_000

// firstAttempt says whether the client says that it sends the request for the
// first time. One that says nothing may be repeating it.
func firstAttempt(h http.Header) (bool, error) {
	given, ok := h[headerAttempt]
	if !ok {
		return false, nil
	}
	n, err := strconv.Atoi(given[0])
	if err != nil || len(given) > 1 || n < 1 || n > maxAttempt || given[0][0] == '+' {
		return false, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "Ouro-Attempt is given once and is a whole number from 1 to %d", maxAttempt)
	}
	return n == 1, nil
}

// drawID draws 128 bits: no two requests ever meet in one.
func drawID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], rand.Uint64())
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// readOptions reads the context and the query parameters.
func (x *exchange) readOptions() error {
	if given, ok := x.r.Header[headerContext]; ok {
		if len(given) > 1 {
			return ouro.Errorf(ouro.BadContext, ouro.NotDone, "Ouro-Context is given %d times: give the one of the last get", len(given))
		}
		c, err := ouro.ParseContext(given[0])
		if err != nil {
			return err
		}
		if len(c) == 0 {
			return ouro.Errorf(ouro.BadContext, ouro.NotDone, "Ouro-Context is empty: leave the header out to write without a context")
		}
		x.opts.Context = c
	}
	return x.readQuery(x.r.URL.RawQuery)
}

// readQuery reads the parameters by hand: there are few, and each must be known
// and given once.
func (x *exchange) readQuery(query string) error {
	seen := 0
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the query parameter %.40q is not percent-encoded", pair)
		}
		bit, err := x.setParameter(name, value)
		if err != nil {
			return err
		}
		if seen&bit != 0 {
			return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the query parameter %s is given twice", name)
		}
		seen |= bit
	}
	return nil
}

// setParameter sets what one parameter says and returns the bit that stands for
// it.
func (x *exchange) setParameter(name, value string) (bit int, err error) {
	o := &x.opts
	switch name {
	case "r":
		return 1, setCount(&o.R, name, value, 1)
	case "w":
		return 2, setCount(&o.W, name, value, 1)
	case "pr":
		return 4, setCount(&o.PR, name, value, 0)
	case "pw":
		return 8, setCount(&o.PW, name, value, 0)
	case "dw":
		return 16, setCount(&o.DW, name, value, 0)
	case "timeout":
		return 32, x.setTimeout(value)
	case "explain":
		return 64, setBool(&o.Explain, name, value)
	case "local":
		if x.r.Method != http.MethodGet {
			return 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "local is for a get: a write has a coordinator")
		}
		return 256, x.setLocal(value)
	case "ttl":
		return 128, x.setTTL(value)
	default:
		return 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the query parameter %.40q is unknown: known are r, w, pr, pw, dw, timeout, ttl, explain and local", name)
	}
}

// maxCount bounds the number of digits, not the number of replicas: that is n,
// which only the store knows.
const maxCount = 999

func setCount(c *ouro.Count, name, value string, least int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > maxCount || value[0] == '+' {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s=%.40s: it is a whole number from %d to the bucket's n", name, value, least)
	}
	*c = ouro.Count{N: n, Set: true}
	return nil
}

func (x *exchange) setTimeout(value string) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Millisecond || d > x.cfg.MaxTimeout {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "timeout=%.40s: it is a duration such as 500ms or 2s, from 1ms to %v", value, x.cfg.MaxTimeout)
	}
	x.opts.Timeout = d
	return nil
}

// longestTTL is the longest that a store takes.
const longestTTL = 100 * 365 * 24 * time.Hour

// setTTL sets for how long what is written is shown. Whatever the bucket says, "never"
// is for ever.
func (x *exchange) setTTL(value string) error {
	if value == "never" {
		x.opts.TTL = -1
		return nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Millisecond || d > longestTTL {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "ttl=%.40s: it is a duration such as 90s or 24h, from 1ms to a hundred years, or never", value)
	}
	x.opts.TTL = d
	return nil
}

// setLocal has the node's own copy answer a get, with all of it or its digest alone.
func (x *exchange) setLocal(value string) error {
	x.local, x.digest = value != "false", value == "digest"
	if value != "true" && value != "digest" && value != "false" {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "local=%.40s: it is true, digest or false", value)
	}
	return nil
}

func setBool(b *bool, name, value string) error {
	switch value {
	case "true":
		*b = true
	case "false":
		*b = false
	default:
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s=%.40s: it is true or false", name, value)
	}
	return nil
}
