// Package typed holds the convergent data types (RULES R8, R23): how an element is
// kept as a version, what a state shows, and what an update does to one.
//
// The join knows nothing of them. A typed record is a sibling set like any other,
// whose versions are elements: a member of a set, a field of a map, the share that
// one actor has in a counter. An update is a pure function of the record at its
// coordinator: it says which versions go and which are minted. What one node mints
// and another does not see survives, so that an addition wins over a concurrent
// removal; of several values of one element the last writer's is shown, which is
// decided when looking and never when joining.
package typed
