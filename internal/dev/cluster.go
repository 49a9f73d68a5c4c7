package dev

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/datadir"
)

// Options describe a cluster to run.
type Options struct {
	Dir      string        // its folder; made if need be
	Nodes    int           // 0: as many as the folder has, else 3
	Zones    int           // the nodes are in so many zones by turns; 0: as the folder has them, else in none
	BasePort int           // 0: free ports
	Binary   string        // path of the program that is a node
	Canary   time.Duration // how often each node writes a canary; 0: never
	// RESPBuckets are those that Redis clients SELECT by number, by commas; "": as by default.
	RESPBuckets string
	// Args returns the arguments that make the binary the given node.
	Args func(n Node, all []Node) []string
	Log  io.Writer // told when a node dies, one line each
}

// KeyFile returns the path of the cluster's key.
func (o Options) KeyFile() string { return filepath.Join(o.Dir, "cluster.key") }

// data returns the folder of node i, counted from 0.
func (o Options) data(i int) string { return filepath.Join(o.Dir, NodeID(i+1)) }

// Bounds on the number of nodes at a time, and on how many there ever were: an id is
// never used again, and the ports of node i end at base + 10*i.
const (
	defaultNodes = 3
	maxNodes     = 64
	maxEver      = 1000
)

// Cluster is a running cluster.
type Cluster struct {
	opts    Options
	lock    *datadir.Lock
	spawner *spawner
	socket  net.Listener
	temp    string // folder of the socket, where that is not Dir
	claims  *Claims
	stop    sync.Once

	mu       sync.Mutex // guards what follows
	info     Info
	running  []*process // by node, from 0; nil: never started
	faults   *faults
	stopping bool
}

// Run starts a cluster and returns once every node is ready and linked to every
// other. On an error nothing is left running.
func Run(ctx context.Context, opts Options) (*Cluster, error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, err
	}
	opts.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the cluster can't be made: %w", err)
	}
	lock, err := datadir.TakeLock(filepath.Join(dir, "dev.lock"))
	if errors.Is(err, datadir.ErrLocked) {
		return nil, fmt.Errorf("a dev cluster runs in %s already: use it, stop it with Ctrl-C, or choose another --dir", dir)
	}
	if err != nil {
		return nil, err
	}
	c := &Cluster{opts: opts, lock: lock}
	if err := c.prepare(); err != nil {
		c.release()
		return nil, err
	}
	if err := c.startAll(ctx); err != nil {
		c.Stop(0)
		return nil, err
	}
	return c, nil
}

// prepare settles nodes, ports, key and control socket.
func (c *Cluster) prepare() error {
	nodes, err := c.opts.places()
	if err != nil {
		return err
	}
	if c.claims, err = layOut(nodes, c.opts.BasePort); err != nil {
		return err
	}
	if err := makeKey(c.opts.KeyFile()); err != nil {
		return err
	}
	if c.socket, c.temp, err = listen(c.opts.Dir); err != nil {
		return fmt.Errorf("the control socket can't be opened: %w", err)
	}
	c.info = Info{Dir: c.opts.Dir, Nodes: nodes, Control: c.socket.Addr().String()}
	c.running = make([]*process, len(nodes))
	c.faults = newFaults(len(nodes))
	c.spawner, err = newSpawner()
	return err
}

// makeKey writes a random cluster key unless there is one.
func makeKey(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var key [32]byte
	rand.Read(key[:])
	return datadir.ReplaceFile(path, []byte(hex.EncodeToString(key[:])+"\n"), 0o600)
}

func (c *Cluster) startAll(ctx context.Context) error {
	var all []int
	for i, n := range c.info.Nodes {
		if !n.Gone {
			all = append(all, i)
		}
	}
	if err := c.spawn(all); err != nil {
		return err
	}
	if err := c.waitReady(ctx, all); err != nil {
		return err
	}
	go c.control(c.socket)
	return nil
}

// spawn starts the nodes, which must not run, counted from 0.
func (c *Cluster) spawn(nodes []int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return errors.New("the cluster is being stopped")
	}
	for _, i := range nodes {
		p, err := c.spawner.start(c.opts.Binary, c.opts.Args(c.info.Nodes[i], c.info.Nodes), c.info.Log(i+1), max(1, runtime.NumCPU()/len(c.info.Nodes)))
		if err != nil {
			return err
		}
		c.running[i] = p
		c.info.Nodes[i].PID = p.cmd.Process.Pid
		go c.watch(i, p)
	}
	return writeInfo(c.info)
}

// watch notes the death of a node.
func (c *Cluster) watch(i int, p *process) {
	<-p.done
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping || c.running[i] != p {
		return
	}
	c.info.Nodes[i].PID = 0
	how := "exit code 0"
	if p.ended != nil {
		how = p.ended.Error()
	}
	fmt.Fprintf(c.opts.Log, "%s ended (%s); start it with: ouro dev start %d --dir %s\n", NodeID(i+1), strings.TrimPrefix(how, "signal: "), i+1, c.info.Dir)
	if err := writeInfo(c.info); err != nil {
		fmt.Fprintf(c.opts.Log, "%s can't be written: %v\n", infoName, err)
	}
}

// Info describes the cluster as it is now.
func (c *Cluster) Info() Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := c.info
	in.Nodes = append([]Node(nil), in.Nodes...)
	return in
}

// Stop ends every node and returns when all are gone: it asks them, and kills
// those that have not ended after patience. Once is enough.
func (c *Cluster) Stop(patience time.Duration) {
	c.stop.Do(func() { c.end(patience) })
}

func (c *Cluster) end(patience time.Duration) {
	c.mu.Lock()
	c.stopping = true
	live := c.live()
	c.mu.Unlock()
	for _, p := range live {
		if patience > 0 {
			p.cmd.Process.Signal(unix.SIGTERM)
			p.cmd.Process.Signal(unix.SIGCONT) // a paused one hears nothing else
		}
	}
	deadline := time.After(patience)
	for _, p := range live {
		select {
		case <-p.done:
		case <-deadline:
			c.killAll()
			<-p.done
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.info.Nodes {
		c.info.Nodes[i].PID = 0
	}
	if err := writeInfo(c.info); err != nil {
		fmt.Fprintf(c.opts.Log, "%s can't be written: %v\n", infoName, err)
	}
	c.release()
}

// Abort kills every node at once, so that a Stop that waits for them returns.
func (c *Cluster) Abort() { c.killAll() }

func (c *Cluster) killAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.live() {
		p.cmd.Process.Kill()
	}
}

// live returns the processes that run.
func (c *Cluster) live() []*process {
	var live []*process
	for _, p := range c.running {
		if p != nil && p.running() {
			live = append(live, p)
		}
	}
	return live
}

// release gives back everything but the nodes.
func (c *Cluster) release() {
	if c.socket != nil {
		c.socket.Close()
	}
	if c.temp != "" {
		os.RemoveAll(c.temp)
	}
	if c.spawner != nil {
		c.spawner.close()
	}
	c.claims.Release()
	c.lock.Release()
}
