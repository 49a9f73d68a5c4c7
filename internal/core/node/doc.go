// Package node is what one shard of a node does, as a pure function of its
// inputs: [Node.Step] takes what happened and appends what is to be done to an
// [Out]. It only routes: requests to the machines of package coord, answers to
// the machine that asked, a peer's asks to this node's storage and back. What
// it owns are tables with bounds: requests under way, a peer's operations under
// way, forwards taken lately.
//
// A Node is not safe for concurrent use and keeps what its inputs point to
// until the request is done.
package node
