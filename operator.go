package ouro

import (
	"context"
	"time"
)

// Operator changes a cluster and its buckets, at any node of it (paper, section
// 4.8.1). Changes are staged at that node, looked at as a plan, and committed
// under the plan's version: a commit at a node that has learned of other changes
// meanwhile is refused, and the rest is planned again. What is staged is kept in
// memory.
type Operator interface {
	// Found founds a cluster of this one node, which is in none, by the name and
	// with the partitions and buckets it is configured with.
	Found(ctx context.Context) (ClusterInfo, error)
	// Stage adds changes to those staged at this node, all of them or none, and
	// returns the plan of all.
	Stage(ctx context.Context, changes []Change) (Plan, error)
	// Plan returns the plan of what is staged.
	Plan(ctx context.Context) (Plan, error)
	// Commit makes what is staged part of the cluster's history, under the version
	// of the plan that the operator saw.
	Commit(ctx context.Context, version string) (Committed, error)
	// Unstage forgets what is staged.
	Unstage(ctx context.Context) error
	// Restart goes on where the disks of so many members are lost that no majority is
	// left to name others: the members have the disks that they have now, but for
	// those named, who are none any more. What was promised to strict requests ends.
	Restart(ctx context.Context, without []string) (ClusterInfo, error)
	// Cluster returns who is in the cluster, and what moves.
	Cluster(ctx context.Context) (ClusterInfo, error)
	// SetTransferRate bounds what this node receives in moves, in bytes a second,
	// until it stops.
	SetTransferRate(ctx context.Context, bytesPerSecond int64) error
	// RunScrub makes this node read back all that it stores, from now on and as fast as
	// it may; PauseScrub makes it read nothing back until RunScrub, or until it starts
	// again.
	RunScrub(ctx context.Context) error
	PauseScrub(ctx context.Context) error
	// Bucket returns the settings of a bucket, Buckets those of all that are
	// defined, the default ("") first. SetBucket defines one, or changes what may
	// be changed; it takes effect without a plan.
	Bucket(ctx context.Context, name string) (BucketInfo, error)
	Buckets(ctx context.Context) ([]BucketInfo, error)
	SetBucket(ctx context.Context, name string, set BucketSettings) (BucketInfo, error)
}

// Verb says what a [Change] does.
type Verb string

// The verbs. The comment says which fields of a [Change] each uses.
const (
	Join        Verb = "join"         // Node, Addr, Zone, DC, Weight: a running node becomes a member
	Leave       Verb = "leave"        // Node: it hands on what it holds, and is a member no more
	Replace     Verb = "replace"      // Node, By, Addr: By takes exactly the place of Node
	Reweigh     Verb = "reweigh"      // Node, Weight
	Relabel     Verb = "relabel"      // Node, Zone, DC
	Readdress   Verb = "readdress"    // Node, Addr
	ForceRemove Verb = "force-remove" // Node: it will never come back; what only it holds is lost
)

// Change is one thing that an operator wants.
type Change struct {
	Verb   Verb   `json:"verb"`
	Node   string `json:"node"`
	By     string `json:"by,omitempty"`
	Addr   string `json:"addr,omitempty"` // of the node-to-node port
	Zone   string `json:"zone,omitempty"`
	DC     string `json:"dc,omitempty"`
	Weight int    `json:"weight,omitempty"` // 0: the usual, 1
}

// Plan is what would become of the cluster if what is staged were committed.
type Plan struct {
	Node    string   `json:"node"`    // at which it is staged
	Version string   `json:"version"` // of the history it was made against: Commit wants it
	Changes []string `json:"changes"` // staged, in order, in words
	// Tokens is how many partitions there are, Moved how many of them change their
	// first owner, Least the fewest that could have.
	Tokens int `json:"tokens"`
	Moved  int `json:"moved"`
	Least  int `json:"least"`
	// Lists is how many partitions change their preference list, Copies how many
	// replicas are made for it.
	Lists  int `json:"lists"`
	Copies int `json:"copies"`
	// Bytes is about what is sent, Seconds how long that takes at the rate set; less
	// than 0: not known.
	Bytes   int64        `json:"bytes"`
	Seconds float64      `json:"seconds"`
	Members []PlanMember `json:"members"`
	Moves   []PlanMove   `json:"moves"` // by partition
	// Guarantees says what is promised now, meanwhile and afterwards; Warnings what
	// an operator should think of first, such as what would be lost.
	Guarantees []string `json:"guarantees"`
	Warnings   []string `json:"warnings,omitempty"`
}

// PlanMember is what a plan means for one node.
type PlanMember struct {
	ID     string `json:"id"`
	Zone   string `json:"zone,omitempty"`
	DC     string `json:"dc,omitempty"`
	Weight int    `json:"weight"`
	Before int    `json:"before"` // partitions that it owns
	After  int    `json:"after"`
}

// PlanMove is a partition whose preference list changes.
type PlanMove struct {
	Partition uint32   `json:"partition"`
	From      []string `json:"from"`
	To        []string `json:"to"`
}

// Committed says what a commit did.
type Committed struct {
	Version string   `json:"version"` // of the history now
	Changes []string `json:"changes"`
}

// ClusterInfo is who is in the cluster and what moves, as one node sees it.
type ClusterInfo struct {
	Node    string          `json:"node"`
	Cluster string          `json:"cluster"`
	Version string          `json:"version"` // of the history; equal on nodes that agree
	Changes int             `json:"changes"` // in it
	Skipped []string        `json:"skipped,omitempty"`
	Staged  []string        `json:"staged,omitempty"` // at this node
	Members []ClusterMember `json:"members"`
	Removed []string        `json:"removed,omitempty"` // fenced for ever
	// Out: the node that is asked is a member no more and hears of nothing any more. All
	// else is what it knew last, without itself and without what moved.
	Out bool `json:"out,omitempty"`
	// Placement is the number of the newest link of the chain, Hash that of the
	// chain; equal on nodes that agree.
	Placement uint64 `json:"placement"`
	Hash      string `json:"placement_hash"`
	// Waiting is how many partitions have yet to begin a move, Moving how many
	// are in one, as this node knows.
	Waiting      int            `json:"waiting"`
	Moving       int            `json:"moving"`
	Transfers    []TransferInfo `json:"transfers"`     // to this node and, of what it must hand on, from it
	TransferRate int64          `json:"transfer_rate"` // bytes a second that this node receives at most in moves; 0: not known
	Certificates []Certificate  `json:"certificates"`  // of the moves that ended last, newest first
	// Waits says whom what is to happen waits for, and what an operator can do.
	Waits []string `json:"waits,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// ClusterMember is one node of the cluster.
type ClusterMember struct {
	ID     string `json:"id"`
	Peer   string `json:"peer"`
	Zone   string `json:"zone,omitempty"`
	DC     string `json:"dc,omitempty"`
	Weight int    `json:"weight"`
	// State is member, joining (it has no say in the chain yet), or leaving.
	State string `json:"state"`
	// Holds is how many partitions it holds, Target how many it is to hold.
	Holds  int    `json:"holds"`
	Target int    `json:"target"`
	Disk   string `json:"disk,omitempty"` // that the chain names; none yet: ""
	Up     bool   `json:"up"`
	Self   bool   `json:"self,omitempty"`
}

// TransferInfo is a partition on its way to, or from, this node.
type TransferInfo struct {
	Partition uint32    `json:"partition"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Why       string    `json:"why"` // "joins" or "leaves"
	Since     time.Time `json:"since"`
	Keys      int64     `json:"keys"`  // brought so far
	Bytes     int64     `json:"bytes"` // likewise
	Running   bool      `json:"running"`
	Error     string    `json:"error,omitempty"` // why the last attempt failed
	ErrorAt   time.Time `json:"error_at,omitzero"`
}

// Certificate says by what right a node counts for a partition after a move.
type Certificate struct {
	Link      uint64   `json:"link"` // that ended the move
	Partition uint32   `json:"partition"`
	Node      string   `json:"node"`
	N         int      `json:"n"`       // of the buckets it is good for
	R         int      `json:"r"`       // and their quorums
	W         int      `json:"w"`       //
	Sources   []string `json:"sources"` // whom it has compared with, completely
	Sealed    []string `json:"sealed"`  // members of the old list that had begun the move
}

// BucketInfo is how a bucket behaves.
type BucketInfo struct {
	Name    string `json:"name"`    // "": the default of all that nobody defined
	Defined bool   `json:"defined"` // else it has the defaults
	Mode    string `json:"mode"`    // siblings, lww or types
	// Durability is what is on disk when a write is acknowledged: all (every copy
	// that counts), one (one of them at least) or buffered (none need be).
	Durability string        `json:"durability"`
	Set        QuorumInfo    `json:"set"` // as defined
	InForce    QuorumInfo    `json:"in_force"`
	Timeout    time.Duration `json:"timeout_ns"`
	TTL        time.Duration `json:"ttl_ns"` // 0: versions do not expire
	Note       string        `json:"note,omitempty"`
}

// BucketSettings are settings to be changed; nil leaves one as it is, or at the
// default where the bucket is new.
type BucketSettings struct {
	N       *int           `json:"n,omitempty"`
	R       *int           `json:"r,omitempty"`
	W       *int           `json:"w,omitempty"`
	PR      *int           `json:"pr,omitempty"`
	PW      *int           `json:"pw,omitempty"`
	DW      *int           `json:"dw,omitempty"`
	Timeout *time.Duration `json:"timeout_ns,omitempty"`
	TTL     *time.Duration `json:"ttl_ns,omitempty"`
	Mode    *string        `json:"mode,omitempty"`
	// Durability is all, one or buffered.
	Durability *string `json:"durability,omitempty"`
}
