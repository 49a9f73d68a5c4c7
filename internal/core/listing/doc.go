// Package listing lists the keys of a bucket in one partition, a page at a time
// (PAPER 8.16; FIELD 2.14 #16). A [Listing] asks as many replicas as a read does
// for the names they hold from some position on, each with the outline of its
// state: what it has seen and which versions are left, without their values. It
// merges the outlines as a read merges states, so that a key is listed if and only
// if a read of the same replicas would show it: what one replica holds and another
// knows to be deleted is not.
//
// A page is about a range of positions, which depends on nothing that a change of
// the ring changes. It is complete when enough replicas told what they hold of all
// of it; else it says so, and has what those that answered hold. So a page may lack
// keys that are there, or show ones that are not any more, only where it says that
// it is not complete.
package listing
