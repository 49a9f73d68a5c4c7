package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ourodb/ouro"
)

// Codec turns values of one type into bytes and back. For protocol buffers see
// package client/protobuf.
type Codec[T any] struct {
	ContentType string
	Marshal     func(T) ([]byte, error)
	Unmarshal   func([]byte) (T, error)
}

// JSON is the codec of values as JSON.
func JSON[T any]() Codec[T] {
	return Codec[T]{
		ContentType: "application/json",
		Marshal:     func(v T) ([]byte, error) { return json.Marshal(v) },
		Unmarshal: func(b []byte) (v T, err error) {
			err = json.Unmarshal(b, &v)
			return v, err
		},
	}
}

// Values are keys whose values have one type, in any body of [ouro.Store].
type Values[T any] struct {
	Store ouro.Store
	Codec Codec[T]
	// Resolve makes one value of several that were written without knowledge of each
	// other. It loses nothing where the order of its arguments does not matter and
	// what any of them has is in the result. Nil: several versions are an error with
	// code [ouro.SiblingsFound].
	Resolve func(versions []T) (T, error)
}

// Get returns the value of a key, of several versions what Resolve makes of them.
// Where there is none the error has code [ouro.NotFound].
func (v *Values[T]) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (T, ouro.Result, error) {
	var value T
	res, err := v.Store.Get(ctx, key, opts...)
	if err != nil {
		return value, res, err
	}
	value, err = v.one(res.Siblings)
	return value, res, err
}

// Put stores a value, under a context where the options have one: what was read with
// [Values.Get] is replaced with [ouro.WithContext] of that result.
func (v *Values[T]) Put(ctx context.Context, key ouro.Key, value T, opts ...ouro.Option) (ouro.Result, error) {
	raw, err := v.encode(value)
	if err != nil {
		return ouro.Result{}, err
	}
	return v.Store.Put(ctx, key, raw, opts...)
}

// Update replaces the value of a key by what change makes of it, of the zero value
// where there is none; see [Update].
func (v *Values[T]) Update(ctx context.Context, key ouro.Key, change func(T) (T, error), opts ...ouro.Option) (T, ouro.Result, error) {
	var last T
	res, err := Update(ctx, v.Store, key, func(siblings []ouro.Sibling) (ouro.Value, error) {
		var value T
		var err error
		if len(siblings) > 0 {
			if value, err = v.one(siblings); err != nil {
				return ouro.Value{}, err
			}
		}
		if last, err = change(value); err != nil {
			return ouro.Value{}, err
		}
		return v.encode(last)
	}, opts...)
	return last, res, err
}

func (v *Values[T]) encode(value T) (ouro.Value, error) {
	b, err := v.Codec.Marshal(value)
	if err != nil {
		return ouro.Value{}, fmt.Errorf("the value can't be encoded: %w", err)
	}
	return ouro.Value{Data: b, ContentType: v.Codec.ContentType}, nil
}

// one decodes all versions, and resolves them.
func (v *Values[T]) one(siblings []ouro.Sibling) (value T, err error) {
	all := make([]T, len(siblings))
	var bad error
	for i := range siblings {
		if all[i], err = v.Codec.Unmarshal(siblings[i].Data); err != nil {
			bad = errors.Join(bad, fmt.Errorf("version %d of %d can't be decoded: %w", i+1, len(siblings), err))
		}
	}
	switch {
	case bad != nil:
		return value, bad
	case len(all) == 0:
		return value, ouro.Errorf(ouro.WrongType, ouro.NotDone, "the key shows a data type and no value")
	case len(all) == 1:
		return all[0], nil
	case v.Resolve == nil:
		return value, ouro.Errorf(ouro.SiblingsFound, ouro.NotDone, "the key has %d versions and nothing says how to merge them", len(all))
	}
	return v.Resolve(all)
}
