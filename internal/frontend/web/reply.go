package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/ourodb/ouro"
)

// defaultType is the media type of a value that was given none.
const defaultType = "application/octet-stream"

// form is which of the two forms of Ouro-Quorum a verb has.
type form bool

const (
	readForm  form = false
	writeForm form = true
)

// describe sets the headers that say how a result was reached.
func (x *exchange) describe(res *ouro.Result, f form) {
	if res.RequestID != "" {
		x.set(headerRequestID, res.RequestID)
	}
	if res.Coordinator != "" {
		x.set(headerCoordinator, res.Coordinator)
	}
	if res.Quorum.N != 0 {
		x.set(headerQuorum, quorum(&res.Quorum, f))
	}
}

// quorum writes the numbers in force, then those reached.
func quorum(q *ouro.Quorum, f form) string {
	b := make([]byte, 0, 64)
	field := func(name string, n int) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(b, name...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	field("n=", q.N)
	if f == readForm {
		field("r=", q.R)
		field("pr=", q.PR)
	} else {
		field("w=", q.W)
		field("pw=", q.PW)
		field("dw=", q.DW)
	}
	field("acks=", q.Acks)
	field("primaries=", q.Primaries)
	if f == writeForm {
		field("durable=", q.Durable)
	}
	if q.Unsettled {
		b = append(b, " unsettled=true"...)
	}
	return string(b)
}

func (x *exchange) setContext(c ouro.Context) {
	if len(c) > 0 {
		x.set(headerContext, c.String())
	}
}

// honestContext sets the context of an answer that shows every version. An
// answer without a body shows none, so it carries none (RULES R6).
func (x *exchange) honestContext(c ouro.Context) {
	if x.r.Method != http.MethodHead {
		x.setContext(c)
	}
}

// writeHeader starts the answer and its clock.
func (x *exchange) writeHeader(status int) {
	// A recorder in a test has no deadlines; a connection always has.
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.cfg.ReplyTimeout))
	x.w.WriteHeader(status)
}

// writeOne answers with the bytes of the only version.
func (x *exchange) writeOne(res *ouro.Result) {
	x.honestContext(res.Context)
	s := &res.Siblings[0]
	for name, value := range describeSibling(s) {
		x.set(name, value)
	}
	x.set("Content-Length", strconv.Itoa(len(s.Data)))
	x.writeHeader(http.StatusOK)
	x.send(s.Data)
}

// describeSibling yields the headers of one version, alone or as a part.
func describeSibling(s *ouro.Sibling) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		if !yield("Content-Type", contentType(s)) || s.Modified.IsZero() {
			return
		}
		if !yield("Last-Modified", s.Modified.UTC().Format(http.TimeFormat)) || !yield(headerModified, timestamp(s.Modified)) {
			return
		}
		if !s.Expires.IsZero() {
			yield(headerExpires, timestamp(s.Expires))
		}
	}
}

func contentType(s *ouro.Sibling) string {
	if s.ContentType == "" {
		return defaultType
	}
	return s.ContentType
}

// timestamp writes a time as RFC 3339 has it, in UTC.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// writeSeveral answers with all versions in the form the client likes best.
func (x *exchange) writeSeveral(res *ouro.Result) {
	switch a := x.accept; {
	case a.json == 0 && a.multipart == 0:
		x.fail(res, ouro.Errorf(ouro.SiblingsFound, ouro.NotDone,
			"the key has %d versions and Accept allows no form of several: accept application/json or multipart/mixed", len(res.Siblings)))
	case a.multipart > a.json:
		x.honestContext(res.Context)
		x.writeParts(res)
	default:
		x.honestContext(res.Context)
		x.writeJSON(http.StatusMultipleChoices, res)
	}
}

// writeExplained answers with versions and facts, however many there are.
func (x *exchange) writeExplained(res *ouro.Result) {
	status := http.StatusOK
	if x.isRead() && len(res.Siblings) > 1 {
		status = http.StatusMultipleChoices
	}
	x.honestContext(res.Context)
	x.writeJSON(status, res)
}

func (x *exchange) isRead() bool {
	return x.r.Method == http.MethodGet || x.r.Method == http.MethodHead
}

// send writes a part of the body. An error means that the client is gone, and
// there is nobody to tell.
func (x *exchange) send(b []byte) {
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(b)
	}
}
