package pebble

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// freeOn returns how many bytes are left on the file system of a folder, -1 where
// that is unknown.
func freeOn(fs vfs.FS, dir string) func() (int64, error) {
	return func() (int64, error) {
		usage, err := fs.GetDiskUsage(dir)
		switch {
		case errors.Is(err, vfs.ErrUnsupported):
			return -1, nil
		case err != nil:
			return 0, err
		}
		return int64(usage.AvailBytes), nil
	}
}
