package host

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

// View returns what a host over an engine begins with, and whether the cluster did
// not begin as the configuration says.
func View(e store.Engine, cfg core.Config) (v *node.View, differs bool, err error) {
	found, err := recall(e)
	if err != nil {
		return nil, false, err
	}
	s, err := core.New(clock.Now{Wall: time.Now().UnixMilli()}, cfg, found)
	if err != nil {
		return nil, false, err
	}
	return s.View(), s.Differs(), nil
}

// Linked says whether a view goes by a link that names the disks of the members.
func Linked(v *node.View) bool { return v.Place != nil && v.Place.Named() }

// Linked says whether this node goes by a link that names the disks of the members.
func (h *Host) Linked() bool { return Linked(h.view.Load()) }

// setView makes the node go by a new view: whoever waits for the first link is told, the
// links are looked at again where others may be linked, and every shard hears of it.
func (h *Host) setView(v *node.View) {
	if h.cfg.Linked != nil && Linked(v) && !Linked(h.view.Load()) {
		h.cfg.Linked()
	}
	before := h.view.Swap(v)
	if h.cfg.Recheck != nil && !sameNodes(before, v) {
		h.cfg.Recheck()
	}
	h.tellAll(func() node.Input { return v })
}

// sameNodes says whether two views admit the same nodes, see [core.Admits].
func sameNodes(a, b *node.View) bool { return slices.Equal(admitted(a), admitted(b)) }

func admitted(v *node.View) []ring.NodeID {
	all := takers(v)
	slices.Sort(all)
	return all
}

// fits says whether the node can go on by a view. It can't where it was joined to a
// cluster of another number of partitions than it was started with, or did not know
// what it may have forgotten; it begins again then.
func (h *Host) fits(v *node.View) bool {
	q, before := v.Ring.Q(), h.view.Load()
	if h.cfg.Learned != nil && (h.cfg.Lost && before.Ring.Q() == 0 && q > 0 || h.forgot(v.Gained(before))) {
		h.cfg.Learned()
		return false
	}
	if q == 0 || h.cfg.Q == 0 || q == h.cfg.Q || h.cfg.OtherQ == nil {
		return true
	}
	h.cfg.OtherQ(q)
	return false
}

// forgot says whether a node that is to hold partitions has forgotten what it held of
// them, without knowing so.
func (h *Host) forgot(partitions []uint32) bool {
	marked, err := disk.AllRecover(h.engine, partitions)
	if err != nil {
		h.cfg.Log.Warn("the node begins again, as if it had forgotten what it is to hold", "error", err)
	}
	return !marked
}
