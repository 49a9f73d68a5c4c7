package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ourodb/ouro/internal/datadir"
)

const infoName = "dev.json"

// Info is what programs need to know of a cluster. It is what 'ouro dev -o json'
// prints, and the content of dev.json.
type Info struct {
	Dir     string `json:"dir"`
	Nodes   []Node `json:"nodes"`
	Control string `json:"control,omitempty"` // path of the supervisor's socket; only in dev.json
}

// Node is one node of a cluster; its addresses are HOST:PORT.
type Node struct {
	ID     string `json:"id"`
	PID    int    `json:"pid"` // 0: it does not run
	Client string `json:"client"`
	Peer   string `json:"peer"`
	Admin  string `json:"admin"`
	RESP   string `json:"resp"` // for Redis clients
	GRPC   string `json:"grpc"`
	Data   string `json:"data"`
	Zone   string `json:"zone,omitempty"`
	Added  bool   `json:"added,omitempty"` // it joined later: it is none of the founders
	Gone   bool   `json:"gone,omitempty"`  // it left the cluster, for ever
}

// NodeID returns the id of node i, counted from 1.
func NodeID(i int) string { return fmt.Sprintf("n%d", i) }

// Log returns the path of the file with what node i printed, counted from 1.
func (in Info) Log(i int) string { return filepath.Join(in.Dir, NodeID(i)+".log") }

// ReadInfo returns what the folder at dir says of its cluster.
func ReadInfo(dir string) (Info, error) {
	b, err := os.ReadFile(filepath.Join(dir, infoName))
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, fmt.Errorf("there is no dev cluster in %s: start one with 'ouro dev --dir %s'", dir, dir)
	}
	if err != nil {
		return Info{}, err
	}
	var in Info
	if err := json.Unmarshal(b, &in); err != nil {
		return Info{}, fmt.Errorf("%s is damaged: %w", filepath.Join(dir, infoName), err)
	}
	return in, nil
}

func writeInfo(in Info) error {
	b, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		return err
	}
	return datadir.ReplaceFile(filepath.Join(in.Dir, infoName), append(b, '\n'), 0o600)
}
