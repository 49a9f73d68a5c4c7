package client

import (
	"context"
	"time"

	"github.com/ourodb/ouro"
)

// connections are what a client may have to one server; nil: as many as it likes.
//
// Requests wait for one here and not in the transport, since there the wait would count
// as the node's time: where many wait each would get its connection when its attempt is
// about to end, and all that nodes do would be for nobody.
type connections chan struct{}

func newConnections(most int) connections {
	if most <= 0 {
		return nil
	}
	return make(connections, most)
}

// take waits for a connection, for so long at most.
func (c connections) take(ctx context.Context, wait time.Duration) error {
	if c == nil {
		return nil
	}
	select {
	case c <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case c <- struct{}{}:
		return nil
	case <-ctx.Done():
	case <-timer.C:
	}
	return ouro.Errorf(ouro.Overloaded, ouro.NotDone,
		"this client has %d requests to one node under way and none ended in time: make fewer at once, or allow more with MaxConns", cap(c))
}

// begin waits for a connection to a server, for so long at most, and counts a request
// there; the connection is to be given back.
func (s *server) begin(ctx context.Context, wait time.Duration) error {
	s.state.begin()
	err := s.conns.take(ctx, wait)
	if err != nil {
		s.state.drop()
	}
	return err
}

// free gives a connection back.
func (c connections) free() {
	if c != nil {
		<-c
	}
}
