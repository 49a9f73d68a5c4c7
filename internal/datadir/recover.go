package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// change replaces the identity. What it returned before is not written to.
func (d *Dir) change(fn func(id *Identity)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.id
	fn(&id)
	if err := writeIdentity(d.path, id); err != nil {
		return fmt.Errorf("the identity of the data folder can't be stored: %w", err)
	}
	d.id = id
	return nil
}

// ComeBack makes the folder another disk, of which it is known that it may have
// forgotten what it acknowledged; its data stays (RULES R9). The process must
// then serve it anew.
func (d *Dir) ComeBack() error { return d.change((*Identity).comeBack) }

// StartOver is [Dir.ComeBack], with the data set aside the next time the folder
// is opened: it was rolled back below what the others have reaped, and offering
// it would bring back what was deleted (RULES R22).
func (d *Dir) StartOver() error {
	return d.change(func(id *Identity) {
		id.comeBack()
		id.Aside = true
	})
}

// Forsake is [Dir.ComeBack] of a node that has founded a cluster of itself and was of
// one with others: what it knows of the cluster is forgotten, and learned from them.
func (d *Dir) Forsake() error {
	return d.change(func(id *Identity) {
		id.comeBack()
		id.Grown, id.Forget = true, true
	})
}

// Link notes that links name the disks of the cluster's members. It outlives the data.
func (d *Dir) Link() error {
	if d.Identity().Linked {
		return nil
	}
	return d.change(func(id *Identity) { id.Linked = true })
}

// Forgotten notes that this was done.
func (d *Dir) Forgotten() error { return d.change(func(id *Identity) { id.Forget = false }) }

// Note notes that the data knows of this start.
func (d *Dir) Note() error { return d.change(func(id *Identity) { id.Noted = id.Starts }) }

// Marked notes that the data itself says now that it is recovering.
func (d *Dir) Marked() error { return d.change(func(id *Identity) { id.Recover = false }) }

// Confirm notes that another node has accepted this disk, which it knew by the
// ids known until then.
func (d *Dir) Confirm(known []uint64) error {
	now := d.Identity()
	if now.Confirmed && !now.replaceAll(known) {
		return nil
	}
	return d.change(func(id *Identity) {
		id.Confirmed = true
		id.replaceAll(known)
	})
}

// Remember stores what is remembered of the other nodes' folders.
func (d *Dir) Remember(peers []Peer) error {
	return d.change(func(id *Identity) { id.Peers = slices.Clone(peers) })
}

// SetQ notes how many partitions the cluster has that the node was joined to.
func (d *Dir) SetQ(q int) error { return d.change(func(id *Identity) { id.Q = q }) }

// Running notes that the node runs at a time, in wall-clock milliseconds.
func (d *Dir) Running(now int64) error {
	return d.change(func(id *Identity) { id.Alive = now })
}

// Aside returns where data was set aside to when the folder was opened; "": none
// was.
func (d *Dir) Aside() string { return d.aside }

// setAside gives the engine's folder another name, under which it is never
// opened, and returns it.
func setAside(path string) (string, error) {
	from := filepath.Join(path, engineName)
	for n := 1; ; n++ {
		to := filepath.Join(path, fmt.Sprintf("set-aside-%d", n))
		if _, err := os.Stat(to); err == nil {
			continue
		}
		err := os.Rename(from, to)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil // it was, and the process ended before it could note that
		}
		if err == nil {
			err = SyncFolder(path)
		}
		if err != nil {
			return "", fmt.Errorf("the data can't be set aside: %w", err)
		}
		return to, nil
	}
}

// MarkRecovering marks the folder at path, which no process may be using, as one
// that may lack what was acknowledged, as after it was restored from a backup.
// Aside says that its data is set aside when it is opened next, as it can't be read.
// Forget says that it is kept, and what it knows of the cluster is forgotten, as others
// know better. It returns the folder's identity.
func MarkRecovering(path string, aside, forget bool) (Identity, error) {
	if _, found, err := readIdentity(path); err != nil {
		return Identity{}, err
	} else if !found {
		return Identity{}, fmt.Errorf("%s is no data folder: it has no %s", path, identityName)
	}
	lock, err := TakeLock(filepath.Join(path, lockName))
	if err != nil {
		if errors.Is(err, ErrLocked) {
			return Identity{}, fmt.Errorf("the data folder %s is in use: stop its node first", path)
		}
		return Identity{}, fmt.Errorf("the data folder can't be locked: %w", err)
	}
	defer lock.Release()
	id, _, err := readIdentity(path)
	if err != nil {
		return Identity{}, err
	}
	id.comeBack()
	id.Aside, id.Forget, id.Linked = id.Aside || aside, id.Forget || forget, id.Linked || forget
	if err := writeIdentity(path, id); err != nil {
		return Identity{}, fmt.Errorf("the identity of the data folder can't be stored: %w", err)
	}
	return id, nil
}
