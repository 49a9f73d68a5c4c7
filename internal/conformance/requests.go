package conformance

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

func errorOf(err error) *ouro.Error {
	var e *ouro.Error
	if errors.As(err, &e) {
		return e
	}
	return &ouro.Error{}
}

// all sends the three requests with one set of options.
func (s *suite) all(key ouro.Key, opts ...ouro.Option) map[string]error {
	_, get := s.store.Get(s.ctx(), key, opts...)
	_, put := s.store.Put(s.ctx(), key, ouro.Value{Data: []byte("v")}, append(opts, ouro.Blind())...)
	_, del := s.store.Delete(s.ctx(), key, append(opts, ouro.Blind())...)
	return map[string]error{"get": get, "put": put, "delete": del}
}

func badKeys(t *testing.T, s *suite) {
	for name, key := range map[string]ouro.Key{
		"no bucket":            {Name: "k"},
		"a long bucket":        {Bucket: strings.Repeat("b", ouro.MaxBucketLen+1), Name: "k"},
		"a bucket with a dash": {Bucket: "b/c", Name: "k"},
		"a space in a bucket":  {Bucket: "b c", Name: "k"},
		"no key":               {Bucket: "b"},
		"a long key":           {Bucket: "b", Name: strings.Repeat("k", ouro.MaxKeyLen+1)},
	} {
		for verb, err := range s.all(key) {
			t.Run(verb+" with "+name, func(t *testing.T) {
				(&suite{t: t}).refused(err, ouro.BadRequest)
			})
		}
	}
}

func badContexts(t *testing.T, s *suite) {
	key, other := s.key(), s.key()
	s.blind(key, "v")
	s.blind(other, "v")
	good := s.get(key, "v").Context
	altered := bytes.Clone(good)
	altered[len(altered)-1] ^= 1
	for name, c := range map[string]ouro.Context{
		"truncated": good[:len(good)-1],
		"altered":   altered,
		"longer":    append(bytes.Clone(good), 0),
		"foreign":   s.get(other, "v").Context,
		"garbage":   ouro.Context("garbage"),
		"short":     {0},
	} {
		_, put := s.store.Put(s.ctx(), key, ouro.Value{Data: []byte("w")}, ouro.WithContext(c))
		_, del := s.store.Delete(s.ctx(), key, ouro.WithContext(c))
		for verb, err := range map[string]error{"put": put, "delete": del} {
			t.Run(verb+" "+name, func(t *testing.T) {
				(&suite{t: t}).refused(err, ouro.BadContext)
			})
		}
	}
	s.get(key, "v")
}

func badQuorums(t *testing.T, s *suite) {
	key := s.key()
	s.blind(key, "v")
	_, get := s.store.Get(s.ctx(), key, ouro.R(4))
	_, strict := s.store.Get(s.ctx(), key, ouro.PR(4))
	_, put := s.store.Put(s.ctx(), key, ouro.Value{}, ouro.W(4), ouro.Blind())
	_, primaries := s.store.Put(s.ctx(), key, ouro.Value{}, ouro.PW(4), ouro.Blind())
	_, durable := s.store.Put(s.ctx(), key, ouro.Value{}, ouro.DW(4), ouro.Blind())
	_, del := s.store.Delete(s.ctx(), key, ouro.W(4), ouro.Blind())
	for name, err := range map[string]error{
		"r over n": get, "pr over n": strict, "w over n": put, "pw over n": primaries, "dw over n": durable, "delete with w over n": del,
	} {
		t.Run(name, func(t *testing.T) {
			(&suite{t: t}).refused(err, ouro.BadRequest)
		})
	}
	s.get(key, "v")
}

func described(t *testing.T, s *suite) {
	key := s.key()
	put := s.put(key, "v", ouro.Blind(), ouro.RequestID("mine"), ouro.W(1))
	if put.RequestID != "mine" || put.Coordinator == "" {
		t.Errorf("request id %q, coordinator %q", put.RequestID, put.Coordinator)
	}
	if q := put.Quorum; q.N < 1 || q.W != 1 || q.Acks < q.W || q.Durable > q.Acks || q.Primaries > q.Acks {
		t.Errorf("quorum of the put: %+v", q)
	}
	get := s.get(key, "v")
	if get.RequestID == "" || get.Coordinator == "" {
		t.Errorf("request id %q, coordinator %q", get.RequestID, get.Coordinator)
	}
	if q := get.Quorum; q.N < 1 || q.R < 1 || q.Acks < q.R || q.Primaries > q.Acks {
		t.Errorf("quorum of the get: %+v", q)
	}
	if len(get.Explain) > 0 {
		t.Errorf("facts that nobody asked for: %q", get.Explain)
	}
}

func explained(t *testing.T, s *suite) {
	key := s.key()
	if res := s.put(key, "v", ouro.Blind(), ouro.Explain()); len(res.Explain) == 0 {
		t.Error("a put explains nothing")
	}
	res, err := s.store.Get(s.ctx(), key, ouro.Explain())
	if err != nil || len(res.Explain) == 0 || len(values(res)) != 1 || values(res)[0] != "v" {
		t.Errorf("get: %+v, %v", res, err)
	}
	s.blind(key, "w")
	if res, err = s.store.Get(s.ctx(), key, ouro.Explain()); err != nil || len(res.Siblings) != 2 || len(res.Explain) == 0 {
		t.Errorf("get of two: %+v, %v", res, err)
	}
	if res, err = s.store.Get(s.ctx(), s.key(), ouro.Explain()); ouro.CodeOf(err) != ouro.NotFound || len(res.Explain) == 0 {
		t.Errorf("get of nothing: %+v, %v", res, err)
	}
}

func ended(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	_, get := s.store.Get(ctx, s.key())
	_, put := s.store.Put(ctx, s.key(), ouro.Value{}, ouro.Blind())
	_, del := s.store.Delete(ctx, s.key(), ouro.Blind())
	for verb, err := range map[string]error{"get": get, "put": put, "delete": del} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", verb, err)
		}
	}
}
