package coord

import "github.com/ourodb/ouro/internal/core/replica"

// note tells an answer in words. Only explained requests pay for it.
func note(a *replica.Answer) string {
	switch {
	case a.Status == replica.Failed:
		return "failed: " + a.Reason.String()
	case a.Status == replica.DontKnow:
		return "does not know"
	case a.Found:
		return "request known, " + a.Dot.String()
	case a.Status == replica.Absent:
		return "absent"
	case a.Verb == replica.Read && a.State != nil:
		return "state"
	case a.Verb == replica.Read:
		return "digest"
	case a.Verb == replica.Recall:
		return "request unknown"
	case a.Durable:
		return "durable"
	case a.Relaxed:
		return "in the write buffer " + a.Dot.String()
	default:
		return "stored " + a.Dot.String()
	}
}

// askText tells an operation in words. Only explained requests pay for it.
func askText(o *replica.Op) string {
	switch {
	case o.Verb == replica.Write:
		return "write"
	case o.Verb == replica.Join && o.Base != nil:
		return "delta"
	case o.Verb == replica.Join:
		return "join"
	case o.Verb == replica.Recall:
		return "was this request stored?"
	case o.Full:
		return "state"
	default:
		return "digest"
	}
}
