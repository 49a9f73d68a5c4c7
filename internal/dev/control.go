package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The verbs of a [Command].
const (
	Kill   = "kill"   // SIGKILL
	Start  = "start"  // start nodes that do not run
	Pause  = "pause"  // SIGSTOP
	Resume = "resume" // SIGCONT
	Cut    = "cut"    // part the nodes from the others, on peer links
	Slow   = "slow"   // delay what they send to other nodes
	Heal   = "heal"   // take cuts and delays back
	Add    = "add"    // start one more node, and let it join
	Spawn  = "spawn"  // start one more node, which waits to be joined
	Look   = "look"   // do nothing, and tell how the nodes are
	Leave  = "leave"  // let nodes hand on what they hold
	Retire = "retire" // stop nodes that have left, for ever
)

// Command is what a user asks of a running cluster.
type Command struct {
	Verb   string        `json:"verb"`
	Nodes  []int         `json:"nodes"` // counted from 1; none with Add, Spawn and Look
	OneWay bool          `json:"one_way,omitempty"`
	By     time.Duration `json:"by,omitempty"`
}

// Outcome says how the nodes are after a [Command].
type Outcome struct {
	Nodes []NodeState `json:"nodes"`
	Error string      `json:"error,omitempty"`
}

// NodeState is how one node is.
type NodeState struct {
	ID     string   `json:"id"`
	PID    int      `json:"pid"`
	Client string   `json:"client"` // addresses, HOST:PORT
	Peer   string   `json:"peer"`
	Admin  string   `json:"admin"`
	Zone   string   `json:"zone,omitempty"`
	State  string   `json:"state"`            // running, paused, dead or gone
	Faults []string `json:"faults,omitempty"` // what is wrong with its links, for people
}

// answerTimeout bounds how long a command may take: starting nodes is slowest.
const answerTimeout = 60 * time.Second

// Call has the supervisor of the cluster in dir carry out cmd.
func Call(dir string, cmd Command) (Outcome, error) {
	in, err := ReadInfo(dir)
	if err != nil {
		return Outcome{}, err
	}
	conn, err := net.Dial("unix", in.Control)
	if err != nil {
		return Outcome{}, fmt.Errorf("no dev cluster runs in %s: start it with 'ouro dev --dir %s'", dir, dir)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return Outcome{}, err
	}
	if err := json.NewEncoder(conn).Encode(cmd); err != nil {
		return Outcome{}, err
	}
	var out Outcome
	if err := json.NewDecoder(conn).Decode(&out); err != nil {
		return Outcome{}, fmt.Errorf("the dev cluster in %s gave no answer: %w", dir, err)
	}
	if out.Error != "" {
		return out, errors.New(out.Error)
	}
	return out, nil
}

// maxSocketPath is the longest path of a unix socket on every system.
const maxSocketPath = 100

// listen opens the control socket: in dir, or where that path is too long in a
// temporary folder, which is then returned to be removed.
func listen(dir string) (l net.Listener, temp string, err error) {
	path := filepath.Join(dir, "dev.sock")
	if len(path) > maxSocketPath {
		if temp, err = os.MkdirTemp("", "ouro-dev-"); err != nil {
			return nil, "", err
		}
		path = filepath.Join(temp, "dev.sock")
	}
	os.Remove(path) // of a supervisor that was killed: the lock is ours
	l, err = net.Listen("unix", path)
	return l, temp, err
}

// control answers commands until the socket is closed.
func (c *Cluster) control(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var cmd Command
			if err := json.NewDecoder(conn).Decode(&cmd); err != nil {
				return
			}
			out, err := c.Do(cmd)
			if err != nil {
				out.Error = err.Error()
			}
			json.NewEncoder(conn).Encode(out)
		}()
	}
}
