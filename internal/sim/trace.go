package sim

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/wire"
)

// tracer writes a line for everything that happens, or for what happens to one
// key. A nil tracer writes nothing.
type tracer struct {
	out io.Writer
	key string              // in the form bucket/name; empty: all
	of  map[ticketOf]string // which key a request within a node is about
}

// ticketOf names a request: the node, and its id there without the bits that
// tell its asks apart.
type ticketOf struct {
	node int
	id   uint64
}

func newTracer(cfg *Config) *tracer {
	if cfg.Trace == nil {
		return nil
	}
	return &tracer{out: cfg.Trace, key: cfg.TraceKey, of: map[ticketOf]string{}}
}

// tracef writes a line about something that concerns no key.
func (w *World) tracef(format string, args ...any) {
	if w.trace != nil {
		w.trace.printf(w.now, format, args...)
	}
}

// traceKey writes a line about a key.
func (w *World) traceKey(key, format string, args ...any) {
	if w.trace.wants(key) {
		w.trace.printf(w.now, format, args...)
	}
}

func (t *tracer) printf(now time.Duration, format string, args ...any) {
	fmt.Fprintf(t.out, "%12.6fs  %s\n", now.Seconds(), fmt.Sprintf(format, args...))
}

func (t *tracer) wants(key string) bool { return t != nil && (t.key == "" || t.key == key) }

// asked notes which key a node's own operation is about.
func (t *tracer) asked(m *machine, op *replica.Op) {
	if t != nil {
		t.of[ticketOf{m.index, op.ID >> coord.AskBits}] = op.Key.Bucket + "/" + op.Key.Name
	}
}

// keyOf returns the key that a message between two nodes is about.
func (t *tracer) keyOf(from, to *machine, m *node.Message) string {
	switch m.Kind {
	case node.KindAsk:
		t.asked(from, &m.Op)
		return m.Op.Key.Bucket + "/" + m.Op.Key.Name
	case node.KindForward:
		key := m.Request.Key.Bucket + "/" + m.Request.Key.Name
		t.of[ticketOf{from.index, m.Request.ID >> coord.AskBits}] = key
		return key
	case node.KindAnswer:
		return t.of[ticketOf{to.index, m.Answer.ID >> coord.AskBits}]
	case node.KindSurvey, node.KindFound:
		return t.key // it concerns no key
	case node.KindReturn:
		return t.of[ticketOf{to.index, m.Reply.ID >> coord.AskBits}]
	default:
		return ""
	}
}

// frame writes a line about a message on its way; what says what becomes of it.
func (t *tracer) frame(now time.Duration, what string, from, to *machine, body []byte) {
	if t == nil {
		return
	}
	m, err := wire.DecodeMessage(body)
	if err != nil {
		t.printf(now, "%s: %s -> %s: %v", what, from.id, to.id, err)
		return
	}
	if m.Survey != nil && m.Survey.Look == replica.Roots || m.Found != nil && m.Found.Look == replica.Roots {
		return // they go to and fro all the time
	}
	if t.wants(t.keyOf(from, to, &m)) {
		t.printf(now, "%s: %s -> %s: %s", what, from.id, to.id, tellMessage(&m))
	}
}

// fact writes a line about what a core states.
func (t *tracer) fact(now time.Duration, m *machine, f *fact.Fact) {
	if t == nil || f.Kind == fact.Agreed && f.N == 0 {
		return
	}
	key, known := t.of[ticketOf{m.index, f.Ticket >> coord.AskBits}]
	if !known || t.wants(key) {
		t.printf(now, "%s: %v", m.id, f)
	}
}

// tellMessage tells a message in words.
func tellMessage(m *node.Message) string {
	switch m.Kind {
	case node.KindAsk:
		s := fmt.Sprintf("ask %x %s", m.Op.ID, verbText(m.Op.Verb))
		if len(m.Op.State) > 0 {
			s += " " + tellBytes(m.Op.State)
		}
		return s
	case node.KindAnswer:
		a := &m.Answer
		s := fmt.Sprintf("answer %x %s %s durable=%v", a.ID, verbText(a.Verb), statusText(a.Status), a.Durable)
		if len(a.State) > 0 {
			s += " " + tellBytes(a.State)
		}
		return s
	case node.KindForward:
		return fmt.Sprintf("forward %x retry=%v", m.Request.ID, m.Request.Retry)
	case node.KindSurvey:
		s := m.Survey
		return fmt.Sprintf("survey %x of %d: look %d bucket %q span %x-%x after %q", s.ID, m.Partition, s.Look, s.Bucket, s.Span.First, s.Span.Last, s.After)
	case node.KindFound:
		f := m.Found
		return fmt.Sprintf("found %x of %d: %s %v, %d roots, %d parts, %d keys, unreadable %d, next %q", f.ID, m.Partition, statusText(f.Status), f.Reason, len(f.Roots), len(f.Parts), len(f.Keys), f.Unreadable, f.Next)
	case node.KindEpochs:
		s := fmt.Sprintf("epochs, %d is waited for:", m.Show.Wanted)
		for _, e := range m.Show.Shown {
			s += fmt.Sprintf(" %s %d", e.Node, e.Epoch)
		}
		return s
	case node.KindGossip:
		s := fmt.Sprintf("gossip of %d changes", m.Gossip.Summary.Count)
		if m.Gossip.Page != nil {
			s += fmt.Sprintf(", with %d of them", len(m.Gossip.Page.Changes))
		}
		return s
	case node.KindChain:
		c := m.Chain
		s := fmt.Sprintf("chain %d at %d, ballot %d of %s", c.Kind, c.Number, c.Ballot.Round, c.Ballot.Node)
		if c.Link != nil {
			s += fmt.Sprintf(", link %d with %d moves", c.Link.Number, len(c.Link.Moves))
		}
		return s
	default:
		if m.Reply.Err != nil {
			return fmt.Sprintf("return %x %v", m.Reply.ID, m.Reply.Err)
		}
		return fmt.Sprintf("return %x done, %d siblings", m.Reply.ID, len(m.Reply.Siblings))
	}
}

func tellBytes(canonical []byte) string {
	s, err := causal.DecodeState(canonical)
	if err != nil {
		return err.Error()
	}
	return tell(&s)
}

// tell tells a state in words: what it claims and what it holds.
func tell(s *causal.State) string {
	var b strings.Builder
	b.WriteString("[")
	for i, e := range s.Vector {
		if i > 0 {
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "%v", causal.Dot{Actor: e.Actor, N: e.N})
	}
	for _, d := range s.Exceptions {
		fmt.Fprintf(&b, " +%v", d)
	}
	b.WriteString("] {")
	for i := range s.Versions {
		if i > 0 {
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "%v=%s", s.Versions[i].Dot, tellValue(s.Versions[i].Value))
	}
	b.WriteString("}")
	return b.String()
}

func tellValue(v []byte) string {
	if id, ok := history.ValueOp(v); ok {
		return fmt.Sprintf("op%d", id)
	}
	return fmt.Sprintf("%q", v[:min(len(v), 16)])
}

func verbText(v replica.Verb) string {
	switch v {
	case replica.Write:
		return "write"
	case replica.Join:
		return "join"
	case replica.Read:
		return "read"
	case replica.Drop:
		return "drop"
	case replica.Fold:
		return "fold"
	default:
		return "recall"
	}
}

func statusText(s replica.Status) string {
	switch s {
	case replica.Have:
		return "have"
	case replica.Absent:
		return "absent"
	case replica.DontKnow:
		return "don't know"
	default:
		return "failed"
	}
}
