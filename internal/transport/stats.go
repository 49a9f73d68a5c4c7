package transport

import "sync/atomic"

// counters are those of one peer, over all its links.
type counters struct {
	framesOut, bytesOut atomic.Uint64
	framesIn, bytesIn   atomic.Uint64
	connects            atomic.Uint64
	failures            atomic.Uint64
	dropped             atomic.Uint64
	lost                atomic.Uint64
}

func (c *counters) sent(frames, bytes int) {
	c.framesOut.Add(uint64(frames))
	c.bytesOut.Add(uint64(bytes))
}

func (c *counters) received(bodies [][]byte) {
	bytes := 0
	for _, b := range bodies {
		bytes += HeaderSize + len(b)
	}
	c.framesIn.Add(uint64(len(bodies)))
	c.bytesIn.Add(uint64(bytes))
}

// PeerStats are counted since the peer was first seen. Keep-alives and
// handshakes are not among the frames and bytes.
type PeerStats struct {
	Peer         string
	Up           bool   // there is an outgoing link
	FramesOut    uint64 // taken by Send
	BytesOut     uint64 // headers included
	FramesIn     uint64
	BytesIn      uint64
	Connects     uint64 // outgoing links made
	Failures     uint64 // attempts to make one that failed
	Dropped      uint64 // frames refused with ErrFull or dropped by a fault
	LostBytes    uint64 // taken by Send and not written when the link broke
	PendingBytes int    // taken by Send and not written yet
}

// Stats are those of a [Transport].
type Stats struct {
	Peers    []PeerStats // by id
	Clients  PeerStats   // all client links together
	Accepted int         // accepted links open now
	Refused  uint64      // accepted connections that were refused
}

func (c *counters) stats(peer string) PeerStats {
	return PeerStats{
		Peer:      peer,
		FramesOut: c.framesOut.Load(),
		BytesOut:  c.bytesOut.Load(),
		FramesIn:  c.framesIn.Load(),
		BytesIn:   c.bytesIn.Load(),
		Connects:  c.connects.Load(),
		Failures:  c.failures.Load(),
		Dropped:   c.dropped.Load(),
		LostBytes: c.lost.Load(),
	}
}
