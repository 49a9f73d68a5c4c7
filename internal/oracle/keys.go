package oracle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/ourodb/ouro"
)

var (
	_ ouro.Lister = (*Oracle)(nil)
	_ ouro.Lister = (*Types)(nil)
)

// Keys implements [ouro.Lister]. A page is always whole.
func (o *Oracle) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for key, obj := range o.objects { // sorted by list
		if key.Bucket == bucket && len(obj.shown(o.cfg.Now())) > 0 {
			names = append(names, key.Name)
		}
	}
	return list(ctx, bucket, names, q)
}

// Keys implements [ouro.Lister].
func (o *Types) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for key := range o.keys { // sorted by list
		if key.Bucket == bucket {
			names = append(names, key.Name)
		}
	}
	return list(ctx, bucket, names, q)
}

// list makes a page of the names in a bucket, in an order that has nothing to do with
// theirs.
func list(ctx context.Context, bucket string, names []string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	if err := cmp.Or(q.Check(bucket), ctx.Err()); err != nil {
		return ouro.KeysPage{}, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, q.Prefix) || place(bucket, n) < q.Cursor })
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(place(bucket, a), place(bucket, b)), cmp.Compare(a, b))
	})
	page := ouro.KeysPage{Keys: names, Covered: 1}
	if len(names) > q.Limit {
		page.Keys, page.Next = names[:q.Limit], place(bucket, names[q.Limit-1])+1
	}
	return page, nil
}

// place is where a key stands among others; no two of few keys share it.
func place(bucket, name string) ouro.Cursor {
	sum := sha256.Sum256([]byte(bucket + "/" + name))
	return ouro.Cursor(binary.BigEndian.Uint64(sum[:]) >> 1)
}
