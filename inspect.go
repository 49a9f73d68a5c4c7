package ouro

import (
	"context"
	"time"
)

// Inspector shows a node from the inside, without changing anything. The admin
// port and the command line are written against it.
type Inspector interface {
	Status() Status
	Ring() RingInfo
	Owners(key Key) (OwnersInfo, error)
	// Replica returns this node's own state of a key, without repair.
	Replica(ctx context.Context, key Key) (ReplicaInfo, error)
	// ReplicaAt returns the state of a key at a member, as it tells this node, without
	// repair. Of a member that is no primary it is what is kept in the stead of others.
	ReplicaAt(ctx context.Context, member string, key Key) (ReplicaInfo, error)
	// Hints returns what this node keeps for others until they can be reached.
	Hints(ctx context.Context) (HintsInfo, error)
	// Repair returns how far this node has compared itself with others.
	Repair(ctx context.Context) (RepairInfo, error)
	// Verify adds some of this node's trees up from the records and compares, from
	// the place from on, which is "" at first and then what the one before said.
	Verify(ctx context.Context, from string) (VerifyInfo, error)
	// Scrub returns how far this node has read back what it stores.
	Scrub(ctx context.Context) (ScrubInfo, error)
	// Staleness returns how often reads are stale with so many replicas; 0: as many as a
	// bucket has that nobody defined.
	Staleness(ctx context.Context, n int) (Staleness, error)
	// Ready returns nil when this node can serve; it never depends on peers.
	Ready() error
}

// Archiver moves whole records between a cluster and an archive.
type Archiver interface {
	// Record returns the record of a key as r replicas have it: all versions that
	// survive and what has been seen, in a form that depends on no cluster.
	Record(ctx context.Context, key Key) ([]byte, error)
	// Restore merges such a record into that of the key, on w replicas: what has seen it
	// is not undone.
	Restore(ctx context.Context, key Key, record []byte) error
	// HeldBuckets returns the buckets of which this node holds anything.
	HeldBuckets(ctx context.Context) ([]string, error)
}

// Status describes one node and what it sees of its cluster.
type Status struct {
	Node      string       `json:"node"`
	Cluster   string       `json:"cluster"`
	ClusterID string       `json:"cluster_id"`
	Version   string       `json:"version"`
	Engine    string       `json:"engine"`
	Started   time.Time    `json:"started"`
	Starts    uint64       `json:"starts"` // how often this data folder was started
	Shards    int          `json:"shards"`
	Q         int          `json:"q"`
	Epoch     uint64       `json:"epoch"`
	RingHash  string       `json:"ring_hash"`
	Defaults  QuorumInfo   `json:"defaults"`        // in force for a bucket nobody defined
	Notes     []string     `json:"notes,omitempty"` // what an operator should know, such as fewer members than n
	Members   []MemberInfo `json:"members"`
	DiskBytes int64        `json:"disk_bytes"`
	FreeBytes int64        `json:"free_bytes"`
	InFlight  int          `json:"in_flight"` // client requests being coordinated here
	// Recovering says what this node may have forgotten; nil: nothing.
	Recovering *RecoveringInfo `json:"recovering,omitempty"`
	Reaping    ReapingInfo     `json:"reaping"`
	// Admission is how much of the node its background work may use.
	Admission AdmissionInfo `json:"admission"`
	HotKeys   HotKeysInfo   `json:"hot_keys"`
}

// HotKeysInfo is which keys are asked for so often at a node that they stand out: those
// that are refused something, as they have as many requests under way as one key may, and
// those that have an eighth of all requests and 100 a second. Of the last five to ten
// seconds; the others of the shard are served meanwhile (PAPER 9.11).
type HotKeysInfo struct {
	Keys    []HotKeyInfo `json:"keys"`    // the worst first, at most 4
	Most    int          `json:"most"`    // requests of one key that a shard has under way
	Refused uint64       `json:"refused"` // requests refused since the start, of whatever key
}

// HotKeyInfo is one of them.
type HotKeyInfo struct {
	Key     string  `json:"key"`     // as [Key.Brief] has it
	Rate    float64 `json:"rate"`    // requests a second, at least, refused ones included
	Refused float64 `json:"refused"` // of these, at least
}

// AdmissionInfo is how much of a node its background work may use, and why (paper,
// section 6.5). All of that work shares one pool of slices, over all shards. It shrinks
// while more than one in a hundred of the engine's reads for clients, or of waits in the
// node's queues, take longer than the threshold, counted over the last minute.
type AdmissionInfo struct {
	Off       bool            `json:"off,omitempty"` // nothing is held back, whatever is measured
	Slices    int             `json:"slices"`        // in the pool now
	Most      int             `json:"most"`          // where all goes at its full pace
	Kinds     []AdmissionKind `json:"kinds"`
	Threshold float64         `json:"threshold_seconds"`
	Over      bool            `json:"over"`             // beyond the threshold
	ReadP99   float64         `json:"read_p99_seconds"` // of Reads; 0: none, or too many failed
	WaitP99   float64         `json:"wait_p99_seconds"`
	Reads     int             `json:"reads"`  // of the engine for clients, in the last minute
	Failed    int             `json:"failed"` // of them
	Shrunk    uint64          `json:"shrunk"` // how often the pool was halved since the start
}

// AdmissionKind is one kind of background work: handoff, transfer, repair, scrub, reap
// or archive.
type AdmissionKind struct {
	Kind   string `json:"kind"`
	Slices int    `json:"slices"` // it has
	Most   int    `json:"most"`   // at its full pace
}

// RecoveringInfo is what a node may have forgotten after it had acknowledged it,
// because its disk was lost or restored, or a record can't be read. It takes
// writes, but does not count for reads there until it has compared with others.
type RecoveringInfo struct {
	Since      time.Time `json:"since,omitzero"`
	Partitions int       `json:"partitions"` // that are not current yet
	Records    int       `json:"records"`    // that can't be read, besides
	Comparing  int       `json:"comparing"`  // partitions that are being compared now
	// WaitsUntil is when the first comparison may begin: until then a request may
	// be under way that counts on what was forgotten.
	WaitsUntil time.Time `json:"waits_until,omitzero"`
	// Unconfirmed: the data folder is new and no other node has been heard yet, so
	// whether it took the place of another is not known.
	Unconfirmed bool   `json:"unconfirmed,omitempty"`
	Error       string `json:"error,omitempty"` // why the last comparison failed
	// Unhealed are records that can't be read and could not be had from other nodes
	// when that was tried last, 16 at most.
	Unhealed []UnhealedInfo `json:"unhealed,omitempty"`
}

// UnhealedInfo is a record that can't be read and could not be had from other nodes.
type UnhealedInfo struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	Partition uint32 `json:"partition"`
	Error     string `json:"error"`
}

// ReapingInfo is where a node stands in the reaping of tombstones (paper, section
// 4.4; item 9.4 of docs/paper.md).
type ReapingInfo struct {
	Epoch  uint64 `json:"epoch"`  // of this node
	Lowest uint64 `json:"lowest"` // that every member is known to have shown
	Keys   int    `json:"keys"`   // that wait to be reaped, as far as this node has them in mind
	Voted  int    `json:"voted"`  // of them, those that all primaries have voted for
	// Oldest is since when the oldest of them waits; zero: none.
	Oldest time.Time `json:"oldest,omitzero"`
	// HeldBy are the members that it waits for, Why says why; empty: it goes on.
	HeldBy []string `json:"held_by,omitempty"`
	Why    string   `json:"why,omitempty"`
}

// QuorumInfo is a set of quorum numbers.
type QuorumInfo struct {
	N  int `json:"n"`
	R  int `json:"r"`
	W  int `json:"w"`
	PR int `json:"pr"`
	PW int `json:"pw"`
	DW int `json:"dw"`
}

// MemberInfo is one member as this node sees it.
type MemberInfo struct {
	ID         string `json:"id"`
	Peer       string `json:"peer"` // address of its node-to-node port
	Zone       string `json:"zone,omitempty"`
	DC         string `json:"dc,omitempty"`
	Weight     int    `json:"weight"`
	Partitions int    `json:"partitions"` // tokens it owns
	Up         bool   `json:"up"`         // this node has a link to it
	Self       bool   `json:"self,omitempty"`
	// Suspected is what it leaves unanswered, of "reads", "writes", "buffered writes" and "forwards";
	// of the node itself that is its own disk. Others are asked in its stead.
	Suspected []string `json:"suspected,omitempty"`
	Late      bool     `json:"late,omitempty"` // answers, but slowly for long: used last
	// How long 95 of 100 of its recent answers took at most, in seconds; 0: there
	// were too few.
	ReadP95  float64 `json:"read_p95_seconds"`
	WriteP95 float64 `json:"write_p95_seconds"`
}

// RingInfo is the ring; nodes that agree on it have equal hashes.
type RingInfo struct {
	Q     int        `json:"q"`
	Epoch uint64     `json:"epoch"`
	Hash  string     `json:"hash"`
	Nodes []RingNode `json:"nodes"`
}

// RingNode is one member's share of the ring.
type RingNode struct {
	ID     string   `json:"id"`
	Zone   string   `json:"zone,omitempty"`
	DC     string   `json:"dc,omitempty"`
	Weight int      `json:"weight"`
	Tokens []uint32 `json:"tokens"` // numbers of the partitions it owns, ascending
}

// OwnersInfo says where a key lives.
type OwnersInfo struct {
	Bucket    string   `json:"bucket"`
	Key       string   `json:"key"`
	Position  string   `json:"position"` // 32 hexadecimal digits
	Partition uint32   `json:"partition"`
	N         int      `json:"n"`
	Primaries []string `json:"primaries"` // the first n of the preference list
	Fallbacks []string `json:"fallbacks"` // the rest of it
}

// ReplicaInfo is one node's state of a key: its own, or what it keeps in the stead
// of others.
type ReplicaInfo struct {
	Node       string        `json:"node"`
	Bucket     string        `json:"bucket"`
	Key        string        `json:"key"`
	Status     string        `json:"status"` // have, absent, dont_know, failed
	Reason     string        `json:"reason,omitempty"`
	Kept       bool          `json:"kept,omitempty"` // in the stead of primaries, until they have it
	Tombstone  bool          `json:"tombstone"`
	Vector     []EntryInfo   `json:"vector"`
	Exceptions []string      `json:"exceptions,omitempty"` // dots
	Floor      int64         `json:"floor,omitempty"`
	Versions   []VersionInfo `json:"versions"`
	Digest     string        `json:"digest,omitempty"`
}

// HintsInfo is what one node keeps in the stead of others. Counts are those of
// the last walk through it, less what was handed over since: a walk begins every
// ten seconds and whenever a node comes back. Until the first walk has ended they
// are what an earlier run had left.
type HintsInfo struct {
	Node  string `json:"node"`
	Bytes int64  `json:"bytes"`     // that they take here now; each counts once
	Max   int64  `json:"max_bytes"` // beyond it no more are taken
	// MaxAge is how old a record gets, in seconds: an older one is let go as soon
	// as two primaries besides its target hold what it says.
	MaxAge  float64      `json:"max_age_seconds"`
	Targets []HintTarget `json:"targets"` // by id; only those to which something is owed
}

// HintTarget is what is kept for one node.
type HintTarget struct {
	Target  string    `json:"target"`
	Records int       `json:"records"`
	Bytes   int64     `json:"bytes"`           // a record owed to two nodes counts for both
	OverAge int       `json:"over_age"`        // of the records, those beyond MaxAge
	Oldest  time.Time `json:"oldest,omitzero"` // since when the oldest is owed
	// Error is why the last delivery failed, at ErrorAt; none if it succeeded.
	Error   string    `json:"error,omitempty"`
	ErrorAt time.Time `json:"error_at,omitzero"`
}

// RepairInfo says how far one node has compared what it holds with what others
// hold of the same partitions, since it started.
type RepairInfo struct {
	Node string `json:"node"`
	// Started is when the node started. SinceAgreed is how many seconds ago every
	// partition had last been compared to the end with every other node that holds
	// it; where one never was, since both came to hold it, or Started. 0 if nobody else
	// holds any.
	Started     time.Time `json:"started"`
	SinceAgreed float64   `json:"since_agreed_seconds"`
	// PausedUntil is until when it begins no comparison, as an operator said; zero: it
	// does.
	PausedUntil time.Time    `json:"paused_until,omitzero"`
	Peers       []RepairPeer `json:"peers"` // by id; those that hold any partition that this node holds
}

// RepairPeer is how far a node agrees with another.
type RepairPeer struct {
	Peer       string `json:"peer"`
	Partitions int    `json:"partitions"` // that both hold
	Never      int    `json:"never"`      // of them, not compared to the end yet
	Marked     int    `json:"marked"`     // of them, to be compared before their turn
	// Oldest is when the comparison began that is the longest ago of the last
	// complete ones of each partition; none while Never is not 0.
	Oldest   time.Time `json:"oldest,omitzero"`
	Repaired uint64    `json:"repaired"` // keys brought up to date, here or there
	// Error is why the last comparison ended early, at ErrorAt; none if it did not.
	Error   string    `json:"error,omitempty"`
	ErrorAt time.Time `json:"error_at,omitzero"`
}

// VerifyInfo is what came of adding trees up from their records: of a part of a
// node, unless Next is "".
type VerifyInfo struct {
	Node    string `json:"node"`
	Trees   int    `json:"trees"`   // one for each partition and bucket of which there are records
	Leaves  int    `json:"leaves"`  // of trees, looked at
	Records int    `json:"records"` // added up
	Bytes   int64  `json:"bytes"`   // of them
	// Unreadable is how many records can't be read, Doubtful how many leaves nothing
	// could be said of: they are to be added up anew anyway, or have such records.
	Unreadable int      `json:"unreadable"`
	Doubtful   int      `json:"doubtful"`
	Wrong      []string `json:"wrong"` // what is not as it must be
	Next       string   `json:"next,omitempty"`
}

// With returns what v and a later part p of the same node say together.
func (v VerifyInfo) With(p VerifyInfo) VerifyInfo {
	v.Node, v.Next = p.Node, p.Next
	v.Trees, v.Leaves, v.Records, v.Bytes = v.Trees+p.Trees, v.Leaves+p.Leaves, v.Records+p.Records, v.Bytes+p.Bytes
	v.Unreadable, v.Doubtful = v.Unreadable+p.Unreadable, v.Doubtful+p.Doubtful
	v.Wrong = append(append([]string{}, v.Wrong...), p.Wrong...)
	return v
}

// ScrubInfo says how far one node has read back all that it stores, to find what
// rots while others still have it.
type ScrubInfo struct {
	Node    string `json:"node"`
	Paused  bool   `json:"paused"`  // nothing is read back until it is told to, or starts again
	Hurried bool   `json:"hurried"` // at full speed, as somebody asked for it
	Late    bool   `json:"late"`    // the round takes longer than it may: raise scrub-rate
	// Size is about how many bytes there are, Pace how many are read in a second.
	Size int64 `json:"size_bytes"`
	Pace int64 `json:"bytes_per_second"`
	// Round is the one under way, or the last that was; Last the last that ended.
	Round *ScrubRound `json:"round,omitempty"`
	Last  *ScrubRound `json:"last,omitempty"`
	Error string      `json:"error,omitempty"` // why the last stretch can't be read
}

// ScrubRound is what reading everything back once came to, so far.
type ScrubRound struct {
	Began      time.Time `json:"began"`
	Ended      time.Time `json:"ended,omitzero"`
	Bytes      int64     `json:"bytes"`
	Records    int64     `json:"records"` // of the node's own
	Leaves     int64     `json:"leaves"`
	Unreadable int64     `json:"unreadable"` // records that could not be read: they are had from others
	Mended     int64     `json:"mended"`     // leaves that were not the sums of their records
	Lost       int64     `json:"lost"`       // records kept for others that could not be read; they went
	Skipped    int64     `json:"skipped"`    // stretches that the engine could not read
}

// EntryInfo is one entry of a version vector.
type EntryInfo struct {
	Actor string    `json:"actor"` // run and life
	N     uint64    `json:"n"`     // events 1 to N; 0: exceptions alone
	Time  time.Time `json:"time"`
}

// VersionInfo is one surviving version.
type VersionInfo struct {
	Dot         string    `json:"dot"`
	Modified    time.Time `json:"modified"`
	Expires     time.Time `json:"expires,omitzero"`
	ContentType string    `json:"content_type,omitempty"`
	Value       []byte    `json:"value"`
	Bytes       int       `json:"bytes"` // of the value; more than are shown where it was cut
	Deleted     bool      `json:"deleted,omitempty"`
}
