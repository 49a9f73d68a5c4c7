package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// siblings are versions as the protocol has them; their bytes are not copied.
func siblings(all []ouro.Sibling) []*ourov1.Sibling {
	out := make([]*ourov1.Sibling, len(all))
	for i := range all {
		s := &all[i]
		out[i] = &ourov1.Sibling{
			Value:    &ourov1.Value{Data: s.Data, ContentType: valid(s.ContentType)},
			Modified: timestamp(s.Modified),
			Expires:  timestamp(s.Expires),
		}
	}
	return out
}

// valid is a text as protobuf takes it: other front ends take any bytes.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func typed(t *ouro.Typed) *ourov1.Typed {
	if t == nil {
		return nil
	}
	out := &ourov1.Typed{Kind: kinds.number(t.Kind), Count: t.Count, Expires: timestamp(t.Expires), Elements: make([]*ourov1.Element, len(t.Elements))}
	for i := range t.Elements {
		e := &t.Elements[i]
		out.Elements[i] = &ourov1.Element{Name: []byte(e.Name), Value: e.Value, Score: e.Score}
	}
	return out
}

// receipt says how a result was reached.
func receipt(res *ouro.Result) *ourov1.Receipt {
	out := &ourov1.Receipt{RequestId: valid(res.RequestID), Coordinator: valid(res.Coordinator)}
	if q := &res.Quorum; q.N != 0 {
		out.Quorum = &ourov1.Quorum{
			N: uint32(q.N), R: uint32(q.R), Pr: uint32(q.PR), W: uint32(q.W), Pw: uint32(q.PW), Dw: uint32(q.DW),
			Acks: uint32(q.Acks), Primaries: uint32(q.Primaries), Durable: uint32(q.Durable), Unsettled: q.Unsettled,
		}
	}
	for _, fact := range res.Explain {
		out.Explain = append(out.Explain, valid(fact))
	}
	return out
}

// Bytes that an answer has around each version and element.
const around = 64

// sizeOf is about how many bytes of an answer are versions and elements.
func sizeOf(res *ouro.Result) int {
	size := 0
	for i := range res.Siblings {
		size += len(res.Siblings[i].Data) + around
	}
	if res.Typed != nil {
		for i := range res.Typed.Elements {
			size += len(res.Typed.Elements[i].Name) + len(res.Typed.Elements[i].Value) + around
		}
	}
	return size
}
