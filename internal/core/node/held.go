package node

// Held returns how many requests this node has in its tables, those included
// that linger after their reply and those that are counted by key, and how many
// operations and surveys of peers, those included that wait for a placement.
func (n *Node) Held() (requests, foreign int) {
	return max(n.inFlight, n.hot.UnderWay()) + n.lingering, len(n.listings.all) + n.asks.taken() + n.surveys.taken() + len(n.parked)
}
