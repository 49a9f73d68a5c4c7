package typed

import (
	"encoding/binary"
	"math"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

// An element is a version whose content type is a mark of two bytes, the first of
// them zero. Its value, by the second:
//
//	c  varint   the sum of one actor's increments of the key's counter
//	s  bytes    a member of a set
//	m  name, then bytes    a field of a map; a name is its length, uvarint, and its bytes
//	n  name, then varint   the sum of one actor's increments of a field
//	z  8 bytes big-endian, the bits of a score, then bytes    a member of a sorted set
//	y  likewise            the sum of one actor's increments of a member's score
//	e  varint   from which wall-clock millisecond the key is not shown
//	C  N  Y     a dot, then as c, n and y: what other actors had added, kept with the
//	            share under that dot (see [Fold]). A dot is the run and the life of its
//	            actor, 8 bytes big-endian each, and its number, uvarint
//
// A version with any other content type is a register's value.
const (
	markShare      = "\x00c"
	markMember     = "\x00s"
	markField      = "\x00m"
	markFieldShare = "\x00n"
	markScored     = "\x00z"
	markScoreShare = "\x00y"
	markExpiry     = "\x00e"

	markFolded      = "\x00C"
	markFieldFolded = "\x00N"
	markScoreFolded = "\x00Y"
)

// folded says of which mark a folded one is; "": it is none.
func folded(mark string) string {
	switch mark {
	case markFolded:
		return markShare
	case markFieldFolded:
		return markFieldShare
	case markScoreFolded:
		return markScoreShare
	default:
		return ""
	}
}

// IsMark reports whether a content type is kept for elements: no client may give
// it to a value of its own.
func IsMark(contentType string) bool { return contentType != "" && contentType[0] == 0 }

// item is a version as an element. Value aliases the version.
type item struct {
	kind    ouro.Kind // Register also of a counter's shares; "": an expiry
	name    string
	share   bool
	with    causal.Dot // of a share that holds those of others: it counts while this one is there
	value   []byte
	sum     int64
	score   float64
	version *causal.Version
}

// read returns what a version is. One that is damaged within is a register's value:
// it is shown as it is rather than lost.
func read(v *causal.Version) item {
	it := item{version: v, kind: ouro.Register, value: v.Value}
	if !IsMark(v.ContentType) {
		return it
	}
	if e, ok := parse(v.ContentType, v.Value); ok {
		e.version = v
		return e
	}
	return it
}

func parse(mark string, b []byte) (it item, ok bool) {
	var with causal.Dot
	if plain := folded(mark); plain != "" {
		if with, b, ok = cutDot(b); !ok {
			return it, false
		}
		it, ok = parse(plain, b)
		it.with = with
		return it, ok
	}
	switch mark {
	case markMember:
		return item{kind: ouro.Set, name: string(b)}, true
	case markScored, markScoreShare:
		if len(b) < 8 {
			return it, false
		}
		it = item{kind: ouro.SortedSet, share: mark == markScoreShare, name: string(b[8:])}
		it.score = math.Float64frombits(binary.BigEndian.Uint64(b))
		return it, it.score == it.score
	case markField, markFieldShare:
		it.kind = ouro.Map
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return it, false
		}
		it.name, it.value = string(b[used:used+int(n)]), b[used+int(n):]
		if mark == markField {
			return it, true
		}
	case markShare:
		it.kind, it.value = ouro.Register, b
	case markExpiry:
		it.value = b
	default:
		return it, false
	}
	var used int
	it.share = mark != markExpiry
	it.sum, used = binary.Varint(it.value)
	return it, used == len(it.value) && used > 0
}

// cutDot reads the dot before a share.
func cutDot(b []byte) (d causal.Dot, rest []byte, ok bool) {
	if len(b) < 16 {
		return d, nil, false
	}
	d.Actor = causal.Actor{Run: binary.BigEndian.Uint64(b), Life: binary.BigEndian.Uint64(b[8:])}
	n, used := binary.Uvarint(b[16:])
	if used <= 0 || n == 0 {
		return d, nil, false
	}
	d.N = n
	return d, b[16+used:], true
}

// foldedForm is form of a share that holds those of others.
func (it *item) foldedForm() (mark string, value []byte) {
	plain := *it
	plain.with = causal.Dot{}
	mark, value = plain.form()
	head := binary.BigEndian.AppendUint64(make([]byte, 0, 26+len(value)), it.with.Actor.Run)
	head = binary.AppendUvarint(binary.BigEndian.AppendUint64(head, it.with.Actor.Life), it.with.N)
	marks := map[string]string{markShare: markFolded, markFieldShare: markFieldFolded, markScoreShare: markScoreFolded}
	return marks[mark], append(head, value...)
}

// form returns the content type and the value of the version that is an element.
func (it *item) form() (mark string, value []byte) {
	switch {
	case !it.with.IsZero():
		return it.foldedForm()
	case it.kind == "":
		return markExpiry, binary.AppendVarint(nil, it.sum)
	case it.kind == ouro.Set:
		return markMember, []byte(it.name)
	case it.kind == ouro.SortedSet:
		value = binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(it.name)), math.Float64bits(it.score))
		value = append(value, it.name...)
		if it.share {
			return markScoreShare, value
		}
		return markScored, value
	case it.kind == ouro.Map:
		value = binary.AppendUvarint(make([]byte, 0, 2*binary.MaxVarintLen32+len(it.name)+len(it.value)), uint64(len(it.name)))
		value = append(value, it.name...)
		if it.share {
			return markFieldShare, binary.AppendVarint(value, it.sum)
		}
		return markField, append(value, it.value...)
	default:
		return markShare, binary.AppendVarint(nil, it.sum)
	}
}
