// Package console is the page of the admin port (paper, section 4.8.1: an operator
// adds and removes nodes by a command line or a browser): the ring and its nodes,
// joining and leaving by plan and commit, a key's versions on every replica, what
// moves, what is kept for others, latencies; and of a dev cluster the ways to break
// it.
//
// The page is a few files in the binary: HTML, CSS and JavaScript modules as they are
// written, without a build step. It asks nobody but the node that it came from, by the
// calls of package admin. Its policy lets the browser run nothing but these files and
// make no text into markup, so that a key or a value, which are any bytes, stays text.
package console
