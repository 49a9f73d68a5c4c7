package rpc

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// codec is that of protobuf, but for updates: an empty element takes two bytes of
// a message and a hundred of memory, so one of two mebibytes would take fifty
// times its size. Of more elements than any update may name it reads one, by which
// the update is refused, and nothing that follows.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Marshal implements [encoding.CodecV2].
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	h, ok := v.(*handed)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	data, err := c.CodecV2.Marshal(h.message)
	if err != nil {
		h.conn.took(h.size)
		return nil, err
	}
	return h.told(data), nil
}

// Unmarshal implements [encoding.CodecV2].
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if _, ok := v.(*ourov1.UpdateRequest); !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	raw := whole.ReadOnlyData()
	return c.CodecV2.Unmarshal(mem.BufferSlice{mem.SliceBuffer(raw[:end(raw)])}, v)
}

// elementsField is the number of UpdateRequest.elements.
const elementsField = 5

// end returns where to stop reading an update: behind the first element too many,
// else at its end. Of a malformed one all is read, and refused.
func end(raw []byte) int {
	elements := 0
	for at := 0; at < len(raw); {
		number, _, n := protowire.ConsumeField(raw[at:])
		if n < 0 {
			return len(raw)
		}
		at += n
		if number == elementsField {
			if elements++; elements > ouro.MaxElements {
				return at
			}
		}
	}
	return len(raw)
}
