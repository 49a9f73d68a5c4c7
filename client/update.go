package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
)

// updateTries bounds how often [Update] begins anew.
const updateTries = 8

// Update replaces all versions of a key by the one that merge makes of them, in any
// body of [ouro.Store] (paper, section 6.3): it reads the key, and puts what merge
// returns under the context of what merge was shown. merge gets no versions where
// there are none. What others write meanwhile survives as a sibling, for the next
// Update to merge.
//
// Where the key changed so that nothing was stored it reads and merges again, a few
// times at most, so merge may be called more than once. After an error with outcome
// unknown the value may be there: merge had better bear to be given its own result.
func Update(ctx context.Context, store ouro.Store, key ouro.Key, merge func(siblings []ouro.Sibling) (ouro.Value, error), opts ...ouro.Option) (ouro.Result, error) {
	pause := firstPause
	for try := 1; ; try++ {
		res, err := updateOnce(ctx, store, key, merge, opts)
		e := errorOf(err)
		if e == nil || e.Outcome != ouro.NotDone || e.Code != ouro.TooManySiblings && e.Code != ouro.Conflict || try == updateTries {
			return res, err
		}
		if !sleep(ctx, pause/2+rand.N(pause/2+1)) {
			return res, fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		pause = min(2*pause, time.Second)
	}
}

func updateOnce(ctx context.Context, store ouro.Store, key ouro.Key, merge func([]ouro.Sibling) (ouro.Value, error), opts []ouro.Option) (ouro.Result, error) {
	read, err := store.Get(ctx, key, opts...)
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return read, fmt.Errorf("reading the key before writing it: %w", err)
	}
	value, err := merge(read.Siblings)
	if err != nil {
		return read, err
	}
	return store.Put(ctx, key, value, append(append([]ouro.Option{}, opts...), ouro.WithContext(read.Context))...)
}
