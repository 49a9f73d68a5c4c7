// Package admin is the front end of the admin port: metrics, health, version,
// profiles, and JSON under /admin/v1/ that shows a node from the inside to
// operators, the command line and checkers. Nothing changes by a GET, and a page
// in a browser that comes from elsewhere can change nothing at all.
//
// Replica states contain values, so the port belongs where only operators reach
// it: on loopback unless told otherwise.
package admin
