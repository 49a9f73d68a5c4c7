package client

import (
	"context"
	"net/http"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

var _ ouro.Archiver = (*Admin)(nil)

// archiveRecord is the record of a key on the admin port.
type archiveRecord struct {
	Record []byte `json:"record"`
}

// Record implements [ouro.Archiver].
func (a *Admin) Record(ctx context.Context, key ouro.Key) ([]byte, error) {
	if err := key.Validate(); err != nil {
		return nil, err
	}
	r, err := fetch[archiveRecord](ctx, a, string(keypath.Append([]byte("/admin/v1/archive/record/"), key)))
	return r.Record, err
}

// Restore implements [ouro.Archiver].
func (a *Admin) Restore(ctx context.Context, key ouro.Key, record []byte) error {
	if err := key.Validate(); err != nil {
		return err
	}
	_, err := a.call(ctx, http.MethodPut, string(keypath.Append([]byte("/admin/v1/archive/record/"), key)), archiveRecord{record})
	return err
}

// HeldBuckets implements [ouro.Archiver].
func (a *Admin) HeldBuckets(ctx context.Context) ([]string, error) {
	r, err := fetch[struct {
		Buckets []string `json:"buckets"`
	}](ctx, a, "/admin/v1/archive/buckets")
	return r.Buckets, err
}
