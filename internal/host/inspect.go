package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
)

var _ ouro.Inspector = (*Host)(nil)

// outside says why this node is in no cluster, or returns nil.
func (h *Host) outside() error {
	switch v := h.view.Load(); {
	case v.Ring.Q() > 0:
		return nil
	case v.Expelled:
		return errRemoved
	default:
		return errOutside
	}
}

var errRemoved = errors.New("this node was removed from its cluster and is fenced for ever: stop it; its machine may join again with an empty data folder and a new --id")

var errOutside = errors.New("this node is in no cluster: it waits to be joined to one; run 'ouro cluster join' at a member, or 'ouro cluster init' here")

// stranger says why members would not tell this node what they hold, or returns nil:
// they serve the requests of whoever is no member, and leave its questions unanswered.
func (h *Host) stranger() error {
	why := h.outside()
	if v := h.view.Load(); why == nil && !core.Admits(v, v.Self, node.KindSurvey) {
		why = errStranger
	}
	if why == nil {
		return nil
	}
	return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "%v", why)
}

var errStranger = errors.New("this node is no member of the cluster, and what members hold they tell members alone: ask one of them, or let this node join with 'ouro cluster join'")

// Ready implements [ouro.Inspector].
func (h *Host) Ready() error {
	if h.closing.Load() {
		return errors.New("the node is stopping")
	}
	return h.outside()
}

// Status implements [ouro.Inspector].
func (h *Host) Status() ouro.Status {
	v := h.view.Load()
	b := effective(v, v.Buckets.Default)
	st := ouro.Status{
		Node: string(v.Self), Cluster: h.cfg.Cluster, ClusterID: fmt.Sprintf("%016x", h.cfg.ClusterID),
		Version: h.cfg.Version, Engine: h.cfg.Engine, Started: h.started, Starts: h.cfg.Starts,
		Shards: len(h.shards), Q: v.Ring.Q(), Epoch: v.Ring.Epoch(), RingHash: fmt.Sprintf("%x", v.Ring.Hash()),
		Defaults: ouro.QuorumInfo{N: b.N, R: b.R, W: b.W, PR: b.PR, PW: b.PW, DW: b.DW},
		Notes:    h.notes(), Recovering: h.recovering(),
		InFlight: int(h.flight.Load()),
	}
	owned, seen := ownedBy(v.Ring), h.peers()
	st.Reaping, st.Admission, st.HotKeys = h.reaping(), h.Admission(), h.HotKeys()
	for _, m := range h.members() {
		self, p := m.Node.ID == v.Self, seen[m.Node.ID]
		st.Members = append(st.Members, ouro.MemberInfo{
			Suspected: p.Suspected, Late: p.Late, ReadP95: p.Reads.Seconds(), WriteP95: p.Writes.Seconds(),
			ID: string(m.Node.ID), Peer: m.Peer, Zone: m.Node.Zone, DC: m.Node.DC, Weight: m.Node.Weight,
			Partitions: len(owned[m.Node.ID]), Up: self || h.links.up(m.Node.ID), Self: self,
		})
	}
	if until := h.RepairPaused(); !until.IsZero() {
		st.Notes = append(slices.Clone(st.Notes), fmt.Sprintf("repair is paused until %s: replicas that differ stay so; 'ouro repair resume' ends that", until.Format(time.RFC3339)))
	}
	if note := h.fullNote(); note != "" {
		st.Notes = append(slices.Clone(st.Notes), note)
	}
	if usage, err := h.engine.Usage(); err == nil {
		st.DiskBytes, st.FreeBytes = usage.DiskBytes, usage.FreeBytes
	} else {
		st.Notes = append(slices.Clone(st.Notes), "the engine can't tell how much it holds: "+err.Error())
	}
	return st
}

// Ring implements [ouro.Inspector].
func (h *Host) Ring() ouro.RingInfo {
	r := h.view.Load().Ring
	info := ouro.RingInfo{Q: r.Q(), Epoch: r.Epoch(), Hash: fmt.Sprintf("%x", r.Hash())}
	owned := ownedBy(r)
	for _, n := range r.Nodes() {
		info.Nodes = append(info.Nodes, ouro.RingNode{
			ID: string(n.ID), Zone: n.Zone, DC: n.DC, Weight: n.Weight, Tokens: owned[n.ID],
		})
	}
	return info
}

// ownedBy lists the numbers of the tokens of each node.
func ownedBy(r *ring.Ring) map[ring.NodeID][]uint32 {
	owned := map[ring.NodeID][]uint32{}
	for i, t := range r.Tokens() {
		owned[t.Owner] = append(owned[t.Owner], uint32(i))
	}
	return owned
}

// Owners implements [ouro.Inspector].
func (h *Host) Owners(key ouro.Key) (ouro.OwnersInfo, error) {
	if err := key.Validate(); err != nil {
		return ouro.OwnersInfo{}, err
	}
	v := h.view.Load()
	k := ring.NewKey(key.Bucket, key.Name)
	partition := v.Ring.Partition(k.Pos)
	info := ouro.OwnersInfo{
		Bucket: key.Bucket, Key: key.Name, Position: fmt.Sprintf("%016x%016x", k.Pos.Hi, k.Pos.Lo),
		Partition: partition, N: effective(v, v.Buckets.Of(key.Bucket)).N,
	}
	if v.Ring.Q() == 0 {
		return ouro.OwnersInfo{}, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "%v", h.outside())
	}
	primaries := v.Primaries(partition, info.N)
	for _, id := range primaries {
		info.Primaries = append(info.Primaries, string(id))
	}
	for _, id := range v.StandIns(nil, partition, primaries, len(v.Ring.Nodes())) {
		info.Fallbacks = append(info.Fallbacks, string(id))
	}
	return info, nil
}

// effective returns the settings of a bucket with what so few members can do.
func effective(v *node.View, b node.Bucket) node.Bucket {
	if v.Place != nil {
		return member.EffectiveBucket(b, len(v.Place.Members()))
	}
	return member.EffectiveBucket(b, len(v.Ring.Nodes()))
}

// Replica implements [ouro.Inspector]. It may show a version that is not synced
// yet.
func (h *Host) Replica(_ context.Context, key ouro.Key) (ouro.ReplicaInfo, error) {
	if err := key.Validate(); err != nil {
		return ouro.ReplicaInfo{}, err
	}
	v := h.view.Load()
	k := ring.NewKey(key.Bucket, key.Name)
	partition := v.Ring.Partition(k.Pos)
	record, err := h.shardOf(partition).disk.Inspect(partition, k)
	info := ouro.ReplicaInfo{Node: string(v.Self), Bucket: key.Bucket, Key: key.Name}
	return h.describe(info, record, err), nil
}

// describe fills in what a record says.
func (h *Host) describe(info ouro.ReplicaInfo, record []byte, err error) ouro.ReplicaInfo {
	if err != nil {
		info.Status, info.Reason = "failed", err.Error()
		return info
	}
	if record == nil {
		info.Status = "absent"
		return info
	}
	state, err := replica.DecodeRecord(record)
	if err != nil {
		info.Status, info.Reason = "failed", err.Error()
		return info
	}
	return h.describeState(info, &state)
}

// describeState fills in what a state says.
func (h *Host) describeState(info ouro.ReplicaInfo, state *causal.State) ouro.ReplicaInfo {
	info.Status = "have"
	info.Tombstone = len(state.Versions) == 0
	info.Floor = state.Floor
	digest := causal.Digest(state.Append(nil), h.cfg.Replica.Seed)
	info.Digest = fmt.Sprintf("%016x%016x", digest.Hi, digest.Lo)
	for _, e := range state.Vector {
		info.Vector = append(info.Vector, ouro.EntryInfo{Actor: actorName(e.Actor), N: e.N, Time: time.UnixMilli(e.Time).UTC()})
	}
	for _, d := range state.Exceptions {
		info.Exceptions = append(info.Exceptions, dotName(d))
	}
	for i := range state.Versions {
		info.Versions = append(info.Versions, describeVersion(&state.Versions[i]))
	}
	return info
}

func describeVersion(v *causal.Version) ouro.VersionInfo {
	info := ouro.VersionInfo{
		Dot: dotName(v.Dot), Modified: time.UnixMilli(v.Stamp.Millis()).UTC(),
		ContentType: v.ContentType, Value: v.Value, Bytes: len(v.Value), Deleted: v.Deleted,
	}
	if v.Expiry != 0 {
		info.Expires = time.UnixMilli(v.Expiry).UTC()
	}
	return info
}

func actorName(a causal.Actor) string { return fmt.Sprintf("%016x.%d", a.Run, a.Life) }

func dotName(d causal.Dot) string { return fmt.Sprintf("%s:%d", actorName(d.Actor), d.N) }
