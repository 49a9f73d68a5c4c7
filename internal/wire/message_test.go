package wire

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestEveryMessageSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawMessage(t)
		prefix := drawBytes(t, "prefix")
		body := AppendMessage(append([]byte(nil), prefix...), &want)
		if !bytes.HasPrefix(body, prefix) {
			t.Fatal("what was there before the message is gone")
		}
		body = body[len(prefix):]
		got, err := DecodeMessage(body)
		if err != nil {
			t.Fatalf("%v for %+v", err, want)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("decoded\n%+v\nnot\n%+v", got, want)
		}
		if p, ok := PartitionOf(body); !ok || p != want.Partition {
			t.Fatalf("partition %d %v, not %d", p, ok, want.Partition)
		}
	})
}

func TestFactsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawSlice(t, "facts", drawFact)
		got, err := DecodeFacts(AppendFacts(nil, want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("decoded %v, %v, not %v", got, err, want)
		}
	})
}

// A field added to a message and forgotten here would be lost in silence, so
// every field is filled in by reflection.
func TestNoFieldIsForgotten(t *testing.T) {
	for kind := node.KindAsk; kind <= node.KindEpochs; kind++ {
		want := node.Message{Kind: kind, Partition: 5, Number: 6}
		switch kind {
		case node.KindAsk:
			fill(t, reflect.ValueOf(&want.Op).Elem())
			want.Op.Partition = want.Partition
			want.Op.Key = ring.NewKey("bucket", "name")
			want.Op.Kept, want.Op.Alone = false, false // for the own storage only
			want.Op.Background, want.Op.Dots = false, nil
		case node.KindAnswer:
			fill(t, reflect.ValueOf(&want.Answer).Elem())
			want.Answer.Rotten = nil // for its own node only
			want.Answer.Alone = 0    // a Write is never asked of a peer
			want.Answer.Updated = nil
		case node.KindForward:
			want.Request = &node.Request{}
			fill(t, reflect.ValueOf(want.Request).Elem())
			want.Request.Key = ring.NewKey("bucket", "name")
			want.Request.Whole, want.Request.Record, want.Request.Local = false, nil, false // never forwarded
		case node.KindReturn:
			want.Reply = &node.Reply{}
			fill(t, reflect.ValueOf(want.Reply).Elem())
			want.Reply.Record, want.Reply.Local = nil, nil // likewise
		case node.KindSurvey:
			want.Survey = &replica.Survey{}
			fill(t, reflect.ValueOf(want.Survey).Elem())
			want.Survey.Partition, want.Survey.Look = want.Partition, replica.Names // of which all is sent
		case node.KindFound:
			want.Found = &replica.Found{}
			fill(t, reflect.ValueOf(want.Found).Elem())
			want.Found.Number = 0   // the message has it
			want.Found.Rotten = nil // for its own node only
		case node.KindEpochs:
			want.Show = &reap.Show{}
			fill(t, reflect.ValueOf(want.Show).Elem())
		}
		got, err := DecodeMessage(AppendMessage(nil, &want))
		if err != nil {
			t.Fatalf("kind %d: %v", kind, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("kind %d: decoded\n%+v %+v %+v\nnot\n%+v %+v %+v", kind, got, got.Reply, got.Show, want, want.Reply, want.Show)
		}
	}
}

// fill sets every field of v to something that is not its zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.String:
		v.SetString("text")
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[timeType]() {
			v.Set(reflect.ValueOf(goldenTime))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a field of kind %v: say how to fill it", v.Kind())
	}
}

func TestTailOfLaterVersionsIsSkipped(t *testing.T) {
	for name, want := range goldenMessages() {
		body := AppendMessage(nil, &want)
		body = append(body[:len(body)-1], 3, 'n', 'e', 'w')
		got, err := DecodeMessage(body)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: decoded %+v, %v", name, got, err)
		}
	}
}

func TestCutMessagesAreRefused(t *testing.T) {
	for name, m := range goldenMessages() {
		body := AppendMessage(nil, &m)
		for n := range body {
			if _, err := DecodeMessage(body[:n:n]); err == nil {
				t.Errorf("%s: the first %d of %d bytes were taken for a message", name, n, len(body))
			}
		}
		if _, err := DecodeMessage(append(body, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s and a byte: %v", name, err)
		}
	}
}

func TestUnknownIsRefusedByName(t *testing.T) {
	ask := goldenMessages()["ask-join"]
	kind := AppendMessage(nil, &ask)
	kind[0] = 200
	if _, err := DecodeMessage(kind); !errors.Is(err, ErrKind) {
		t.Errorf("unknown kind: %v", err)
	}
	version := AppendMessage(nil, &node.Message{Kind: node.KindAnswer, Partition: 1})
	version[2] = Version + 1
	if _, err := DecodeMessage(version); !errors.Is(err, ErrVersion) {
		t.Errorf("unknown version: %v", err)
	}
	flags := AppendMessage(nil, &node.Message{Kind: node.KindForward, Partition: 1, Request: &node.Request{Key: ring.NewKey("b", "k")}})
	flags[6] |= 0x80 // kind, partition, version, epoch, ticket, verb
	if _, err := DecodeMessage(flags); !errors.Is(err, ErrMalformed) {
		t.Errorf("unknown flag: %v", err)
	}
	if _, ok := PartitionOf([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}); ok {
		t.Error("a partition over 32 bits was taken")
	}
	if _, ok := PartitionOf([]byte{1}); ok {
		t.Error("a partition was found in one byte")
	}
}

func TestKeysThatNameNothingAreRefused(t *testing.T) {
	long := string(make([]byte, 1025))
	for _, key := range []ring.Key{{Bucket: "", Name: "k"}, {Bucket: "b", Name: ""}, {Bucket: "b", Name: long}, {Bucket: long[:65], Name: "k"}} {
		for _, m := range []node.Message{
			{Kind: node.KindAsk, Op: goldenOp(key)},
			{Kind: node.KindForward, Request: &node.Request{Verb: node.Get, Key: key}},
		} {
			if _, err := DecodeMessage(AppendMessage(nil, &m)); !errors.Is(err, ErrMalformed) {
				t.Errorf("kind %d with bucket of %d and name of %d bytes: %v", m.Kind, len(key.Bucket), len(key.Name), err)
			}
		}
	}
}

// Whoever lies about a length must not make the receiver allocate for it.
func TestLengthsDoNotAllocate(t *testing.T) {
	huge := appendUvarint(nil, 1<<40)
	for name, body := range map[string][]byte{
		"facts":    append([]byte(nil), huge...),
		"roots":    append([]byte{byte(node.KindFound), 0, Version, 0, 1, 1, 1, 0, 0, 0, 0}, huge...),
		"siblings": append([]byte{byte(node.KindReturn), 0, Version, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, huge...),
	} {
		read := func() { _, _ = DecodeMessage(body) }
		if name == "facts" {
			read = func() { _, _ = DecodeFacts(body) }
		}
		const times = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			read()
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 4096 {
			t.Errorf("%s: %d bytes allocated for a lie of %d", name, each, len(body))
		}
	}
}

// Names that no bucket and no key may have would not fit into an engine key.
func TestSurveysOfNothingAreRefused(t *testing.T) {
	for _, s := range []replica.Survey{
		{Look: replica.Parts, Bucket: string(make([]byte, 65))},
		{Look: replica.Roots, After: string(make([]byte, 65))},
		{Look: replica.Keys, Bucket: "b", After: string(make([]byte, 1025))},
	} {
		m := node.Message{Kind: node.KindSurvey, Survey: &s}
		if _, err := DecodeMessage(AppendMessage(nil, &m)); !errors.Is(err, ErrMalformed) {
			t.Errorf("look %d with names of %d and %d bytes: %v", s.Look, len(s.Bucket), len(s.After), err)
		}
	}
}

func TestDecodingCopiesNothing(t *testing.T) {
	m := goldenMessages()["ask-join"]
	body := AppendMessage(nil, &m)
	if n := testing.AllocsPerRun(100, func() { sink, _ = DecodeMessage(body) }); n != 0 {
		t.Errorf("decoding an ask allocates %v times", n)
	}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = AppendMessage(buf[:0], &m) }); n != 0 {
		t.Errorf("encoding an ask allocates %v times", n)
	}
}

var sink node.Message

func FuzzDecodeMessage(f *testing.F) {
	for _, m := range goldenMessages() {
		f.Add(AppendMessage(nil, &m))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := DecodeMessage(body)
		if err != nil {
			return
		}
		if p, ok := PartitionOf(body); !ok || p != m.Partition {
			t.Fatalf("partition %d %v, not %d", p, ok, m.Partition)
		}
		again, err := DecodeMessage(AppendMessage(nil, &m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%v: encoded again it is\n%+v\nnot\n%+v", err, again, m)
		}
	})
}

func FuzzDecodeFacts(f *testing.F) {
	f.Add(AppendFacts(nil, []fact.Fact{{Kind: fact.Asked, Peer: "n2", Note: "digest"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := DecodeFacts(b)
		if err != nil {
			return
		}
		again, err := DecodeFacts(AppendFacts(nil, facts))
		if err != nil || !reflect.DeepEqual(again, facts) {
			t.Fatalf("%v: encoded again it is %v, not %v", err, again, facts)
		}
	})
}
