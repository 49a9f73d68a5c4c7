// Package clients runs Redis clients against a cluster. It is a module of its own,
// so that the product depends on none of them; see the script run.
package clients
