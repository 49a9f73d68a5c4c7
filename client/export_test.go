package client

import "time"

// Resting tells whether a client leaves any node of its ring alone.
func Resting(c *Cluster) bool {
	for _, s := range c.table.Load().servers {
		if _, rests := s.state.cost(time.Now()); rests {
			return true
		}
	}
	return false
}
