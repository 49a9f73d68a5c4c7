package node

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/typed"
)

// checkTyped refuses what can never be done to the keys of a bucket, by its mode.
func (n *Node) checkTyped(r *Request) *ouro.Error {
	bad := func(text string) *ouro.Error { return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s", text) }
	types := n.bucket(r.Key.Bucket).Types
	switch {
	case r.Verb == Update && r.Update == nil:
		return bad("an update says what is to be done")
	case r.Verb == Update && !types:
		return bad("the bucket is not of mode types: make one that is, or put a value")
	case r.Verb == Update:
		if why := typed.Check(r.Update); why != "" {
			return bad(why)
		}
	case r.Verb == Put && types && typed.IsMark(r.ContentType):
		return bad("a content type does not begin with a zero byte")
	}
	return nil
}

// updateOf is a request to a bucket of data types as an update: a plain put assigns
// a register. Nil: it is a delete, which removes what was read.
func updateOf(r *Request) *ouro.Update {
	switch r.Verb {
	case Update:
		return r.Update
	case Put:
		return &ouro.Update{
			Kind: ouro.Register, Act: ouro.Assign, ContentType: r.ContentType, Elements: []ouro.Element{{Value: r.Value}},
		}
	default:
		return nil
	}
}
