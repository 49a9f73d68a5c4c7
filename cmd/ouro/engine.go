package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
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

func (n *node) openOnDisk(name string) (store.Engine, error) {
	reserve := int64(n.cfg.Limits.DiskReserve) / 2 // the host refuses writes at the whole of it
	switch name {
	case config.EngineBolt:
		return bolt.Open(n.dir.Engine(), bolt.Options{Reserve: reserve})
	default:
		return pebble.Open(n.dir.Engine(), pebble.Options{Logger: n.log, OnFatal: n.fatal, Reserve: reserve})
	}
}

func overMemory(e store.Engine, most int64) (store.Engine, error) {
	over, err := memory.NewOver(e, most)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return over, nil
}
