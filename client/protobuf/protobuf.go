// Package protobuf lets package client store protocol buffers.
//
//	carts := client.Values[*pb.Cart]{Store: c, Codec: protobuf.Codec[*pb.Cart](), Resolve: merge}
//
// [proto.Merge] makes one message of several that loses no element of a repeated
// field, but of a single field keeps the last: a Resolve that uses it has to want that.
package protobuf

import (
	"google.golang.org/protobuf/proto"

	"github.com/ourodb/ouro/client"
)

// ContentType is what values are stored with.
const ContentType = "application/protobuf"

// Codec is the codec of messages of one type, in the wire format. Equal messages have
// equal bytes as far as one version of the library goes.
func Codec[T proto.Message]() client.Codec[T] {
	return client.Codec[T]{
		ContentType: ContentType,
		Marshal:     func(m T) ([]byte, error) { return proto.MarshalOptions{Deterministic: true}.Marshal(m) },
		Unmarshal: func(b []byte) (T, error) {
			var zero T
			m := zero.ProtoReflect().New().Interface().(T) //nolint:forcetypeassert // a message of its own type
			return m, proto.Unmarshal(b, m)
		},
	}
}
