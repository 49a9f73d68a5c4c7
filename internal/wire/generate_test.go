package wire

import (
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Generators of everything that is sent. Numbers run over their whole range and
// slices are nil where they are empty, as they are after decoding.

func drawBytes(t *rapid.T, label string) []byte {
	b := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, label)
	if len(b) == 0 {
		return nil
	}
	return b
}

func drawText(t *rapid.T, label string) string { return string(drawBytes(t, label)) }

func drawInt(t *rapid.T, label string) int { return rapid.Int().Draw(t, label) }

func drawUint64(t *rapid.T, label string) uint64 { return rapid.Uint64().Draw(t, label) }

func drawBool(t *rapid.T, label string) bool { return rapid.Bool().Draw(t, label) }

func drawDuration(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.Int64().Draw(t, label))
}

func drawSlice[T any](t *rapid.T, label string, draw func(*rapid.T) T) []T {
	var s []T
	for range rapid.IntRange(0, 4).Draw(t, label) {
		s = append(s, draw(t))
	}
	return s
}

func drawKey(t *rapid.T) ring.Key {
	bucket := rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`).Draw(t, "bucket")
	name := string(rapid.SliceOfN(rapid.Byte(), 1, ouro.MaxKeyLen).Draw(t, "name"))
	return ring.NewKey(bucket, name)
}

func drawDot(t *rapid.T) causal.Dot {
	return causal.Dot{Actor: causal.Actor{Run: drawUint64(t, "run"), Life: drawUint64(t, "life")}, N: drawUint64(t, "n")}
}

func drawEntry(t *rapid.T) causal.Entry {
	d := drawDot(t)
	return causal.Entry{Actor: d.Actor, N: d.N, Time: rapid.Int64().Draw(t, "time")}
}

func drawUpdate(t *rapid.T) *ouro.Update {
	if drawBool(t, "no update") {
		return nil
	}
	u := &ouro.Update{
		Kind: ouro.Kind(drawText(t, "kind")), Act: ouro.Act(drawText(t, "act")), If: ouro.Condition(drawText(t, "if")),
		ContentType: drawText(t, "content type"), Keep: drawBool(t, "keep"),
		Elements: drawSlice(t, "elements", func(t *rapid.T) ouro.Element {
			return ouro.Element{
				Name: drawText(t, "name"), Value: drawBytes(t, "value"), Score: rapid.Float64().Draw(t, "score"), By: rapid.Int64().Draw(t, "by"),
			}
		}),
	}
	if drawBool(t, "expires") {
		u.Expires = time.UnixMilli(rapid.Int64Range(0, 1<<50).Draw(t, "at")).UTC()
	}
	return u
}

func drawBase(t *rapid.T) *causal.Claims {
	if drawBool(t, "no base") {
		return nil
	}
	return &causal.Claims{Vector: drawSlice(t, "vector", drawEntry), Exceptions: drawSlice(t, "exceptions", drawDot)}
}

func drawMint(t *rapid.T) *replica.Mint {
	if drawBool(t, "no mint") {
		return nil
	}
	return &replica.Mint{
		Context: causal.Claims{
			Vector:     drawSlice(t, "vector", drawEntry),
			Exceptions: drawSlice(t, "exceptions", drawDot),
		},
		Delete:      drawBool(t, "delete"),
		LWW:         drawBool(t, "lww"),
		Types:       drawBool(t, "types"),
		Update:      drawUpdate(t),
		Value:       drawBytes(t, "value"),
		ContentType: drawText(t, "content type"),
		Expiry:      rapid.Int64().Draw(t, "expiry"),
		MaxSiblings: drawInt(t, "max siblings"),
	}
}

func drawOp(t *rapid.T) replica.Op {
	op := replica.Op{
		ID:      drawUint64(t, "id"),
		Verb:    replica.Verb(rapid.ByteMax(63).Draw(t, "verb")),
		Relaxed: drawBool(t, "relaxed"), Background: drawBool(t, "background"),
		Key:     drawKey(t),
		State:   drawBytes(t, "state"),
		Full:    drawBool(t, "full"),
		Silent:  drawBool(t, "silent"),
		Request: drawUint64(t, "request"),
		Mint:    drawMint(t),
		Base:    drawBase(t),
		Pending: drawBool(t, "pending"),
		Targets: drawSlice(t, "targets", func(t *rapid.T) ring.NodeID { return ring.NodeID(drawText(t, "target")) }),
	}
	if drawBool(t, "with stamp") {
		op.Stamp, op.Missed = drawUint64(t, "stamp"), ring.NodeID(drawText(t, "missed"))
	}
	if drawBool(t, "with digest") {
		op.Digest = causal.Sum{Hi: drawUint64(t, "hi"), Lo: drawUint64(t, "lo")}
	}
	return op
}

func drawAnswer(t *rapid.T) replica.Answer {
	a := replica.Answer{
		ID:      drawUint64(t, "id"),
		Verb:    replica.Verb(rapid.Byte().Draw(t, "verb")),
		Status:  replica.Status(rapid.ByteMax(127).Draw(t, "status")),
		Relaxed: drawBool(t, "relaxed"),
		Reason:  replica.Reason(rapid.Byte().Draw(t, "reason")),
		Durable: drawBool(t, "durable"),
		Found:   drawBool(t, "found"),
		Pending: drawBool(t, "pending answer"),
		State:   drawBytes(t, "state"),

		Recovering: drawBool(t, "recovering"),
	}
	if drawBool(t, "with digest") {
		a.Digest = causal.Sum{Hi: drawUint64(t, "hi"), Lo: drawUint64(t, "lo")}
	}
	if drawBool(t, "with stamp") {
		a.Stamp = drawUint64(t, "stamp")
	}
	if drawBool(t, "with dot") {
		a.Dot = drawDot(t)
	}
	return a
}

func drawCount(t *rapid.T) ouro.Count {
	if drawBool(t, "unset") {
		return ouro.Count{}
	}
	return ouro.Count{N: drawInt(t, "count"), Set: true}
}

func drawRequest(t *rapid.T) *node.Request {
	return &node.Request{
		ID:          drawUint64(t, "id"),
		Verb:        node.Verb(rapid.Byte().Draw(t, "verb")),
		Key:         drawKey(t),
		Context:     drawBytes(t, "context"),
		HasContext:  drawBool(t, "has context"),
		Value:       drawBytes(t, "value"),
		ContentType: drawText(t, "content type"),
		TTL:         drawDuration(t, "ttl"),
		R:           drawCount(t),
		W:           drawCount(t),
		PR:          drawCount(t),
		PW:          drawCount(t),
		DW:          drawCount(t),
		Timeout:     drawDuration(t, "timeout"),
		Explain:     drawBool(t, "explain"),
		Token:       drawUint64(t, "token"),
		Retry:       drawBool(t, "retry"),
		Update:      drawUpdate(t),
		Sent:        drawDuration(t, "sent"),
		Within:      drawDuration(t, "within"),
	}
}

func drawTime(t *rapid.T) time.Time {
	if drawBool(t, "no time") {
		return time.Time{}
	}
	sec := rapid.Int64Range(-1e11, 1e11).Draw(t, "seconds")
	return time.Unix(sec, rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
}

func drawSibling(t *rapid.T) ouro.Sibling {
	return ouro.Sibling{
		Value:    ouro.Value{Data: drawBytes(t, "data"), ContentType: drawText(t, "content type")},
		Modified: drawTime(t),
		Expires:  drawTime(t),
	}
}

func drawFact(t *rapid.T) fact.Fact {
	return fact.Fact{
		Kind:   fact.Kind(rapid.Byte().Draw(t, "kind")),
		Ticket: drawUint64(t, "ticket"),
		At:     drawDuration(t, "at"),
		Lasted: drawDuration(t, "lasted"),
		Peer:   drawText(t, "peer"),
		N:      drawInt(t, "n"),
		Note:   drawText(t, "note"),
	}
}

func drawError(t *rapid.T) *ouro.Error {
	if drawBool(t, "no error") {
		return nil
	}
	return &ouro.Error{
		Code:       ouro.Code(drawText(t, "code")),
		Message:    drawText(t, "message"),
		Outcome:    ouro.Outcome(rapid.Byte().Draw(t, "outcome")),
		Retryable:  drawBool(t, "retryable"),
		RetryAfter: drawDuration(t, "retry after"),
	}
}

func drawReply(t *rapid.T) *node.Reply {
	p := &node.Reply{
		ID:          drawUint64(t, "id"),
		Err:         drawError(t),
		Siblings:    drawSlice(t, "siblings", drawSibling),
		Context:     drawBytes(t, "context"),
		Coordinator: ring.NodeID(drawText(t, "coordinator")),
		Explain:     drawSlice(t, "facts", drawFact),
	}
	for _, n := range quorum(&p.Quorum) {
		*n = drawInt(t, "quorum")
	}
	p.Changed = drawInt(t, "changed")
	p.Quorum.Unsettled = drawBool(t, "unsettled")
	return p
}

func drawName(t *rapid.T, label string, longest int) string {
	return string(rapid.SliceOfN(rapid.Byte(), 0, longest).Draw(t, label))
}

func drawSurvey(t *rapid.T) *replica.Survey {
	s := &replica.Survey{
		ID:     drawUint64(t, "id"),
		Look:   replica.Look(rapid.Byte().Draw(t, "look")),
		Bucket: drawName(t, "bucket", ouro.MaxBucketLen),
		After:  drawName(t, "after", ouro.MaxBucketLen),
	}
	if s.Look != replica.Roots {
		s.Span = merkle.Span{First: drawUint64(t, "first"), Last: drawUint64(t, "last")}
	}
	if s.Look == replica.Names {
		s.Prefix = drawName(t, "prefix", ouro.MaxKeyLen)
	}
	return s
}

func drawSum(t *rapid.T) causal.Sum {
	return causal.Sum{Hi: drawUint64(t, "hi"), Lo: drawUint64(t, "lo")}
}

func drawFound(t *rapid.T) *replica.Found {
	return &replica.Found{
		ID:         drawUint64(t, "id"),
		Look:       replica.Look(rapid.Byte().Draw(t, "look")),
		Status:     replica.Status(rapid.Byte().Draw(t, "status")),
		Reason:     replica.Reason(rapid.Byte().Draw(t, "reason")),
		Recovering: drawBool(t, "recovering"),
		Roots: drawSlice(t, "roots", func(t *rapid.T) replica.Root {
			return replica.Root{Bucket: drawText(t, "bucket"), Count: rapid.Uint32().Draw(t, "count"), Sum: drawSum(t)}
		}),
		Parts: drawSlice(t, "parts", func(t *rapid.T) merkle.Part {
			return merkle.Part{Number: rapid.Byte().Draw(t, "part"), Count: rapid.Uint32().Draw(t, "count"), Sum: drawSum(t)}
		}),
		Keys: drawSlice(t, "keys", func(t *rapid.T) replica.Listed {
			return replica.Listed{Name: drawText(t, "name"), Digest: drawSum(t)}
		}),
		Until: drawUint64(t, "until"),
		Names: drawSlice(t, "names", func(t *rapid.T) replica.Named {
			return replica.Named{Name: drawText(t, "name"), State: drawBytes(t, "state")}
		}),
		Unreadable: rapid.IntRange(0, 1<<31-1).Draw(t, "unreadable"),
		Next:       drawText(t, "next"),
	}
}

func drawMessage(t *rapid.T) node.Message {
	m := node.Message{
		Kind:      node.Kind(rapid.IntRange(int(node.KindAsk), int(node.KindChain)).Draw(t, "kind")),
		Partition: rapid.Uint32().Draw(t, "partition"),
		Number:    drawUint64(t, "number"),
	}
	switch m.Kind {
	case node.KindAsk:
		m.Op = drawOp(t)
		m.Op.Partition = m.Partition
	case node.KindAnswer:
		m.Answer = drawAnswer(t)
	case node.KindForward:
		m.Request = drawRequest(t)
	case node.KindReturn:
		m.Reply = drawReply(t)
	case node.KindSurvey:
		m.Survey = drawSurvey(t)
		m.Survey.Partition = m.Partition
	case node.KindFound:
		m.Found = drawFound(t)
	case node.KindEpochs:
		m.Show = &reap.Show{Wanted: drawUint64(t, "wanted"), Shown: drawSlice(t, "shown", func(t *rapid.T) reap.Shown {
			return reap.Shown{Node: ring.NodeID(drawText(t, "member")), Epoch: drawUint64(t, "shown epoch"), Clean: drawUint64(t, "clean number")}
		})}
	case node.KindGossip:
		m.Gossip = &gossip.Message{Cluster: drawUint64(t, "cluster"), Addr: drawText(t, "addr"), Wall: rapid.Int64Min(0).Draw(t, "wall")}
		m.Gossip.Summary.Count = rapid.IntRange(0, 1<<20).Draw(t, "changes")
	case node.KindChain:
		m.Chain = &chain.Message{Kind: chain.Fetch, Number: drawUint64(t, "place"), Disk: drawUint64(t, "disk"), Offset: rapid.IntRange(0, 1<<20).Draw(t, "offset")}
	}
	return m
}
