package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Format is the newest format of a data folder that this binary reads and the
// one it writes.
const Format = 3

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

// Identity is what node.json says of its folder. What it belongs to is fixed when
// the folder is made.
type Identity struct {
	Format    int    `json:"format"`
	Node      string `json:"node"`
	Cluster   string `json:"cluster"`
	ClusterID ID     `json:"cluster_id"`
	Q         int    `json:"q"`
	Engine    string `json:"engine"`
	DiskID    ID     `json:"disk_id"` // drawn when the folder is made, and anew after each loss (RULES R13)
	Starts    uint64 `json:"starts"`  // how often the folder was opened to serve
	Runs      []ID   `json:"runs"`    // run ids of the last 64 starts, this one last
	// Noted is the last start that the data knows of, too: data that knows only of an
	// earlier one was put back from a copy.
	Noted uint64 `json:"noted,omitempty"`

	// Replaced are disk ids that this node had before, as far as is known, oldest
	// first; at most 64.
	Replaced []ID `json:"replaced,omitempty"`
	// Confirmed: another node has taken this disk for one that follows from what
	// it remembers, so that it is not that of a node that lost its data.
	Confirmed bool `json:"confirmed,omitempty"`
	// Recover: what the folder holds may lack something that was acknowledged, and
	// the data does not say so yet.
	Recover bool `json:"recover,omitempty"`
	// Grown: the node is of a cluster with others, and founds none of itself again.
	Grown bool `json:"grown,omitempty"`
	// Linked: a link of its cluster has named the disks of the members, as the node has
	// adopted it or was told. If the data no longer says so, it founds nothing again.
	Linked bool `json:"linked,omitempty"`
	// Forget: what the data knows of the cluster is to be forgotten before it is served.
	Forget bool `json:"forget,omitempty"`
	// Aside: the data is to be set aside before it is opened.
	Aside bool `json:"aside,omitempty"`
	// Alive is when the node was last known to run, wall-clock milliseconds.
	Alive int64 `json:"alive,omitempty"`
	// Peers is what is remembered of the folders of other nodes (RULES R11).
	Peers []Peer `json:"peers,omitempty"`
}

// Peer is what is remembered of another node's folder.
type Peer struct {
	Node    string `json:"node"`
	DiskID  ID     `json:"disk_id"`
	Starts  uint64 `json:"starts"`
	Run     ID     `json:"run"`               // of the start numbered so
	Retired []ID   `json:"retired,omitempty"` // disks that it had before
}

// comeBack makes the folder another disk, one that may have forgotten something
// (RULES R9).
func (id *Identity) comeBack() {
	old := id.DiskID
	id.DiskID, id.Recover, id.Confirmed = newID(), true, true
	id.replaces(old)
}

// replaceAll is replaces of several; it says whether any of them is news.
func (id *Identity) replaceAll(old []uint64) bool {
	news := false
	for _, o := range old {
		news = id.replaces(ID(o)) || news
	}
	return news
}

// replaces notes a disk that came before, and says whether that is news.
func (id *Identity) replaces(old ID) bool {
	if old == 0 || old == id.DiskID || slices.Contains(id.Replaced, old) {
		return false
	}
	id.Replaced = append(slices.Clone(id.Replaced), old)
	id.Replaced = id.Replaced[max(0, len(id.Replaced)-keptRuns):]
	return true
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
		return fmt.Errorf("the data folder %s belongs to another cluster named %q (id %s, not %s): it was made with another cluster key; start with the --cluster-key-file it was made with, or use another --data folder", path, id.Cluster, id.ClusterID, ID(want.ClusterID))
	case want.Engine != "" && want.Engine != id.Engine:
		return fmt.Errorf("the data folder %s was written by engine %q, not %q: start with --engine %s, or use another --data folder", path, id.Engine, want.Engine, id.Engine)
	}
	return nil
}

// readIdentity returns the identity of the folder at path, if it has one.
func readIdentity(path string) (Identity, bool, error) {
	file := filepath.Join(path, identityName)
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Identity{}, false, nil
	case errors.Is(err, unix.ENOTDIR):
		return Identity{}, false, fmt.Errorf("%s is not a folder: name one with --data, which need not be there yet", path)
	case err != nil:
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
	if head.Format == 1 || head.Format == 2 {
		return Identity{}, fmt.Errorf("the folder has format %d, of an ouro from before the first version: export its data with that ouro, and import it into a new cluster; the folder is left as it is", head.Format)
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
