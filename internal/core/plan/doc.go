// Package plan is what an operator does to a cluster: changes are staged at one
// node, shown as a plan, and committed under the version of the history that the
// plan was made against (paper, sections 4.8.1 and 4.9; PAPER 9.7).
//
// All of it is values and functions of them. A [Draft] is what is staged; nobody
// else knows of it. Committing gives changes to be issued, all of them in one
// go. Two commits on two sides of a cut are both kept, since histories merge by
// union; whatever is staged elsewhere has to be planned again.
//
// What is committed is undone by its opposite: a node that was joined leaves, a
// weight is set back. Forgetting a draft is forgetting a value.
package plan
