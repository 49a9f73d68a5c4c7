package node

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/member"
)

// numbers returns what is in force for a request: the cluster's default,
// overridden by the bucket, overridden by the request, for as many replicas as the
// partition has; and while it moves, the same in the list it is on its way to.
// Numbers that can never be met are refused.
func (n *Node) numbers(r *Request, part uint32) (coord.Numbers, *coord.Next, *ouro.Error) {
	b := n.bucket(r.Key.Bucket)
	l := n.view.Lists(part, b.N)
	w := inForce(r, b, max(len(l.Old), len(l.New)))
	if err := member.Validate(w.N, w.R, w.W, w.PR, w.PW, w.DW); err != nil {
		return w, nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%v", err)
	}
	if w.Timeout <= 0 || w.Timeout > member.MaxTimeout {
		return w, nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "timeout=%v: choose a timeout above 0 and up to %v", w.Timeout, member.MaxTimeout)
	}
	if !l.Moving() {
		return w, nil, nil
	}
	return fitted(r, b, len(l.Old)), &coord.Next{List: l.New, Numbers: fitted(r, b, len(l.New))}, nil
}

// inForce are a request's numbers in a list of some length.
func inForce(r *Request, b member.Bucket, length int) coord.Numbers {
	b = member.EffectiveBucket(b, length)
	w := coord.Numbers{
		N: b.N, R: r.R.Or(b.R), W: r.W.Or(b.W),
		PR: r.PR.Or(b.PR), PW: r.PW.Or(b.PW), DW: r.DW.Or(b.DW), Timeout: b.Timeout,
		Relaxed: b.Durability != member.All,
	}
	if b.Durability == member.One {
		w.DW = max(w.DW, 1)
	}
	if r.Timeout != 0 {
		w.Timeout = r.Timeout
	}
	return w
}

// fitted is inForce where the list may be the shorter one: no number exceeds what it
// counts among, so that what overlaps in the longer does in this.
func fitted(r *Request, b member.Bucket, length int) coord.Numbers {
	w := inForce(r, b, length)
	w.R, w.W = min(w.R, w.N), min(w.W, w.N)
	w.PR, w.PW, w.DW = min(w.PR, w.R), min(w.PW, w.W), min(w.DW, w.W)
	return w
}

func (n *Node) bucket(name string) member.Bucket { return n.view.bucket(name) }

// bucket returns the settings of a bucket; a view that has none has the usual.
func (v *View) bucket(name string) member.Bucket {
	if b := v.Buckets.Of(name); b.N != 0 {
		return b
	}
	return member.DefaultBucket()
}
