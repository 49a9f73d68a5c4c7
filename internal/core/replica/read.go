package replica

import (
	"bytes"

	"github.com/ourodb/ouro/internal/core/causal"
)

// read reports the state or its digest. "Absent" is said only by a replica that
// knows it, and never for a record that cannot be read (RULES R9, R33).
func (c *call) read() Result {
	status := Have
	if c.recovering {
		status = DontKnow
	}
	if c.stored == nil {
		if !c.recovering {
			status = Absent
		}
		return Result{Answer: c.answer(status)}
	}
	state, err := StateOf(c.stored)
	if err != nil {
		return c.rotten(err)
	}
	a := c.answer(status)
	a.Digest, a.Stamp = causal.Digest(state, c.cfg.Seed), c.stamp
	if c.op.Full {
		a.State = bytes.Clone(state)
	}
	return Result{Answer: a}
}

// recall says whether a request id was stored here, and under which dot. A
// recovering replica that does not know it cannot say no.
func (c *call) recall() Result {
	if err := c.load(); err != nil {
		return c.rotten(err)
	}
	status := Have
	dot, found := c.known()
	switch {
	case found:
	case c.recovering:
		status = DontKnow
	case c.stored == nil:
		status = Absent
	}
	a := c.answer(status)
	a.Found, a.Dot = found, dot
	return Result{Answer: a}
}
