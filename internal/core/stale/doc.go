// Package stale predicts how often a read does not show a write that was
// acknowledged before it, and for how long: probabilistically bounded staleness
// (Bailis, Venkataraman, Franklin, Hellerstein and Stoica: PBS, VLDB 2012).
//
// Dynamo's quorums may be partial: where r + w is not more than n, a read may ask
// replicas that the write has not reached yet. How likely that is follows from four
// times of each replica, which give the model its name, WARS: how long the write
// takes there, how long its acknowledgement takes back, how long the read takes there,
// and how long the answer takes back. A [Trial] is one draw of them; it tells for each
// r and w from when on a read would show the write. A [Prediction] is many trials.
//
// A node can't measure ways in one direction, since clocks do not agree. [Node] says
// what is taken for them instead.
//
// Everything here is a function of its arguments: who calls brings the randomness,
// seeded.
package stale
