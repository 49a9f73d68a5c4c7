package pebble

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logFS watches the files of the log. After a failed write or sync the library
// can end the process by a runtime error that nothing recovers from (its
// rotateWAL panics while it does not hold the lock that is then released), and
// it certainly does where it cannot make the next log. So the engine learns of
// the failure here, before the library does: it says what happened, and no new
// Apply reaches the library.
type logFS struct {
	vfs.FS
	// broken is told of a failed write or sync, unmade of a log that could not
	// be made.
	broken, unmade func(error)
}

// Create implements [vfs.FS].
func (w *logFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.Create(name, category)
	return w.watch(name, f, err)
}

// ReuseForWrite implements [vfs.FS].
func (w *logFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.ReuseForWrite(oldname, newname, category)
	return w.watch(newname, f, err)
}

// Unwrap implements [vfs.FS].
func (w *logFS) Unwrap() vfs.FS { return w.FS }

func (w *logFS) watch(name string, f vfs.File, err error) (vfs.File, error) {
	switch {
	case !strings.HasSuffix(name, ".log"):
		return f, err
	case err != nil:
		w.unmade(err)
		return nil, err
	default:
		return &logFile{f, w.broken}, nil
	}
}

// logFile is an open log.
type logFile struct {
	vfs.File
	broken func(error)
}

// Write implements [vfs.File].
func (f *logFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.check(err)
}

// Sync implements [vfs.File].
func (f *logFile) Sync() error { return f.check(f.File.Sync()) }

// SyncData implements [vfs.File].
func (f *logFile) SyncData() error { return f.check(f.File.SyncData()) }

// SyncTo implements [vfs.File].
func (f *logFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.check(err)
}

func (f *logFile) check(err error) error {
	if err != nil {
		f.broken(err)
	}
	return err
}
