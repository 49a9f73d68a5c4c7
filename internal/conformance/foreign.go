package conformance

import (
	"testing"

	"github.com/ourodb/ouro"
)

// RunForeign checks that a context of another cluster is refused, whatever is done
// under it, though that cluster has the same key.
func RunForeign(t *testing.T, store, other ouro.Store) {
	s := &suite{t: t, store: store}
	key := s.key()
	s.blind(key, "v")
	foreign := (&suite{t: t, store: other}).blind(key, "theirs")
	_, put := store.Put(s.ctx(), key, ouro.Value{Data: []byte("w")}, under(foreign))
	_, del := store.Delete(s.ctx(), key, under(foreign))
	for verb, err := range map[string]error{"put": put, "delete": del} {
		t.Run(verb+" under a context of another cluster", func(t *testing.T) {
			(&suite{t: t}).refused(err, ouro.BadContext)
		})
	}
	s.get(key, "v")
}
