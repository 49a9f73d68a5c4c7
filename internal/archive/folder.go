package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/datadir"
)

// manifestName is the file that says what an archive is, from the beginning on, and that
// it is complete, at the end.
const manifestName = "archive.json"

// part ends the name of a file that is not whole yet.
const part = ".part"

// Manifest says what an archive is.
type Manifest struct {
	Format    int       `json:"format"`
	Cluster   string    `json:"cluster"`
	ClusterID string    `json:"cluster_id"`
	Q         int       `json:"q"`
	Begun     time.Time `json:"begun"`
	Ended     time.Time `json:"ended,omitzero"`
	// Complete: every partition is there. Until then the archive can be gone on with
	// and not be restored.
	Complete   bool              `json:"complete"`
	Buckets    []string          `json:"buckets"`
	Settings   []ouro.BucketInfo `json:"settings"` // of those that were defined
	Partitions map[int]Sum       `json:"partitions"`
}

const format = 1

// Total adds up what the partitions have.
func (m *Manifest) Total() (t Sum) {
	for _, s := range m.Partitions {
		t.Records += s.Records
		t.Bytes += s.Bytes
	}
	return t
}

// Load reads what an archive is.
func Load(dir string) (*Manifest, error) {
	b, err := os.ReadFile(manifestOf(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no archive in %s", dir)
	}
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, manifestName, err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("%s has an archive of format %d: this version of ouro reads format %d", dir, m.Format, format)
	}
	if m.Q < 1 || m.Q > 1<<24 || m.Q&(m.Q-1) != 0 {
		return nil, fmt.Errorf("%w: %s: q=%d", ErrDamaged, manifestName, m.Q)
	}
	return &m, nil
}

// save writes the manifest, whole or not at all.
func (m *Manifest) save(dir string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return whole(manifestOf(dir), func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
}

// whole writes a file under another name, syncs it, and gives it its own.
func whole(name string, write func(f *os.File) error) (err error) {
	f, err := os.OpenFile(name+part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return errors.Join(err, os.Remove(name+part))
	}
	if err := os.Rename(name+part, name); err != nil {
		return err
	}
	return datadir.SyncFolder(filepath.Dir(name)) // or a power failure may take the name back
}

// manifestOf names the file of the manifest.
func manifestOf(dir string) string { return filepath.Join(dir, manifestName) }

// fileOf names the file of a partition.
func fileOf(dir string, partition int) string {
	return filepath.Join(dir, fmt.Sprintf("partition-%06d.ouro", partition))
}

// ReadPartition reads the file of a partition and checks it against the manifest.
func (m *Manifest) ReadPartition(dir string, partition int, fn func(key ouro.Key, record []byte) error) (Sum, error) {
	want, ok := m.Partitions[partition]
	if !ok {
		return Sum{}, fmt.Errorf("%w: partition %d is missing", ErrDamaged, partition)
	}
	f, err := os.Open(fileOf(dir, partition))
	if errors.Is(err, fs.ErrNotExist) {
		return Sum{}, fmt.Errorf("%w: %s is missing", ErrDamaged, filepath.Base(fileOf(dir, partition)))
	}
	if err != nil {
		return Sum{}, err
	}
	defer f.Close()
	first, last := span(m.Q, partition)
	sum, err := Read(f, func(key ouro.Key, record []byte) error {
		if p := position(key); p < first || last < p {
			return fmt.Errorf("%w: %v is not of this partition", ErrDamaged, key)
		}
		return fn(key, record)
	})
	if err == nil && sum != want {
		err = fmt.Errorf("%w: it has the root %s and %s says %s: it is of another archive", ErrDamaged, sum.Root, manifestName, want.Root)
	}
	if err != nil {
		return Sum{}, fmt.Errorf("%s: %w", filepath.Base(f.Name()), err)
	}
	return sum, nil
}

// Verify reads a whole archive and returns what is wrong with each file that is not what
// was written. Step is called after each.
func (m *Manifest) Verify(dir string, step func()) (wrong []error) {
	for p := range m.Q {
		if _, err := m.ReadPartition(dir, p, func(ouro.Key, []byte) error { return nil }); err != nil {
			wrong = append(wrong, err)
		}
		step()
	}
	return wrong
}
