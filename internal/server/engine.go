package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/buffer"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// openEngine opens the engine that the node was configured with (docs/operate/engines.md).
func (n *node) openEngine() (store.Engine, error) {
	if n.cfg.Engine == config.EngineMemory {
		n.log.Warn("engine memory: everything is forgotten when this process ends")
		return memory.New(memory.Options{MaxBytes: int64(n.cfg.Limits.MemoryLimit)}), nil
	}
	name, inMemory := strings.CutPrefix(n.cfg.Engine, config.MemoryOver)
	e, err := n.openOnDisk(name)
	if err == nil && inMemory {
		e, err = overMemory(e, int64(n.cfg.Limits.MemoryLimit))
	}
	if err != nil {
		return nil, fmt.Errorf("the data in %s can't be opened: %w", filepath.Clean(n.cfg.Data), err)
	}
	return e, nil
}

// tellDamage says what to do where a node can't start because its data is damaged.
func tellDamage(data string, err error) error {
	if !errors.Is(err, store.ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w; where other nodes hold what this one does, 'ouro recover --start-over --data %s' sets its data aside, and the node has all of it from them", err, filepath.Clean(data))
}

// damage is which files of the engine were found damaged since the start.
type damage struct {
	mu    sync.Mutex
	files []string
}

// maxDamaged is how many of them are remembered.
const maxDamaged = 1000

func (d *damage) note(file string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.files, file) && len(d.files) < maxDamaged {
		d.files = append(d.files, file)
	}
}

func (d *damage) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.files)
}

// notes are for 'ouro status'.
func (d *damage) notes() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.files) == 0 {
		return nil
	}
	files := "1 file"
	if len(d.files) > 1 {
		files = fmt.Sprintf("%d files", len(d.files))
	}
	return []string{fmt.Sprintf("ALARM: %s of the engine are damaged, such as %s: keys in them are had from other nodes when asked for; stop this node and run 'ouro recover --start-over' to have all of it from them",
		files, d.files[0])}
}

func (n *node) openOnDisk(name string) (store.Engine, error) {
	reserve := int64(n.cfg.Limits.DiskReserve) / 2 // the host refuses writes at the whole of it
	most, window := int64(n.cfg.Limits.WriteBuffer), n.cfg.Limits.FlushWindow
	if name == config.EngineBolt {
		return bolt.Open(n.dir.Engine(), bolt.Options{Reserve: reserve, MaxBuffer: most, Window: window, OnDamage: n.damage.note})
	}
	e, err := pebble.Open(n.dir.Engine(), pebble.Options{Logger: n.log, OnFatal: n.fatal, OnDamage: n.damage.note, Reserve: reserve, MaxOpenFiles: n.places.engine})
	if err != nil {
		return nil, err
	}
	return buffer.New(e, buffer.Options{MaxBytes: most, Window: window, Direct: true}), nil
}

func overMemory(e store.Engine, most int64) (store.Engine, error) {
	over, err := memory.NewOver(e, most)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return over, nil
}
