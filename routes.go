package ouro

// Router tells clients where keys are, so that they go to a replica of a key
// themselves (paper, section 6.4).
type Router interface {
	Routes() Routes
}

// Routes are where each partition is and where clients reach the nodes, as one
// node sees it. The first bits of a key's position are the number of its
// partition: Q is a power of two, and the position the MD5 of bucket, NUL, key.
type Routes struct {
	Cluster   string `json:"cluster"`
	ClusterID string `json:"cluster_id"`
	Epoch     uint64 `json:"epoch"`     // of the cluster's history
	Placement uint64 `json:"placement"` // number of the newest link of the chain
	Q         int    `json:"q"`         // 0: the node is in no cluster yet
	// N is how many replicas a key has; Buckets names those in which it has another
	// number.
	N       int            `json:"n"`
	Buckets map[string]int `json:"buckets,omitempty"`
	// R is how many replicas must answer a read that names no numbers, by r or pr; Reads
	// names the buckets in which it is another number.
	R     int            `json:"r"`
	Reads map[string]int `json:"reads,omitempty"`
	Nodes []RouteNode    `json:"nodes"`
	// Lists are, for each partition, the places in Nodes of those that hold it, best
	// first, up to the greatest n of any bucket; while it moves the newcomers follow.
	Lists [][]int `json:"lists"`
}

// RouteNode is a node that takes requests.
type RouteNode struct {
	ID string `json:"id"`
	// Clients is where its clients reach it, host:port; empty where that is not known
	// yet, as of a node that the telling one has not reached since it started.
	Clients string `json:"clients,omitempty"`
}
