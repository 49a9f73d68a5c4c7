package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// ReplaceFile makes data the content of the file at path in one step and syncs
// the file and its folder: after a crash the old content is there or the new.
func ReplaceFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+half+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has been renamed
	if err := writeSynced(f, data, mode); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// half follows the name of a file in that of one that is to replace it.
const half = ".new-"

// removeHalves removes what processes have left that ended while they replaced the file
// at path. Nobody may be replacing it.
func removeHalves(path string) error {
	folder, name := filepath.Split(path)
	found, err := os.ReadDir(folder)
	for _, f := range found {
		if strings.HasPrefix(f.Name(), name+half) {
			err = errors.Join(err, os.Remove(filepath.Join(folder, f.Name())))
		}
	}
	return err
}

func writeSynced(f *os.File, data []byte, mode os.FileMode) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// SyncFolder makes the names in a folder durable: a power failure takes back those of
// files that were made, renamed or removed there and not synced.
func SyncFolder(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
