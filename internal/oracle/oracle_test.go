package oracle_test

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/oracle"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, oracle.New(oracle.Config{}), conformance.Limits{Value: 1 << 20, Siblings: 100})
	conformance.RunKeys(t, oracle.New(oracle.Config{}), conformance.Limits{})
	conformance.RunForeign(t, oracle.New(oracle.Config{}), oracle.New(oracle.Config{}))
}

func TestTypesConformance(t *testing.T) {
	conformance.RunTypes(t, oracle.NewTypes())
	conformance.RunKeys(t, oracle.NewTypes(), conformance.Limits{})
}

func TestExpiryIsAFilter(t *testing.T) {
	now := time.Unix(1000, 0)
	o := oracle.New(oracle.Config{Now: func() time.Time { return now }})
	key := ouro.Key{Bucket: "b", Name: "k"}
	ttl := func(o *ouro.Options) { o.TTL = time.Minute }
	if _, err := o.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ttl); err != nil {
		t.Fatal(err)
	}
	res, err := o.Get(t.Context(), key)
	if err != nil || !res.Siblings[0].Expires.Equal(now.Add(time.Minute)) {
		t.Fatalf("%+v, %v", res, err)
	}
	now = now.Add(time.Minute)
	res, err = o.Get(t.Context(), key)
	if ouro.CodeOf(err) != ouro.NotFound || len(res.Context) == 0 {
		t.Fatalf("an expired version shows as %+v, %v", res, err)
	}
}
