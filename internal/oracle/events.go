package oracle

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/ourodb/ouro"
)

// events is a set of writes, by number.
type events map[uint64]bool

func (e events) with(more events) events {
	u := maps.Clone(e)
	maps.Copy(u, more)
	return u
}

// seal writes the set as a context of key: the sorted numbers behind an
// authentication code over them and the key.
func (o *Oracle) seal(key ouro.Key, e events) ouro.Context {
	var body []byte
	for _, n := range slices.Sorted(maps.Keys(e)) {
		body = binary.BigEndian.AppendUint64(body, n)
	}
	return append(o.mac(key, body), body...)
}

// open is the inverse of seal. It refuses what this oracle never gave for key.
func (o *Oracle) open(key ouro.Key, c ouro.Context) (events, error) {
	if c == nil {
		return events{}, nil
	}
	if len(c) < sha256.Size || (len(c)-sha256.Size)%8 != 0 {
		return nil, ouro.Errorf(ouro.BadContext, ouro.NotDone, "the context is malformed: use it exactly as a get returned it")
	}
	mac, body := c[:sha256.Size], c[sha256.Size:]
	if !hmac.Equal(mac, o.mac(key, body)) {
		return nil, ouro.Errorf(ouro.BadContext, ouro.NotDone, "the context was altered or is of another key: use it exactly as a get of this key returned it")
	}
	e := events{}
	for ; len(body) > 0; body = body[8:] {
		e[binary.BigEndian.Uint64(body)] = true
	}
	return e, nil
}

func (o *Oracle) mac(key ouro.Key, body []byte) []byte {
	h := hmac.New(sha256.New, o.secret)
	h.Write([]byte(key.Bucket))
	h.Write([]byte{0})
	h.Write([]byte(key.Name))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}
