package ouro

import (
	"context"
	"time"
)

// Updater is a [Store] whose nodes merge what clients write to buckets of mode
// types. Every key of such a bucket may hold any of the types: a register (what a
// plain Put stores), a counter, a set, a map, or a sorted set.
//
// An update is decided by the node that coordinates it, on what that node has
// stored: whether a condition holds, what is new, what is removed. It then merges
// at every replica with all that other nodes took at once, in any order, and
// nothing that was acknowledged is lost but to a removal that had seen it. So a
// condition ([IfAbsent] and the like) is a courtesy and not a lock: two nodes may
// both find the key absent at once.
//
// A front end sends one Update for a command and answers from the Result, which
// is of the coordinator's record just after it: Changed for commands that answer
// how many elements are new or gone (SADD, HSET, SREM, SETNX), Typed for those
// that answer a value (INCR, HINCRBY, ZINCRBY). A plain Put replaces what the
// coordinator holds, of whatever type, a plain Delete what a get shows.
type Updater interface {
	// Update carries out u. It is refused as [WrongType] where the key shows
	// another type; as [BadRequest] where the bucket is not of mode types, or where
	// what is to be incremented is no number or would not fit; as [TooLarge] where
	// the key would outgrow its bounds.
	//
	// A context narrows what an update of elements takes away to those that the
	// context's get showed. Repeated under the request id of an earlier
	// one, an update is not carried out again; Changed is then 0.
	Update(ctx context.Context, key Key, u Update, opts ...Option) (Result, error)
}

// Kind names a data type.
type Kind string

// The data types.
const (
	Register  Kind = "register"   // one value; of concurrent ones the last written is shown
	Counter   Kind = "counter"    // a signed 64-bit number; increments add up
	Set       Kind = "set"        // members; an addition wins over a concurrent removal
	Map       Kind = "map"        // fields, each a register or a counter
	SortedSet Kind = "sorted_set" // members with a score each, in order of scores
)

// Act is what an [Update] does.
type Act string

// The acts, and which parts of an [Element] each uses.
const (
	// Assign stores: a register's Value; the members of a set (Name); the fields of
	// a map (Name, Value); the members of a sorted set (Name, Score). What the
	// coordinator holds under the same names is replaced; of a register, all that
	// it holds of the key.
	Assign Act = "assign"
	// Remove removes the named elements of a set, a map or a sorted set, as far as
	// the coordinator holds them.
	Remove Act = "remove"
	// Increment adds By to a counter (one element, no Name) or to fields of a map,
	// and Score to the scores of a sorted set. What is absent counts as 0, and an
	// integer in decimal is a number, as it is for Redis.
	Increment Act = "increment"
	// Expire sets when the whole key stops being shown, whatever its type: Expires,
	// or never where that is zero. Changed is 1 where the key was there.
	Expire Act = "expire"
)

// Condition is what has to hold of an element, as its coordinator sees it, or the
// element is left as it is and not counted in Changed.
type Condition string

// The conditions. Of a register the element is the whole key.
const (
	Always    Condition = ""
	IfAbsent  Condition = "absent"
	IfPresent Condition = "present"
	IfGreater Condition = "greater" // the new score is greater than the old, or there is none
	IfLess    Condition = "less"    // likewise
)

// Update is one operation on a key of a bucket of mode types. Its bounds are those
// of a value: what it carries counts as one.
type Update struct {
	Kind     Kind
	Act      Act
	If       Condition // of Assign and Increment
	Elements []Element // at most [MaxElements], no two of one name
	// ContentType is that of a register's value.
	ContentType string
	// Expires is when the key is shown no longer, of Expire. An Assign of a register
	// takes [TTL], and so does any update that finds nothing under the key.
	Expires time.Time
	// Keep: an Assign of a register leaves the key's expiry as it is.
	Keep bool
}

// MaxElements is how many elements one update may name.
const MaxElements = 10_000

// Element is one element of a typed value, or of an update of one.
type Element struct {
	Name  string  // any bytes: a member, or a field
	Value []byte  // of a field, or a register
	Score float64 // of a sorted set's member; never NaN
	By    int64   // of an Increment
}

// Typed is what a key of a bucket of mode types shows where it is no plain
// register: that is one sibling, as in other buckets.
type Typed struct {
	Kind  Kind
	Count int64 // of a counter
	// Elements are sorted by name, those of a sorted set by score and then by name.
	// After an update they are those that it named and that are there now.
	Elements []Element
	// Expires is when the key stops being shown; zero means never.
	Expires time.Time
}
