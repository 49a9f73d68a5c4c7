package protobuf_test

import (
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/client/protobuf"
	"github.com/ourodb/ouro/internal/oracle"
)

func TestCodec(t *testing.T) {
	// A list whose versions are joined: none loses an element.
	lists := client.Values[*structpb.ListValue]{
		Store: oracle.New(oracle.Config{}), Codec: protobuf.Codec[*structpb.ListValue](),
		Resolve: func(all []*structpb.ListValue) (*structpb.ListValue, error) {
			joined := &structpb.ListValue{}
			for _, l := range all {
				joined.Values = append(joined.Values, l.GetValues()...)
			}
			return joined, nil
		},
	}
	ctx, key := t.Context(), ouro.Key{Bucket: "b", Name: "k"}
	for _, text := range []string{"a", "b"} {
		one := &structpb.ListValue{Values: []*structpb.Value{structpb.NewStringValue(text)}}
		if _, err := lists.Put(ctx, key, one, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := lists.Update(ctx, key, func(l *structpb.ListValue) (*structpb.ListValue, error) {
		l.Values = append(l.Values, structpb.NewNumberValue(1))
		return l, nil
	})
	if err != nil || len(got.GetValues()) != 3 {
		t.Fatalf("%v, %v", got, err)
	}
	again, res, err := lists.Get(ctx, key)
	if err != nil || len(again.GetValues()) != 3 || len(res.Siblings) != 1 || res.Siblings[0].ContentType != protobuf.ContentType {
		t.Errorf("%v, %+v, %v", again, res, err)
	}
	if _, err := lists.Store.Put(ctx, ouro.Key{Bucket: "b", Name: "bad"}, ouro.Value{Data: []byte{0xff}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := lists.Get(ctx, ouro.Key{Bucket: "b", Name: "bad"}); err == nil {
		t.Error("what is no message was decoded")
	}
}

// A key that has nothing begins as a typed nil: update functions get one.
func TestNothingThere(t *testing.T) {
	v := client.Values[*structpb.Struct]{Store: oracle.New(oracle.Config{}), Codec: protobuf.Codec[*structpb.Struct]()}
	_, _, err := v.Update(t.Context(), ouro.Key{Bucket: "b", Name: "k"}, func(s *structpb.Struct) (*structpb.Struct, error) {
		if s != nil {
			t.Errorf("%v", s)
		}
		return structpb.NewStruct(map[string]any{"a": 1})
	})
	if err != nil {
		t.Fatal(err)
	}
}
