package ouro

import (
	"encoding/base64"
	"time"
)

// Value is what a client stores: opaque bytes with the media type it gave them.
// An empty value is a value.
type Value struct {
	Data        []byte
	ContentType string // kept as given; empty means application/octet-stream
}

// Sibling is one surviving version of an object.
type Sibling struct {
	Value
	// Modified is when the version was written, by the clock of the node that
	// coordinated the write. It informs people; nothing is decided by it.
	Modified time.Time
	// Expires is when the version stops being shown; zero means never.
	Expires time.Time
}

// Context is what a get returns and the next put or delete of the same key
// hands back: it says which versions the client has seen (paper, section 4.1).
// It is opaque, sealed with the cluster's key, and bound to its object key.
type Context []byte

// String returns the context in its textual form, as carried by the
// Ouro-Context header: unpadded URL-safe base64.
func (c Context) String() string { return base64.RawURLEncoding.EncodeToString(c) }

// ParseContext reads the textual form of a context. It returns an [Error] with
// code [BadContext] where text is not such a form; whether the context is
// genuine only a node can tell.
func ParseContext(text string) (Context, error) {
	c, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, Errorf(BadContext, NotDone, "the context is not URL-safe base64: use it exactly as a get returned it")
	}
	return c, nil
}
