// Package member holds the cluster's history: the changes that operators made
// to who is in it and how its buckets behave, and what follows from them.
//
// A history is a set of uniquely stamped changes. Two histories merge by union,
// so it does not matter in what order or how often nodes exchange them; folded
// in the order of its stamps a history gives the members, the target ring and
// the buckets. Equal histories give equal clusters on every node, nobody is in
// charge, and two operators at two nodes cannot conflict (paper, section 4.8;
// RULES R12, R38). A change that makes no sense where it falls in that order,
// such as the removal of a node that another operator removed before, is skipped
// and listed, never an error: a union must always fold.
//
// A history begins with a [Founding]. A cluster formed from a static list of
// members has the one that [Genesis] makes of the list: the same on every node
// that was given the same list. Rings that were formed apart under one name and
// with one number of partitions merge when they meet: the earliest founding is
// the cluster's, and the members of the others join as newcomers.
//
// A checkpoint takes the place of the changes that are settled: the founding goes
// on to what they made of it, so that a history stays short.
package member
