package reap

import "slices"

// Durable returns what the disk has of the epochs, or is about to have.
func (e *Epochs) Durable() Durable { return e.durable }

// Anew begins in another ring, into which that of this node was merged (paper, section
// 4.8.2). Epochs of two rings have nothing to do with each other: whatever is here was
// never deleted there, so it is as young as the epoch that this node takes from the
// members there, like that of a newcomer. What they told of the ring before is
// forgotten; by which placements they were clean, too.
func (e *Epochs) Anew(out *EpochEffects) {
	e.members, e.durable, e.holds = nil, Durable{}, false
	e.wanted, e.placed, e.known = 0, 0, false
	e.phase = resting
	clear(e.told)
	out.Storing, out.Tells = false, out.Tells[:0]
	e.stand(0, out)
}

// anew forgets all votes, and for which epochs they waited: they were of another ring.
func (r *Reaper) anew(at func(*key)) {
	r.wanted = 0
	for _, k := range append(slices.Clone(r.flying), r.due...) {
		r.cancel(k)
		k.step, k.state = look, nil
		at(k)
	}
}
