package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ourodb/ouro"
)

// entity checks the headers that describe the body of a put and returns its
// media type.
func (x *exchange) entity() (contentType string, err error) {
	h := x.r.Header
	if err := noConditions(h); err != nil {
		return "", err
	}
	if h["Content-Range"] != nil {
		return "", ouro.Errorf(ouro.BadRequest, ouro.NotDone, "Content-Range is not supported: a put stores a whole value")
	}
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return "", ouro.Errorf(ouro.BadRequest, ouro.NotDone, "Content-Encoding is not kept, so a get would not say how to read the value: name it in Content-Type, or leave it out")
	}
	contentType = h.Get("Content-Type")
	if len(contentType) > x.cfg.MaxContentType {
		return "", ouro.Errorf(ouro.BadRequest, ouro.NotDone, "Content-Type has %d bytes: it has at most %d", len(contentType), x.cfg.MaxContentType)
	}
	return contentType, nil
}

// noConditions refuses a write that must happen only under a condition:
// ignoring it could overwrite what the client meant to keep.
func noConditions(h http.Header) error {
	for _, name := range [...]string{"If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"} {
		if h[name] != nil {
			return ouro.Errorf(ouro.BadRequest, ouro.NotDone,
				"%s is not supported: send the Ouro-Context of your get, and what you did not see survives as a sibling", name)
		}
	}
	return nil
}

// await bounds how long the body may take to come, where one is announced: be it read
// here or not, net/http reads what is left of it before the next request.
func (x *exchange) await() {
	if x.r.ContentLength != 0 {
		x.readBy(time.Now().Add(x.cfg.BodyTimeout))
	}
}

// readBy sets the deadline of what is read. A recorder in a test has none; a
// connection always has.
func (x *exchange) readBy(deadline time.Time) {
	_ = http.NewResponseController(x.w).SetReadDeadline(deadline)
}

// readBody reads the value. The caller calls release once the store is done
// with it, whatever the error. After an error the deadline stays.
func (x *exchange) readBody() (body []byte, release func(), err error) {
	return x.readUpTo(int64(x.cfg.MaxValue), x.tooLarge())
}

// readUpTo is readBody for other bounds, and what is said of a body beyond them.
func (x *exchange) readUpTo(most int64, tooLarge error) (body []byte, release func(), err error) {
	size := x.r.ContentLength // -1: unknown
	if size > most {
		x.drop()
		return nil, func() {}, tooLarge
	}
	reserved := size
	if size < 0 {
		reserved = most
	}
	if x.bodies.Add(reserved) > x.cfg.MaxBodies {
		x.bodies.Add(-reserved)
		x.drop()
		return nil, func() {}, x.full()
	}
	release = func() { x.bodies.Add(-reserved) }
	if size < 0 {
		body, err = io.ReadAll(io.LimitReader(x.r.Body, most+1))
	} else {
		body = make([]byte, size)
		_, err = io.ReadFull(x.r.Body, body)
	}
	switch {
	case err != nil:
		return nil, release, x.broken(err)
	case int64(len(body)) > most:
		x.drop()
		return nil, release, tooLarge
	}
	x.readBy(time.Time{})
	return body, release, nil
}

// drop reads the rest of a refused body and throws it away, so that a client
// that writes it all before it reads sees the refusal. A client that waits to be
// told to go on has sent nothing.
func (x *exchange) drop() {
	if x.r.Header.Get("Expect") != "" {
		return
	}
	n, err := io.CopyN(io.Discard, x.r.Body, x.cfg.MaxDropped)
	if n == x.cfg.MaxDropped || err != io.EOF {
		x.w.Header().Set("Connection", "close")
	}
}

func (x *exchange) tooLarge() error {
	return ouro.Errorf(ouro.TooLarge, ouro.NotDone, "the value has more than %d bytes, the limit of this node: split it", x.cfg.MaxValue)
}

func (x *exchange) full() error {
	err := ouro.Errorf(ouro.Overloaded, ouro.NotDone, "%d bytes of values are being stored, the limit of this node: come back later", x.cfg.MaxBodies)
	err.RetryAfter = time.Second
	return err
}

// broken says why a body could not be read to its end.
func (x *exchange) broken(err error) error {
	x.w.Header().Set("Connection", "close")
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body did not arrive within %v", x.cfg.BodyTimeout)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body ended before its announced length")
	default:
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body could not be read: %v", err)
	}
}
