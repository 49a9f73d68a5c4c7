package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Format is the newest format of a data folder that this binary reads and the
// one it writes.
const Format = 1

// keptRuns is how many starts a folder remembers (RULES R11).
const keptRuns = 64

// ID is a random 64-bit id; its text is 16 hexadecimal digits.
type ID uint64

// String returns the id as 16 hexadecimal digits.
func (i ID) String() string { return fmt.Sprintf("%016x", uint64(i)) }

// MarshalText is [ID.String].
func (i ID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText is the inverse of [ID.String].
func (i *ID) UnmarshalText(b []byte) error {
	v, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil || len(b) != 16 {
		return fmt.Errorf("%q is not an id of 16 hexadecimal digits", b)
	}
	*i = ID(v)
	return nil
}

// Identity is what node.json says of its folder. Everything but the starts is
// fixed when the folder is made.
type Identity struct {
	Format    int    `json:"format"`
	Node      string `json:"node"`
	Cluster   string `json:"cluster"`
	ClusterID ID     `json:"cluster_id"`
	Q         int    `json:"q"`
	Engine    string `json:"engine"`
	DiskID    ID     `json:"disk_id"` // drawn when the folder is made (RULES R13)
	Starts    uint64 `json:"starts"`  // how often the folder was opened to serve
	Runs      []ID   `json:"runs"`    // run ids of the last 64 starts, this one last
}

func (id *Identity) recordStart(run uint64) {
	id.Starts++
	id.Runs = append(id.Runs, ID(run))
	if extra := len(id.Runs) - keptRuns; extra > 0 {
		id.Runs = id.Runs[extra:]
	}
}

// check says how the folder at path differs from what the process is
// configured to be, and what to do about it.
func (id *Identity) check(path string, want Want) error {
	switch {
	case want.Cluster != "" && want.Cluster != id.Cluster:
		return fmt.Errorf("the data folder %s belongs to cluster %q, not %q: use the folder of this cluster, or start with --cluster %s", path, id.Cluster, want.Cluster, id.Cluster)
	case want.Node != "" && want.Node != id.Node:
		return fmt.Errorf("the data folder %s is that of node %q, not %q: every node has a folder of its own; start with --id %s or use another --data folder", path, id.Node, want.Node, id.Node)
	case want.Q != 0 && want.Q != id.Q:
		return fmt.Errorf("the data folder %s was made with %d partitions, not %d: their number is fixed when a cluster is made; start with --q %d", path, id.Q, want.Q, id.Q)
	case want.ClusterID != 0 && ID(want.ClusterID) != id.ClusterID:
		return fmt.Errorf("the data folder %s belongs to another cluster named %q (id %s, not %s): it was made with another cluster key or another list of members; start with the --cluster-key-file and the --members it was made with, or use another --data folder", path, id.Cluster, id.ClusterID, ID(want.ClusterID))
	case want.Engine != "" && want.Engine != id.Engine:
		return fmt.Errorf("the data folder %s was written by engine %q, not %q: start with --engine %s, or use another --data folder", path, id.Engine, want.Engine, id.Engine)
	}
	return nil
}

// readIdentity returns the identity of the folder at path, if it has one.
func readIdentity(path string) (Identity, bool, error) {
	file := filepath.Join(path, identityName)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Identity{}, false, nil
	}
	if err != nil {
		return Identity{}, false, fmt.Errorf("the identity of the data folder can't be read: %w", err)
	}
	id, err := parseIdentity(b)
	if err != nil {
		return Identity{}, false, fmt.Errorf("%s: %w", file, err)
	}
	return id, true, nil
}

func parseIdentity(b []byte) (Identity, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Identity{}, fmt.Errorf("damaged (%v): restore the file from a backup of the folder; the data itself is not touched", err)
	}
	if head.Format > Format {
		return Identity{}, fmt.Errorf("the folder has format %d, this binary reads up to %d: start it with the newer ouro that wrote it", head.Format, Format)
	}
	var id Identity
	if err := json.Unmarshal(b, &id); err != nil {
		return Identity{}, fmt.Errorf("damaged (%v): restore the file from a backup of the folder; the data itself is not touched", err)
	}
	if id.Format < 1 || id.Node == "" || id.Cluster == "" || id.Q < 1 || id.Starts < uint64(len(id.Runs)) {
		return Identity{}, errors.New("damaged (fields are missing): restore the file from a backup of the folder; the data itself is not touched")
	}
	return id, nil
}

// writeIdentity replaces the identity in one step that survives a power cut:
// the old file or the new one is there, never a mixture.
func writeIdentity(path string, id Identity) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	return ReplaceFile(filepath.Join(path, identityName), append(b, '\n'), 0o600)
}
