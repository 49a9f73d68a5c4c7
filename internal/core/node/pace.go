package node

import "time"

// A node that stood still finds forwards in its inbox that have gone to another
// coordinator since. Taking them would store again what that one stored, and what
// may have been replaced meanwhile would be back (RULES R30, H10). Their age can't be
// read off any clock, since no two nodes have the same; but it shows in how much
// longer they were under way than the quickest of the same link session.

const (
	// paceDrift is by how much two clocks may come apart: one in a thousand.
	paceDrift = 1000
	// paceReset is for how long all may be late before the sender's clock is taken to
	// have stood still, and not this node.
	paceReset = time.Second
)

// pace is how long forwards of one link session are under way at least, as the
// difference of the receiver's clock and the sender's.
type pace struct {
	session uint64
	least   time.Duration
	at      time.Duration // when it was last looked at
	late    time.Duration // since when all are late; 0: they are not
}

// age returns for how much longer than the quickest a forward was under way, that
// was sent at a time by its sender's clock; within is what it should have taken at
// most.
func (p *pace) age(now time.Duration, session uint64, sent, within time.Duration) time.Duration {
	off := now - sent
	if p.session != session || p.at == 0 {
		*p = pace{session: session, least: off, at: now}
		return 0
	}
	p.least += (now - p.at) / paceDrift
	p.at = now
	age := off - p.least
	switch {
	case age < within:
		p.least, p.late = min(p.least, off), 0
	case p.late == 0:
		p.late = now
	case now-p.late > paceReset:
		p.least, p.late = off, 0
		return 0
	}
	return max(age, 0)
}
