package node

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/hot"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Shed says that the driver has refused so many requests of a key, as too many of
// those that waited for this node were of that key.
type Shed struct {
	Key ring.Key
	N   int
}

func (*Shed) input() {}

// HotKeys returns which keys are asked for most.
func (n *Node) HotKeys(now clock.Now) hot.Status { return n.hot.Status(now) }

// MostPerKey returns how many requests of one key may be under way; from any goroutine.
func (n *Node) MostPerKey() int { return n.cfg.MaxPerKey }

// hotKey is the refusal of a request whose key has as many under way as it may. It is
// passed on to nobody: that would make one request too many into several.
func hotKey(self ring.NodeID, r *Request, most int) *ouro.Error {
	return ouro.HotKeyError(ouro.Key{Bucket: r.Key.Bucket, Name: r.Key.Name}, string(self), most)
}
