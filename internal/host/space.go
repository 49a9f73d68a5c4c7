package host

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/store"
)

// Defaults of [Config.Reserve] and [Config.Sample].
const (
	defaultReserve = 256 << 20
	defaultSample  = time.Second
)

// room is what was last found of the file system below the engine.
type room struct {
	mu   sync.Mutex
	free int64 // bytes; -1: not known, or of no meaning
	full bool
	err  error // of the last measurement
}

// Space returns how many bytes are left on the file system, -1 where that is not
// known, and whether writes are refused for it.
func (h *Host) Space() (free int64, full bool) {
	h.room.mu.Lock()
	defer h.room.mu.Unlock()
	return h.room.free, h.room.full
}

// watchSpace measures again and again until the host stops.
func (h *Host) watchSpace() {
	tick := time.NewTicker(h.cfg.Sample)
	defer tick.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-tick.C:
			h.measure()
		}
	}
}

// measure looks how much room there is. Below the reserve every shard refuses
// writes and joins; they are taken again when there is an eighth more than the
// reserve, so that a disk at the edge does not change its mind all the time. What
// makes room goes on: the engine is given the lower half of the reserve for it.
func (h *Host) measure() {
	usage, err := h.engine.Usage()
	h.room.mu.Lock()
	defer h.room.mu.Unlock()
	if h.unmeasured(err); err != nil {
		return
	}
	r, free := &h.room, usage.FreeBytes
	r.free = free
	switch {
	case !r.full && free >= 0 && free < h.cfg.Reserve:
		h.cfg.Log.Warn("the disk is nearly full: this node takes no more writes, and still reads; make room",
			"free", mebibytes(free), "reserve", mebibytes(h.cfg.Reserve))
		h.setFull(true)
	case r.full && (free < 0 || free >= h.cfg.Reserve+h.cfg.Reserve/8):
		h.cfg.Log.Info("there is room on the disk again: this node takes writes", "free", mebibytes(free))
		h.setFull(false)
	}
}

func (h *Host) setFull(full bool) {
	h.room.full = full
	for _, s := range h.shards {
		s.disk.SetFull(full)
	}
}

// unmeasured says once that the room is not known any more: what was known last
// stays in force. An engine that is dead or closed has more to tell than that.
func (h *Host) unmeasured(err error) {
	first := h.room.err == nil
	h.room.err = err
	if err == nil || errors.Is(err, store.ErrDead) || errors.Is(err, store.ErrClosed) {
		return
	}
	h.room.free = -1
	if first {
		h.cfg.Log.Warn("how much room there is on the disk can't be found out", "error", err)
	}
}

// fullNote tells an operator of a full disk, or is "".
func (h *Host) fullNote() string {
	free, full := h.Space()
	if !full {
		return ""
	}
	return fmt.Sprintf("disk_full: %s are free and %s are kept (disk-reserve), so writes are refused and reads go on; make room",
		mebibytes(free), mebibytes(h.cfg.Reserve))
}

func mebibytes(n int64) string {
	if n < 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
