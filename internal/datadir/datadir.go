// Package datadir guards the folder a node keeps its data in: it holds the lock
// that keeps a second process out, and the identity of the node and of its
// cluster, so that a folder is never served under another name, by another
// cluster, or by a binary too old to read it.
//
//	DIR/node.lock   held (flock) as long as a process uses the folder
//	DIR/node.json   the [Identity], replaced whole and synced before serving
//	DIR/data        the engine's own folder
//	DIR/set-aside-N data that was rolled back, kept for its owner to look at
package datadir

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

const (
	lockName     = "node.lock"
	identityName = "node.json"
	engineName   = "data"
)

// Want is what the process that opens a folder is configured to be. Empty
// fields are taken from the folder, where it has an identity.
type Want struct {
	Node      string // 1 to 64 characters of A-Z a-z 0-9 . _ -
	Cluster   string // the same
	ClusterID uint64 // 0: take the folder's
	Q         int    // number of partitions; 0: take the folder's
	Engine    string // "": take the folder's
}

// Dir is an open data folder.
type Dir struct {
	path  string
	lock  *Lock
	aside string // where data was set aside to when the folder was opened

	mu sync.Mutex
	id Identity
}

// Open locks the folder at path, makes it if it is not there, checks that it
// belongs to want, and records one more start under the given run id (RULES
// R11). The record is on stable storage when Open returns.
//
// A folder without identity takes want's; a new disk id is drawn for it.
func Open(path string, want Want, run uint64) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder can't be made: %w", err)
	}
	lock, err := TakeLock(filepath.Join(path, lockName))
	if err != nil {
		if errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("the data folder %s is in use by another process: stop that one, or use another --data folder", path)
		}
		return nil, fmt.Errorf("the data folder can't be locked: %w", err)
	}
	d := &Dir{path: path, lock: lock}
	if err := d.start(want, run); err != nil {
		lock.Release()
		return nil, err
	}
	return d, nil
}

// start settles who the folder belongs to and records this start.
func (d *Dir) start(want Want, run uint64) error {
	id, found, err := readIdentity(d.path)
	if err != nil {
		return err
	}
	if !found {
		if id, err = d.found(want); err != nil {
			return err
		}
	} else if err := id.check(d.path, want); err != nil {
		return err
	}
	if id.Aside {
		if d.aside, err = setAside(d.path); err != nil {
			return err
		}
		id.Aside = false
	}
	id.recordStart(run)
	if err := writeIdentity(d.path, id); err != nil {
		return fmt.Errorf("the identity of the data folder can't be stored: %w", err)
	}
	d.id = id
	return removeHalves(filepath.Join(d.path, identityName))
}

var name = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// found makes the identity of a folder that has none.
func (d *Dir) found(want Want) (Identity, error) {
	if _, err := os.Stat(d.Engine()); err == nil {
		return Identity{}, fmt.Errorf("the folder %s holds data but no %s: it was not made by a node, or that file was lost; restore it from a backup, or use an empty folder", d.path, identityName)
	}
	switch {
	case !name.MatchString(want.Node):
		return Identity{}, fmt.Errorf("the node id %q: it has 1 to 64 characters of A-Z a-z 0-9 . _ - (--id)", want.Node)
	case !name.MatchString(want.Cluster):
		return Identity{}, fmt.Errorf("the cluster name %q: it has 1 to 64 characters of A-Z a-z 0-9 . _ - (--cluster)", want.Cluster)
	case want.Q <= 0 || want.Q&(want.Q-1) != 0:
		return Identity{}, fmt.Errorf("%d partitions: their number is a power of two (--q)", want.Q)
	}
	return Identity{
		Format: Format, Node: want.Node, Cluster: want.Cluster, ClusterID: ID(want.ClusterID),
		Q: want.Q, Engine: want.Engine, DiskID: newID(),
	}, nil
}

// Peek returns the identity of the folder at path without opening it, and
// whether it has one.
func Peek(path string) (Identity, bool, error) { return readIdentity(path) }

// Identity returns who the folder belongs to, this start counted. The lists in
// it must not be written to.
func (d *Dir) Identity() Identity {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.id
}

// Engine returns the path of the engine's folder.
func (d *Dir) Engine() string { return EngineIn(d.path) }

// EngineIn returns the path of the engine's folder in a data folder.
func EngineIn(path string) string { return filepath.Join(path, engineName) }

// Close lets another process use the folder. Close the engine first.
func (d *Dir) Close() error { return d.lock.Release() }

// newID draws an id that is not zero.
func newID() ID {
	var b [8]byte
	for {
		rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if v := binary.BigEndian.Uint64(b[:]); v != 0 {
			return ID(v)
		}
	}
}
