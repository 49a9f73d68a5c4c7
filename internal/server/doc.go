// Package server is a node's process: from a configuration to a running node, and
// back.
//
// It opens the data folder and the engine, settles whether they belong together,
// builds host, links and front ends on them, serves, and stops all of that in the
// order in which parts need each other. A node that learned that it may have
// forgotten something begins again within the process, as another disk.
//
// It is the only package that names every concrete part: each of them takes the
// others as values and interfaces. What is decided for the cluster is decided in
// the core; here is only what one process has to find out and to remember about
// itself.
package server
