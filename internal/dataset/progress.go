package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Progress is how far an import of one file into one bucket came, kept in a
// file so that the same command can go on after an interruption. It is only
// trusted for the very file it was written for: path, size and time of change.
type Progress struct {
	Job      Job       `json:"job"`
	Position Position  `json:"position"`
	Written  time.Time `json:"written"`

	path string
}

// Job names what an import does.
type Job struct {
	File     string    `json:"file"` // absolute path
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Bucket   string    `json:"bucket"`
	Format   string    `json:"format"`
	Key      []string  `json:"key,omitempty"`
	Target   string    `json:"target"` // address of the cluster, as given
}

// NewJob describes the import of the file at path.
func NewJob(path, bucket string, src Source, target string) (Job, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Job{}, err
	}
	st, err := os.Stat(abs)
	if err != nil {
		return Job{}, err
	}
	return Job{abs, st.Size(), st.ModTime().UTC(), bucket, src.Format, src.Key, target}, nil
}

// ResumeFile returns where the progress of a job is kept unless told otherwise:
// in the user's cache folder, under a name made of the file's path and what is
// done with it.
func ResumeFile(job Job) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place to keep the progress of the import: %w; name one with --state FILE", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q", job.File, job.Bucket, job.Format, job.Key, job.Target))
	return filepath.Join(dir, "ouro", "import-"+hex.EncodeToString(sum[:8])+".json"), nil
}

// Resume reads the progress of a job from the file at path. What is not there,
// or is about another file, starts at the beginning.
func Resume(path string, job Job) (*Progress, error) {
	fresh := &Progress{Job: job, path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return nil, err
	}
	var p Progress
	if err := json.Unmarshal(b, &p); err != nil || p.Job.File == "" { // it would be replaced, and removed at the end
		return nil, fmt.Errorf("%s is not the progress of an import: remove it to start at the beginning, or name another file with --state", path)
	}
	if !p.Job.equal(job) || p.Position.Offset > job.Size {
		return fresh, nil
	}
	p.path = path
	return &p, nil
}

func (j Job) equal(o Job) bool {
	a, errA := json.Marshal(j)
	b, errB := json.Marshal(o)
	return errA == nil && errB == nil && string(a) == string(b)
}

// Save stores how far the import came. A torn file would only cost time, so it
// is replaced in one step but not synced.
func (p *Progress) Save(at Position) error {
	p.Position, p.Written = at, time.Now().UTC()
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	tmp := p.path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, p.path)
}

// Finish removes the file: the next import of the file starts at the beginning.
func (p *Progress) Finish() error {
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
