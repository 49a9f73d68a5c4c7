// Package ring says where data belongs: positions of keys, tokens and their
// owners, preference lists, and which tokens move when a node comes or goes
// (paper, sections 4.2, 4.3, 4.9 and 6.2).
//
// A [Ring] is an immutable value over any sorted set of tokens. A token owns the
// positions after the token before it up to its own End, End included; the first
// token also owns what lies after the last. The ring in use cuts the circle into
// Q equal partitions (the paper's strategy 3), which is one such set and the one
// in which a key's partition is found by a shift.
//
// The word partition means one token's arc; its number is the index of the token.
package ring
