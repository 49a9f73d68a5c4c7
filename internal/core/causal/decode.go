package causal

import (
	"math"
	"slices"
)

// FormatError says why bytes are not the canonical form of a state.
type FormatError string

func (e FormatError) Error() string { return "causal: state: " + string(e) }

const (
	errCut      FormatError = "cut short or a number is malformed"
	errVersion  FormatError = "format is newer than this program, or not a state"
	errLength   FormatError = "meta section has another length than stated"
	errActors   FormatError = "actors are not sorted"
	errEntry    FormatError = "entry is out of range"
	errVersions FormatError = "versions are not sorted, or not covered by the claims"
	errFlags    FormatError = "version has unknown flags or an empty field"
	errBodies   FormatError = "values have another length than stated"
	errFloor    FormatError = "what is claimed of an actor lies below the prune floor"
)

// The fewest bytes that an actor and a version take in the meta section. They
// bound what is allocated for a count.
const (
	minActor   = 2
	minVersion = 28
)

// DecodeState returns the state whose canonical form b is. It accepts exactly
// what [State.Append] makes; the error is a [FormatError]. Values alias b.
func DecodeState(b []byte) (State, error) {
	var s State
	if err := s.Decode(b); err != nil {
		return State{}, err
	}
	return s, nil
}

// Decode sets s to the state whose canonical form b is, using the memory of s.
// Values alias b. After an error s is of no use but to be decoded into again.
func (s *State) Decode(b []byte) error {
	meta, bodies, err := split(b)
	if err != nil {
		return err
	}
	r := reader{b: meta}
	floor := r.uvarint()
	s.Floor = int64(floor)
	if s.Floor < 0 || s.Floor == math.MaxInt64 { // a time must fit above it
		return errEntry
	}
	if err := s.Claims.decode(&r, true, s.Floor); err != nil {
		return err
	}
	if err := s.decodeVersions(&r, bodies); err != nil {
		return err
	}
	if r.bad {
		return errCut
	}
	if r.left() > 0 {
		return errLength
	}
	return s.checkFloor()
}

// checkFloor refuses claims that would have fallen to the floor.
func (s *State) checkFloor() error {
	if s.Floor == 0 {
		return nil
	}
	for _, e := range s.Vector {
		// Every version's dot is claimed, so where there are as many claims as
		// versions they are the same.
		claimed := uint64(len(exceptionsOf(s.Exceptions, e.Actor)))
		if e.Time <= s.Floor && (e.N > uint64(len(s.Versions)) || e.N+claimed != uint64(len(s.heldOf(e.Actor)))) {
			return errFloor
		}
	}
	return nil
}

// split returns the meta section and the bodies of a canonical form.
func split(b []byte) (meta, bodies []byte, err error) {
	if len(b) == 0 {
		return nil, nil, errCut
	}
	if b[0] != formatVersion {
		return nil, nil, errVersion
	}
	r := reader{b: b, at: 1}
	n := r.uvarint()
	if r.bad || n > uint64(r.left()) {
		return nil, nil, errCut
	}
	end := r.at + int(n)
	return b[r.at:end], b[end:], nil
}

// metaEnd returns where the meta section of a canonical form ends.
func metaEnd(b []byte) int {
	_, bodies, err := split(b)
	if err != nil {
		return len(b)
	}
	return len(b) - len(bodies)
}

func (c *Claims) decode(r *reader, timed bool, base int64) error {
	c.Vector, c.Exceptions = c.Vector[:0], c.Exceptions[:0]
	count := r.count(minActor)
	c.Vector = slices.Grow(c.Vector, count)
	last := Actor{}
	for i := range count {
		header := r.uvarint()
		actor := Actor{last.Run, header >> actorShift}
		if header&sameRun == 0 {
			actor.Run = r.uint64()
			if i > 0 && actor.Run <= last.Run {
				return errActors
			}
		} else if i == 0 || actor.Life <= last.Life {
			return errActors
		}
		last = actor
		e := Entry{Actor: actor, N: r.uvarint()}
		if timed {
			e.Time = base + unzigzag(r.uvarint())
			base = e.Time
		}
		if e.Time < 0 {
			return errEntry
		}
		c.Vector = append(c.Vector, e)
		if header&hasExceptions != 0 {
			if err := c.decodeExceptions(r, actor, e.N); err != nil {
				return err
			}
		} else if e.N == 0 {
			return errEntry
		}
		if r.bad {
			return errCut
		}
	}
	return nil
}

func (c *Claims) decodeExceptions(r *reader, actor Actor, n uint64) error {
	count := r.count(1)
	if count == 0 {
		return errEntry
	}
	c.Exceptions = slices.Grow(c.Exceptions, count)
	last, gap := n, uint64(2)
	for range count {
		d := r.uvarint()
		at := last + gap + d
		if at <= last || at < d || last+gap < last {
			return errEntry
		}
		c.Exceptions = append(c.Exceptions, Dot{actor, at})
		last, gap = at, 1
	}
	return nil
}

func (s *State) decodeVersions(r *reader, bodies []byte) error {
	count := r.count(minVersion)
	if r.bad {
		return errCut
	}
	s.Versions = slices.Grow(s.Versions[:0], count)[:count]
	actors := cursor{claims: &s.Claims}
	for i := range s.Versions {
		v := &s.Versions[i]
		*v = Version{}
		if !actors.seek(r.uvarint()) {
			return errVersions
		}
		v.Dot = Dot{actors.actor, r.uvarint()}
		if v.Dot.N == 0 || !actors.covers(v.Dot) {
			return errVersions
		}
		if i > 0 && s.Versions[i-1].Dot.Compare(v.Dot) >= 0 {
			return errVersions
		}
		if err := v.decode(r); err != nil {
			return err
		}
		n := r.uvarint()
		if r.bad || n > uint64(len(bodies)) {
			return errBodies
		}
		v.Value, bodies = bodies[:n:n], bodies[n:]
	}
	if len(bodies) > 0 {
		return errBodies
	}
	return nil
}

func (v *Version) decode(r *reader) error {
	flags := r.byte()
	if flags >= flagContentType<<1 {
		return errFlags
	}
	v.Deleted = flags&flagDeleted != 0
	v.Stamp = Stamp(r.uint64())
	if flags&flagRequest != 0 {
		v.Request = r.uint64()
	}
	if flags&flagExpiry != 0 {
		v.Expiry = int64(r.uvarint())
	}
	if flags&flagContentType != 0 {
		v.ContentType = contentType(r.bytes(r.uvarint()))
	}
	v.Sum = Sum{r.uint64(), r.uint64()}
	if v.Expiry < 0 || v.flags() != flags {
		return errFlags
	}
	return nil
}

// contentType returns b as a string, without allocating for the usual ones.
func contentType(b []byte) string {
	switch string(b) {
	case "application/octet-stream":
		return "application/octet-stream"
	case "application/json":
		return "application/json"
	case "text/plain":
		return "text/plain"
	case "text/plain; charset=utf-8":
		return "text/plain; charset=utf-8"
	case "application/x-www-form-urlencoded":
		return "application/x-www-form-urlencoded"
	default:
		return string(b)
	}
}
