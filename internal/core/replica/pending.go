package replica

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A pending record is a record that a node holds in the stead of others, and
// those to which it is owed (paper, sections 4.6 and 5.1; RULES R2: one a key,
// whatever the number of its targets). As stored, version 1:
//
//	byte    1, the version of the form
//	uvarint stamp: the lowest epoch of what the record was made of (RULES E1)
//	uvarint number of targets, in order of their ids; of each
//	          uvarint length, bytes of the id
//	          varint since when it is owed, wall-clock milliseconds
//	4 bytes little-endian CRC-32C of all before
//	bytes   an ordinary record, which has a checksum of its own
const (
	pendingVersion = 1
	leastTarget    = 2
)

// Owed says to whom a pending record is owed, and since when.
type Owed struct {
	Target ring.NodeID
	Since  int64 // wall-clock milliseconds
}

// Owing is what is kept for one node.
type Owing struct {
	Target  ring.NodeID
	Records int
	Bytes   int64 // each record counts for every node it is owed to
	Oldest  int64 // wall-clock milliseconds since when the oldest is owed; 0: none
}

// Add adds a record of size bytes that is owed since then.
func (o *Owing) Add(size int, since int64) {
	o.Records++
	o.Bytes += int64(size)
	if o.Oldest == 0 || since < o.Oldest {
		o.Oldest = since
	}
}

const (
	errPendingShort    DamageError = "pending: cut short"
	errPendingVersion  DamageError = "pending: format is newer than this program, or not a pending record"
	errPendingChecksum DamageError = "pending: checksum does not match: the list of targets is damaged"
)

// DecodePending returns to whom a pending record is owed, its stamp, and the
// record in it, which aliases the input. The record's own checksum is not looked
// at.
func DecodePending(b []byte) (owed []Owed, stamp uint64, record []byte, err error) {
	stamp, at, err := pendingStamp(b)
	if err != nil {
		return nil, 0, nil, err
	}
	n, used := binary.Uvarint(b[at:])
	at += used
	if used <= 0 || n > uint64(len(b)-at)/leastTarget {
		return nil, 0, nil, errPendingShort
	}
	owed = make([]Owed, n)
	for i := range owed {
		length, u := binary.Uvarint(b[at:])
		if u <= 0 || length > uint64(len(b)-at-u) {
			return nil, 0, nil, errPendingShort
		}
		at += u
		owed[i].Target = ring.NodeID(b[at : at+int(length)])
		at += int(length)
		since, u := binary.Varint(b[at:])
		if u <= 0 {
			return nil, 0, nil, errPendingShort
		}
		owed[i].Since = since
		at += u
	}
	if len(b)-at < tailLen {
		return nil, 0, nil, errPendingShort
	}
	if checksum(b[:at]) != binary.LittleEndian.Uint32(b[at:]) {
		return nil, 0, nil, errPendingChecksum
	}
	return owed, stamp, b[at+tailLen:], nil
}

// pendingStamp returns the stamp in a pending record and where the targets begin.
func pendingStamp(b []byte) (stamp uint64, at int, err error) {
	if len(b) < 1 {
		return 0, 0, errPendingShort
	}
	if b[0] != pendingVersion {
		return 0, 0, errPendingVersion
	}
	stamp, used := binary.Uvarint(b[1:])
	if used <= 0 {
		return 0, 0, errPendingShort
	}
	return stamp, 1 + used, nil
}

func newPending(owed []Owed, stamp uint64, record []byte) []byte {
	size := 1 + 2*binary.MaxVarintLen64 + tailLen + len(record)
	for i := range owed {
		size += len(owed[i].Target) + 2*binary.MaxVarintLen64
	}
	b := append(make([]byte, 0, size), pendingVersion)
	b = binary.AppendUvarint(b, stamp)
	b = binary.AppendUvarint(b, uint64(len(owed)))
	for i := range owed {
		b = binary.AppendUvarint(b, uint64(len(owed[i].Target)))
		b = append(b, owed[i].Target...)
		b = binary.AppendVarint(b, owed[i].Since)
	}
	return append(seal(b), record...)
}

// pending is [Replica.Do] for an operation on a pending record.
func (r *Replica) pending(now clock.Now, stored []byte, op *Op, facts *[]fact.Fact) Result {
	c := call{Replica: r, now: now, op: op, facts: facts, live: -1, recovering: r.doubt}
	var owed []Owed
	var res Result
	var err error
	if stored != nil {
		if owed, c.stamp, c.stored, err = DecodePending(stored); err != nil {
			res = c.damaged(err)
			res.Answer.Pending = true
			return res
		}
		c.stamp = r.standing.Of(c.stamp)
	}
	if late, over := c.late(); over {
		late.Answer.Pending = true
		return late
	}
	switch op.Verb {
	case Write, Join:
		res = c.owe(owed)
	case Paid:
		res = c.paid(owed)
	default:
		res = c.do()
	}
	res.Answer.Pending = true
	return res
}

// owe is a Write or a Join on a pending record.
func (c *call) owe(owed []Owed) Result {
	after := slices.Clone(owed)
	for _, t := range c.op.Targets {
		i, found := slices.BinarySearchFunc(after, t, func(o Owed, t ring.NodeID) int { return cmp.Compare(o.Target, t) })
		if !found {
			after = slices.Insert(after, i, Owed{t, c.now.Wall})
		}
	}
	if len(after) == 0 {
		return c.failed(Corrupt) // nobody would ever ask for it
	}
	inner, before := c.stored, c.stamp
	if c.stamp = c.takes(); c.stored != nil {
		c.stamp = min(c.stamp, before)
	}
	res := c.do()
	if res.Answer.Status == Failed || res.Record == nil && len(after) == len(owed) {
		return res
	}
	if res.Record != nil {
		inner = res.Record
	} else {
		c.stamp, res.Answer.Stamp = before, before // nothing was added
	}
	res.Due, res.Crowded = 0, false
	if inner != nil {
		res.Record = newPending(after, c.stamp, inner)
		c.count(fact.Hinted, len(after)-len(owed))
	}
	return res
}

// paid takes targets off the list of those to which a record is owed, if it is
// still the one that they were sent, and forgets a record that is owed to
// nobody, which ends its life (RULES R2).
func (c *call) paid(owed []Owed) Result {
	if c.stored == nil {
		return Result{Answer: c.answer(Absent)}
	}
	state, err := StateOf(c.stored)
	if err != nil {
		return c.damaged(err)
	}
	a := c.answer(Have)
	a.Digest = causal.Digest(state, c.cfg.Seed)
	left := slices.DeleteFunc(slices.Clone(owed), func(o Owed) bool { return slices.Contains(c.op.Targets, o.Target) })
	if a.Digest != c.op.Digest || len(left) == len(owed) {
		return Result{Answer: a}
	}
	a.Found = true
	if len(left) == 0 {
		return Result{Answer: a, Drop: true}
	}
	return Result{Answer: a, Record: newPending(left, c.stamp, c.stored)}
}

// holdsYet reports whether a request id that this replica remembers still
// speaks for what is stored: a pending record may have been handed over and
// forgotten since, also where the key is this node's own by now; an own one may
// have become unreadable. A retry must not be told that it is here.
func (c *call) holdsYet(t tokenDot) bool {
	own := !c.op.Pending && !c.beside && !t.kept
	return own || !t.dot.IsZero() && c.Replica.stored.Covers(t.dot)
}

// Held is a pending record as a scan finds it.
type Held struct {
	Partition uint32
	Key       ring.Key
	Owed      []Owed
	State     []byte // in canonical form
	Digest    causal.Sum
	Stamp     uint64 // its epoch (RULES E1)
	Size      int    // bytes that it takes on disk
}

// Page is what one scan of the pending records found.
type Page struct {
	Held []Held
	// Next is where the next scan goes on; nil: these were the last.
	Next []byte
	// Damaged is how many records in the range could not be read.
	Damaged int
	// Bytes is what all pending records take, and Max their bound; 0: none.
	Bytes, Max int64
	// Err says why the scan ended early, with an engine that failed; Next is
	// then nil.
	Err error
}

// Hold returns a stored pending record as a scan shows it. What it returns
// shares no memory with stored. The error is a [DamageError].
func (r *Replica) Hold(stored []byte) (Held, error) {
	owed, stamp, record, err := DecodePending(stored)
	if err != nil {
		return Held{}, err
	}
	state, err := StateOf(record)
	if err != nil {
		return Held{}, err
	}
	state = slices.Clone(state)
	return Held{
		Owed: owed, State: state, Digest: causal.Digest(state, r.cfg.Seed), Stamp: r.standing.Of(stamp), Size: len(stored),
	}, nil
}
