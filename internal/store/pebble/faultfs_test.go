package pebble_test

import (
	"io"
	"math/rand/v2"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crashFS is a file system in memory that can be cloned as of a crash while the
// store works on it, and in which faults can be injected. It goes round two
// bugs of the library's test kit (v2.1.7): ReuseForWrite, Lock and Link of its
// MemFS take a read lock twice, which deadlocks with a clone in between; and a
// reused log escapes errorfs.
type crashFS struct {
	vfs.FS // errorfs over mem
	mem    *vfs.MemFS
	clone  sync.RWMutex // held shared around what locks twice
}

func newCrashFS(faults errorfs.Injector) *crashFS {
	mem := vfs.NewCrashableMem()
	return &crashFS{FS: errorfs.Wrap(mem, faults), mem: mem}
}

// crash returns the file system as a crash now would leave it: all that was
// synced, and about percent of the rest.
func (c *crashFS) crash(percent int, random *rand.Rand) *vfs.MemFS {
	c.clone.Lock()
	defer c.clone.Unlock()
	return c.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: random})
}

func (c *crashFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := c.FS.Remove(oldname); err != nil {
		return nil, err
	}
	return c.FS.Create(newname, category)
}

func (c *crashFS) Lock(name string) (io.Closer, error) {
	c.clone.RLock()
	defer c.clone.RUnlock()
	return c.FS.Lock(name)
}

func (c *crashFS) Link(oldname, newname string) error {
	c.clone.RLock()
	defer c.clone.RUnlock()
	return c.FS.Link(oldname, newname)
}

func (c *crashFS) Unwrap() vfs.FS { return c.FS }
