package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/member"
	corenode "github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/scrub"
	"github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/datadir"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/frontend/admin"
	"github.com/ourodb/ouro/internal/frontend/resp"
	"github.com/ourodb/ouro/internal/frontend/rpc"
	"github.com/ourodb/ouro/internal/frontend/web"
	"github.com/ourodb/ouro/internal/host"
	"github.com/ourodb/ouro/internal/security"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/telemetry"
	"github.com/ourodb/ouro/internal/transport"
)

// node is everything that runs in one serving process.
type node struct {
	cfg     *config.Config
	built   admin.Build
	log     *slog.Logger
	level   *slog.LevelVar
	metrics *telemetry.Metrics
	reg     *prometheus.Registry
	failed  chan error // a listener gave up

	troubles troubles
	stopping atomic.Bool
	again    sync.Once // the node is to be started again, for a first reason

	recovering bool          // something was, when the node started
	lost       bool          // all may be, and it is not known yet what there was
	ended      chan struct{} // closed when the node stops
	noting     sync.WaitGroup
	end        sync.Once

	places    places
	listeners listeners
	damage    damage
	dir       *datadir.Dir
	engine    store.Engine
	links     *transport.Transport
	host      *host.Host
	clients   *http.Server
	redis     *resp.Server
	remote    *rpc.Server
	operators *http.Server
}

// startNode starts a node as configured. On an error nothing is left running.
func startNode(cfg *config.Config, o Options) (_ *node, err error) {
	n := &node{cfg: cfg, built: o.Build, level: new(slog.LevelVar), ended: make(chan struct{}), failed: make(chan error, 5)}
	if err := n.level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, fmt.Errorf("log-level: %w", err)
	}
	if n.log, err = telemetry.NewLogger(o.Log, cfg.LogFormat, n.level); err != nil {
		return nil, err
	}
	n.reg = prometheus.NewRegistry()
	n.metrics = telemetry.New(n.reg, o.Build.Version, n.log)
	defer func() {
		if err != nil {
			n.stop(0)
		}
	}()
	if n.places, err = placesFor(cfg, n.log); err != nil {
		return nil, err
	}
	if n.listeners, err = listen(cfg); err != nil {
		return nil, err
	}
	for _, warning := range []string{exposedWarning(cfg), elsewhereWarning(cfg)} {
		if warning != "" {
			n.log.Warn(warning)
		}
	}
	if err = n.build(o.Playground != ""); err != nil {
		return nil, tellDamage(cfg.Data, err)
	}
	n.run(o.Playground)
	return n, nil
}

// build makes the parts of a node, from the folder up.
func (n *node) build(faults bool) error {
	keys, err := security.ClusterKeys(n.cfg.Cluster, n.cfg.ClusterKeyFile, n.cfg.AllowReadableSecrets)
	if err != nil {
		return err
	}
	founding, err := foundingOf(n.cfg)
	if err != nil {
		return err
	}
	clusterID := keys.ClusterID(member.ClusterID(n.cfg.Cluster))
	if err := n.openData(clusterID); err != nil {
		return err
	}
	forsaken := n.forsaken(founding)
	if forsaken {
		founding = member.History{}
	}
	known := n.stewardConfig(founding, clusterID)
	view, differs, err := host.View(n.engine, known)
	if err != nil {
		return err
	}
	if forsaken && view.Ring.Q() == 0 {
		n.log.Warn("the data of this node is lost, and it was in a cluster with others: it waits until it hears of that from one of them, and founds none anew")
	}
	if differs && len(n.cfg.Members) > 0 {
		n.log.Warn("the members, their places or the buckets of the configuration are not those that this node's cluster began with: what is on the disk counts; see 'ouro cluster status'")
	}
	doubt, err := n.settleDisk(view)
	if err != nil {
		return err
	}
	if host.Linked(view) {
		n.linked()
	}
	id := n.dir.Identity() // the disk may be a new one by now
	known.Disk, known.Linked, known.Recovering = uint64(id.DiskID), id.Linked, n.recovering
	handler := newLinkHandler(n)
	if n.links, err = transport.New(n.linkConfig(clusterID, faults), handler); err != nil {
		return err
	}
	if n.host, err = host.New(n.hostConfig(keys, clusterID, known, doubt), n.engine); err != nil {
		return err
	}
	handler.host = n.host
	n.watch()
	n.host.Start()
	return nil
}

// openData opens the data folder and the engine in it, and lets go of what the node is
// to forget.
func (n *node) openData(clusterID uint64) (err error) {
	n.dir, err = datadir.Open(n.cfg.Data, datadir.Want{
		Node: n.cfg.ID, Cluster: n.cfg.Cluster, ClusterID: clusterID, Q: n.cfg.Q, Engine: n.cfg.Engine,
	}, newRun())
	if err != nil {
		return err
	}
	if n.engine, err = n.openEngine(); err != nil {
		return err
	}
	return n.forget()
}

// watch has the metrics look at the host whenever they are read.
func (n *node) watch() {
	n.metrics.WatchDisk(n.host.Space)
	n.metrics.WatchHints(n.host.HintBytes, n.host.OldestHint)
	n.metrics.WatchRecovery(n.host.Recovering)
	n.metrics.WatchChain(n.host.Diverged)
	n.metrics.WatchAgreement(n.host.SinceAgreed)
	n.metrics.WatchRepair(n.host.RepairPeers, n.host.RepairPaused)
	n.metrics.WatchAdmission(n.host.Admission)
	n.metrics.WatchHotKeys(n.host.HotKeys)
	n.metrics.WatchSent(n.host.Sent)
	n.metrics.WatchDamage(n.damage.count)
	n.metrics.WatchScrub(n.host.ScrubAge)
	n.metrics.WatchStaleness(n.host.Staled)
	n.metrics.WatchReaping(n.host.ReapingEpoch, n.host.ReapingAge)
}

// foundingOf is the history of the cluster that the configuration forms; it is empty
// where the node waits to be joined to one.
func foundingOf(cfg *config.Config) (member.History, error) {
	members := cfg.StaticMembers()
	if len(members) == 0 {
		return member.History{}, nil
	}
	return member.Genesis(cfg.Cluster, members, cfg.Q, cfg.FoundingBuckets()...)
}

// forsaken says whether a founding is that of a cluster of this node alone, which has
// seen others since: if its data is lost they know what became of the cluster, and it
// must not begin anew without them.
func (n *node) forsaken(founding member.History) bool {
	id := n.dir.Identity()
	return founding.Len() > 0 && len(n.cfg.StaticMembers()) == 1 && (id.Grown || len(id.Peers) > 0)
}

// foundingHere is what an operator founds at a node that waits to be joined.
func (n *node) foundingHere(addr string) steward.Found {
	self := member.Member{Addr: addr}
	self.ID, self.Weight, self.Zone, self.DC = ring.NodeID(n.cfg.ID), n.cfg.Weight, n.cfg.Zone, n.cfg.DC
	return steward.Found{Name: n.cfg.Cluster, Q: n.cfg.Q, Self: self, Buckets: n.cfg.FoundingBuckets()}
}

// stewardConfig is what the node begins to know of its cluster.
func (n *node) stewardConfig(founding member.History, clusterID uint64) steward.Config {
	every := n.cfg.Limits.EpochInterval
	return steward.Config{
		Self: ring.NodeID(n.cfg.ID), Addr: n.peerAddr(), Founding: founding, Disk: uint64(n.dir.Identity().DiskID),
		Gossip: gossip.Config{Cluster: clusterID, Seeds: n.cfg.SeedList()},
		Epochs: reap.EpochConfig{Every: every, Tell: min(every, time.Second)},
	}
}

// dial lets there be links to those that the steward names, and to no others. One that
// was removed finds out when its links end and it makes them anew.
func (n *node) dial(peers []steward.Peer) {
	addrs := map[string]string{}
	for _, p := range peers {
		addrs[string(p.ID)] = p.Addr
	}
	n.links.SetPeers(addrs)
	n.metrics.Peers(slices.Collect(maps.Keys(addrs)))
	n.links.Expel(n.host.Fenced)
}

// fatal ends the process: after a failed sync nothing may be acknowledged any
// more (RULES R27).
func (n *node) fatal(err error) {
	n.log.Error("the disk can't be trusted any more, so this node ends; what was in flight is unknown", "error", tellDamage(n.cfg.Data, err))
	os.Exit(ExitDisk)
}

func (n *node) linkConfig(clusterID uint64, faults bool) transport.Config {
	id := n.dir.Identity()
	l := n.cfg.Limits
	return transport.Config{
		Self: transport.Hello{
			Cluster: n.cfg.Cluster, ClusterID: clusterID, Node: n.cfg.ID, Addr: n.peerAddr(), Clients: n.clientAddr(),
			Starts: id.Starts, Runs: numbers(id.Runs), Disk: uint64(id.DiskID), Replaced: numbers(id.Replaced), Recovering: n.recovering,
		},
		Log: n.log, Seed: rand.Uint64(), Faults: faults,
		MaxFrame: int(l.MaxFrame), MaxPending: int(l.MaxPending), MaxLinks: n.places.links(), MaxHandshakes: n.places.handshakes(),
	}
}

// numbers are ids as the wire has them.
func numbers(ids []datadir.ID) []uint64 {
	var n []uint64
	for _, id := range ids {
		n = append(n, uint64(id))
	}
	return n
}

func (n *node) hostConfig(keys security.Keys, clusterID uint64, known steward.Config, doubt bool) host.Config {
	l := n.cfg.Limits
	limits := causal.Limits{Exceptions: l.Exceptions, Prune: l.Prune, PruneHard: l.PruneHard, PruneAge: l.PruneAge.Milliseconds()}
	return host.Config{
		Cluster: n.cfg.Cluster, ClusterID: clusterID, Version: n.built.Version, Engine: n.cfg.Engine, Starts: n.dir.Identity().Starts, Clients: n.clientAddr(),
		Shards: shards(n.cfg.Shards), Inbox: l.Inbox, MaxValue: int(l.MaxValue), MaxFrame: int(l.MaxFrame), Reserve: int64(l.DiskReserve),
		TokenKey: keys.Request, ContextKey: keys.Sealing[:],
		Core: corenode.Config{
			MaxInFlight: l.MaxInFlight, MaxExplain: l.MaxExplain, RepairWait: l.RepairWait,
			Handoff: handoff.Config{MaxAge: l.MaxHintAge}, Repair: repair.Config{Off: !n.cfg.Compare, MoveRate: int(l.TransferRate) / shards(n.cfg.Shards)},
			Admit:       admit.Config{Threshold: l.SlowRead, Off: l.SlowRead == 0},
			Scrub:       scrub.Config{Within: l.ScrubWithin, Off: l.ScrubWithin == 0, Rate: int(l.ScrubRate) / shards(n.cfg.Shards)},
			ArchiveRate: int(l.ArchiveRate), // whole: an archive goes from one partition, and so one shard, to the next
		},
		Replica: replica.Config{
			Seed: keys.Digest, Limits: limits, MaxSiblings: l.MaxSiblings, TokenTTL: l.RequestTokenTTL, TokenMax: l.RequestTokens,
		},
		Canary: n.cfg.Canary, Reader: readerAt(clusterID),
		Disk: disk.Config{MaxPending: int64(l.MaxHints)}, Steward: known, Q: n.cfg.Q,
		Doubt: doubt, Notes: notes(keys), Troubles: func() []string { return slices.Concat(n.damage.notes(), n.troubles.list()) }, Links: n.links, Dial: n.dial, Seek: (&seeker{node: n}).seek, OtherQ: n.otherQ, Lost: n.lost, Learned: n.learned, Recheck: func() { go n.links.Recheck() }, Founding: n.foundingHere(known.Addr), Observer: n.metrics, Log: n.log, Fatal: n.fatal,
		RolledBack: func() { n.rolledBack("another member has seen this node in a later epoch than its data is in") },
		Forgot:     n.forgot, Linked: n.linked,
	}
}

// notes are what 'ouro status' should tell an operator.
func notes(keys security.Keys) []string {
	if !keys.Public {
		return nil
	}
	return []string{"no cluster-key-file: contexts are sealed with a key made of the cluster's name, which stops accidents but no attacker"}
}

// readerAt returns how the canary reaches a node as its clients do.
func readerAt(clusterID uint64) func(addr string) (host.Reader, error) {
	return func(addr string) (host.Reader, error) {
		return client.New(addr, client.ClusterID(fmt.Sprintf("%016x", clusterID)), client.MaxConns(1))
	}
}

// shards chooses how many goroutines own partitions: fewer make larger batches.
func shards(configured int) int {
	if configured > 0 {
		return configured
	}
	return max(1, min(8, runtime.GOMAXPROCS(0)/4))
}

// newRun draws the id of this start (RULES R11).
func newRun() uint64 { return rand.Uint64()>>1 + 1 }

// run serves clients, peers and operators.
func (n *node) run(playground string) {
	web := web.Config{MaxConns: n.places.http, Cluster: n.host.Routes().ClusterID, MaxValue: int(n.cfg.Limits.MaxValue), MaxDropped: int64(n.cfg.Limits.DrainBody), Rejected: n.metrics.Rejected, Faulted: n.metrics.Faulted}
	n.noting.Go(n.noteRunning)
	n.clients = n.serveClients(web)
	n.serveRedis()
	n.serveGRPC()
	n.serveOperators(web, playground)
	go func() {
		if err := n.links.Serve(n.listeners.peers); err != nil {
			n.failed <- fmt.Errorf("the port for other nodes: %w", err)
		}
	}()
	n.log.Info("serving", "node", n.cfg.ID, "cluster", n.cfg.Cluster, "start", n.dir.Identity().Starts,
		"clients", n.listeners.clients.Addr().String(), "peers", n.listeners.peers.Addr().String(), "admin", n.listeners.operators.Addr().String(), "redis", addrOf(n.listeners.redis), "grpc", addrOf(n.listeners.grpc))
}

func (n *node) serveClients(cfg web.Config) *http.Server {
	srv := web.Server(cfg, web.New(cfg, n.host))
	go n.serveHTTP(srv, web.Listen(cfg, n.listeners.clients), "clients")
	return srv
}

func (n *node) serveHTTP(srv *http.Server, l net.Listener, who string) {
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		n.failed <- fmt.Errorf("the port for %s: %w", who, err)
	}
}

// stop ends what was started, in the order in which parts need each other: no
// new requests, then those under way, then the links, the engine, the folder.
func (n *node) stop(patience time.Duration) error {
	n.stopping.Store(true)
	n.end.Do(func() { close(n.ended) })
	n.noting.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	n.stopClients(ctx)
	if n.host != nil {
		n.host.Close(patience)
	}
	if n.links != nil {
		n.links.Close()
	}
	if n.operators != nil {
		n.operators.Close()
	}
	n.listeners.close()
	var err error
	if n.engine != nil && n.host != nil {
		err = n.stoppedCleanly()
	}
	if n.engine != nil {
		err = errors.Join(err, n.engine.Close())
	}
	if n.dir != nil {
		err = errors.Join(err, n.dir.Close())
	}
	return err
}
