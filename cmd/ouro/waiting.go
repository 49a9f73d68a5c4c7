package main

import (
	"context"
	"errors"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/config"
)

var errWaiting = errors.New("this node has seeds but no members: it waits to be joined to their cluster, which is not possible yet; start every node with the same --members instead")

// waitForJoin serves only operators: the node is no member of a cluster yet.
func (n *node) waitForJoin() {
	n.log.Warn(errWaiting.Error(), "seeds", n.cfg.Seeds)
	n.listeners.clients.Close()
	n.listeners.peers.Close()
	n.serveOperators(outsider{n.cfg, time.Now()}, nil)
}

// outsider is what a node shows that is no member of a cluster.
type outsider struct {
	cfg     *config.Config
	started time.Time
}

var _ ouro.Inspector = outsider{}

func (o outsider) Status() ouro.Status {
	return ouro.Status{Node: o.cfg.ID, Cluster: o.cfg.Cluster, Version: version, Engine: o.cfg.Engine, Started: o.started, FreeBytes: -1, Notes: []string{errWaiting.Error()}}
}

func (o outsider) Ring() ouro.RingInfo { return ouro.RingInfo{} }

func (o outsider) Owners(ouro.Key) (ouro.OwnersInfo, error) { return ouro.OwnersInfo{}, o.refusal() }

func (o outsider) Replica(context.Context, ouro.Key) (ouro.ReplicaInfo, error) {
	return ouro.ReplicaInfo{}, o.refusal()
}

func (o outsider) Hints(context.Context) (ouro.HintsInfo, error) {
	return ouro.HintsInfo{}, o.refusal()
}

func (o outsider) Repair(context.Context) (ouro.RepairInfo, error) {
	return ouro.RepairInfo{}, o.refusal()
}

func (o outsider) Ready() error { return errWaiting }

func (o outsider) refusal() error {
	return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "%v", errWaiting)
}
