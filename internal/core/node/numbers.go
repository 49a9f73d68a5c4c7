package node

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/member"
)

// numbers returns what is in force for a request: the cluster's default,
// overridden by the bucket, overridden by the request, for as many replicas as the
// partition has. Numbers that can never be met are refused.
func (n *Node) numbers(r *Request, part uint32) (coord.Numbers, *ouro.Error) {
	b := n.bucket(r.Key.Bucket)
	l := n.view.Lists(part, b.N)
	b = member.EffectiveBucket(b, len(l.Target()))
	w := coord.Numbers{
		N: b.N, R: r.R.Or(b.R), W: r.W.Or(b.W),
		PR: r.PR.Or(b.PR), PW: r.PW.Or(b.PW), DW: r.DW.Or(b.DW), Timeout: b.Timeout,
	}
	if r.Timeout != 0 {
		w.Timeout = r.Timeout
	}
	if err := member.Validate(w.N, w.R, w.W, w.PR, w.PW, w.DW); err != nil {
		return w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%v", err)
	}
	if w.Timeout <= 0 || w.Timeout > member.MaxTimeout {
		return w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "timeout=%v: choose a timeout above 0 and up to %v", w.Timeout, member.MaxTimeout)
	}
	return w, nil
}

// bucket returns the settings of a bucket; a view that has none has the usual.
func (n *Node) bucket(name string) member.Bucket {
	if b := n.view.Buckets.Of(name); b.N != 0 {
		return b
	}
	return member.DefaultBucket()
}
