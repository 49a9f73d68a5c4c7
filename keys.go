package ouro

import (
	"context"
	"strconv"
	"time"
)

// Lister lists the keys of a bucket. Every body of [Store] but the client's plain
// form is one too.
type Lister interface {
	// Keys returns a page of keys. An error means that there is no page; a page
	// that lacks something says so itself.
	Keys(ctx context.Context, bucket string, query KeysQuery) (KeysPage, error)
}

// Cursor is where a list of keys goes on: a position on the ring, so that it means
// the same at every node and after any change of the ring. 0 is the beginning.
type Cursor uint64

// String returns the cursor as a decimal number.
func (c Cursor) String() string { return strconv.FormatUint(uint64(c), 10) }

// ParseCursor reads the text of a cursor.
func ParseCursor(text string) (Cursor, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || text[0] == '+' {
		return 0, Errorf(BadRequest, NotDone, "the cursor %.40q is none: use 0, or what the last page said", text)
	}
	return Cursor(n), nil
}

// Bounds on [KeysQuery.Limit].
const (
	DefaultKeysLimit = 1000
	MaxKeysLimit     = 10_000
)

// KeysQuery says which keys to list.
type KeysQuery struct {
	Prefix  string        // only those that begin with it; "": all
	Cursor  Cursor        // where to go on
	Limit   int           // keys after which a page ends, as soon as it may; 0: [DefaultKeysLimit]
	R       Count         // replicas that must tell what they hold; unset: the bucket's r
	Timeout time.Duration // for each partition; 0: the bucket's
}

// Check fills in how long a page may be where that is left open, and returns an [Error]
// with code [BadRequest] unless such a page of the bucket can be made. How long it may
// take is for the store to judge.
func (q *KeysQuery) Check(bucket string) error {
	if err := ValidateBucket(bucket); err != nil {
		return err
	}
	if q.Limit == 0 {
		q.Limit = DefaultKeysLimit
	}
	switch {
	case q.Limit < 1 || q.Limit > MaxKeysLimit:
		return Errorf(BadRequest, NotDone, "the limit is %d: it is from 1 to %d", q.Limit, MaxKeysLimit)
	case len(q.Prefix) > MaxKeyLen:
		return Errorf(BadRequest, NotDone, "the prefix has %d bytes: a key has at most %d", len(q.Prefix), MaxKeyLen)
	}
	return nil
}

// KeysPage is a page of keys: those in a range of positions that show a value. It
// ends after some number of keys or of partitions looked at, whatever comes first,
// so it may have none though there are more. Keys that begin to exist, or cease to,
// while their page is made may be in it or not.
type KeysPage struct {
	Keys []string // in the order of the ring, which has nothing to do with that of names
	Next Cursor   // of the next page; 0: this was the last
	// Missing are the ranges of which too few replicas told what they hold. There
	// keys may be missing, and ones be shown that were deleted. Of all others a page
	// is complete: it has every key of which a write was acknowledged by so many
	// primaries that r others are one of them (r + w > n), and none that was deleted
	// so. Writes that fallbacks took are there once they are handed over.
	Missing []KeyRange
	// Covered is which share of all positions the page was about, from 0 to 1.
	Covered float64
}

// Complete reports whether nothing is missing.
func (p *KeysPage) Complete() bool { return len(p.Missing) == 0 }

// KeyRange is a range of positions on the ring, both ends included.
type KeyRange struct {
	From Cursor `json:"from"`
	To   Cursor `json:"to"`
	Why  string `json:"why"` // in words
}
