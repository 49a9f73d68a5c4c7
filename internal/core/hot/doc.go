// Package hot keeps one key from taking all that a node has, and says which key that
// is (PAPER 9.11, FIELD 2.14 #12). Hashing spreads keys over nodes; it can't spread one.
//
// Two things are kept. How many requests of each key are under way is counted exactly:
// a key that has as many as it may is refused what is more, and the others do not notice.
// Which keys are asked for most is told by a sketch of a fixed size, which also knows of
// keys that are never refused: space-saving (Metwally, Agrawal, El Abbadi 2005), in two
// generations, so that what was hot is forgotten.
//
// The sketch never says that a key was asked for more often than it was, and misses none
// that has more than one request in [Entries] of a generation.
package hot
