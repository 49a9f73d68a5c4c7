package bench

import (
	"context"
	"errors"

	"github.com/ourodb/ouro"
)

// Driver carries out operations against a cluster. It is safe for concurrent
// use. The errors it returns have codes of package ouro where the cluster gave
// them.
type Driver interface {
	Get(ctx context.Context, key string) (Seen, error)
	// Put writes under a context, blindly where it is nil, and returns the context
	// that covers what was written.
	Put(ctx context.Context, key string, value []byte, seen ouro.Context) (ouro.Context, error)
}

// Seen is what a get showed.
type Seen struct {
	Siblings int
	Context  ouro.Context
}

// FromStore returns a driver of a store, such as a client over HTTP.
func FromStore(s ouro.Store, bucket string) Driver { return storeDriver{s, bucket} }

type storeDriver struct {
	store  ouro.Store
	bucket string
}

func (d storeDriver) Get(ctx context.Context, key string) (Seen, error) {
	res, err := d.store.Get(ctx, ouro.Key{Bucket: d.bucket, Name: key})
	return Seen{len(res.Siblings), res.Context}, err
}

func (d storeDriver) Put(ctx context.Context, key string, value []byte, seen ouro.Context) (ouro.Context, error) {
	res, err := d.store.Put(ctx, ouro.Key{Bucket: d.bucket, Name: key}, ouro.Value{Data: value}, ouro.WithContext(seen))
	return res.Context, err
}

// codeOf names an error for the count of errors.
func codeOf(err error) string {
	if code := ouro.CodeOf(err); code != "" {
		return string(code)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "client_timeout"
	}
	return "connection"
}
