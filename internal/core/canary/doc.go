// Package canary holds the machine that measures staleness: it writes a key of its
// own now and then, has another replica of that key read it a while after the write was
// acknowledged, and counts which of the reads do not show what was written. Package
// stale predicts what it should find.
//
// A round is one write and one read, with an r, a w and a delay that are drawn, and one
// round is under way at a time. Its keys are in a bucket of their own, a few for each
// node, each written by that node alone and always under the context of the write
// before, so that no siblings gather. What is no primary may answer for one: such rounds
// are counted apart, since no r and w overlap there.
//
// The read must come to the other node by another way than the link that the write
// goes over, as a client's would: what is sent over one link does not overtake, so that a
// read behind the write always finds it. Both ends of the time between acknowledgement
// and read are told by one clock, that of the node that writes.
package canary
