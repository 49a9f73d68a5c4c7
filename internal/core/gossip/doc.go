// Package gossip spreads the cluster's history: every second a node and a random
// other one compare digests of theirs and exchange what differs (paper, section
// 4.8.1). Members are chosen, and peers that are no members but were heard of
// once, and seeds, for ever: so a partition of any length heals by itself, and
// rings that were formed apart find each other (sections 4.8.1, 4.8.2).
//
// An exchange has at most three messages: a digest of some tens of bytes; where
// the two differ a page of what comes after the last place they have in common;
// and what the one who has sent the page lacks of that part. A long difference
// goes page by page.
//
// Nobody is told of what is not on this node's disk yet.
package gossip
