// Package dev runs a whole cluster on one machine, each node a process of its
// own, and lets its user break it: kill, pause and start nodes, part them from
// each other and slow them down.
//
// One process, the supervisor, owns the nodes: it starts them, sees them die and
// ends them with itself. It listens on a unix socket in the cluster's folder;
// every command of a user goes there ([Call]), so that what is known of the
// nodes is known in one place.
//
//	DIR/dev.json      the [Info] of the running or last cluster
//	DIR/dev.lock      held by the supervisor
//	DIR/cluster.key   the cluster's key
//	DIR/n1, DIR/n2 …  data folders
//	DIR/n1.log …      what the nodes print
//
// No node outlives its supervisor, not even after kill -9: every node holds the
// reading end of a pipe whose writing end the supervisor keeps (see [Leash]), and
// on Linux the kernel kills it as well.
package dev
