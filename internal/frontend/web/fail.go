package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/ourodb/ouro"
)

// failure is the body of every error.
type failure struct {
	Code      ouro.Code `json:"code"`
	Message   string    `json:"message"`
	Outcome   string    `json:"outcome"`
	Retryable bool      `json:"retryable"`
	*explained
}

// explained is what explain=true adds to it.
type explained struct {
	Context  string   `json:"context"`
	Siblings []string `json:"siblings"`
	Explain  []string `json:"explain"`
}

// status returns the HTTP status of a code.
func status(code ouro.Code) int {
	switch code {
	case ouro.BadRequest, ouro.BadContext:
		return http.StatusBadRequest
	case ouro.NotFound:
		return http.StatusNotFound
	case ouro.SiblingsFound, ouro.TooManySiblings, ouro.WrongType:
		return http.StatusConflict
	case ouro.TooLarge:
		return http.StatusRequestEntityTooLarge
	case ouro.HotKey: // not 503: it is no fault of the node, which a proxy might take out of use
		return http.StatusTooManyRequests
	case ouro.Overloaded, ouro.QuorumUnavailable:
		return http.StatusServiceUnavailable
	case ouro.TimedOut:
		return http.StatusGatewayTimeout
	case ouro.DiskFull:
		return http.StatusInsufficientStorage
	default:
		return http.StatusInternalServerError
	}
}

// reject answers a request that the store did not hear of.
func (x *exchange) reject(err error) {
	x.rejectAs(status(ouro.CodeOf(err)), x.asError(err))
}

func (x *exchange) rejectAs(status int, err *ouro.Error) {
	x.cfg.Rejected(err.Code)
	x.writeError(status, err, &ouro.Result{})
}

// fail answers with an error of the store. Only where no version is shown does
// the answer carry the result's context: then it covers none that the client
// has not seen (RULES R6).
func (x *exchange) fail(res *ouro.Result, err error) {
	e := x.asError(err)
	if e.Code == ouro.NotFound {
		x.setContext(res.Context)
	} else {
		res.Context = nil
	}
	x.writeError(status(e.Code), e, res)
}

func (x *exchange) writeError(status int, e *ouro.Error, res *ouro.Result) {
	f := failure{Code: e.Code, Message: e.Message, Outcome: e.Outcome.String(), Retryable: e.Retryable}
	if x.opts.Explain {
		f.explained = &explained{res.Context.String(), []string{}, facts(res)}
	}
	x.set("Content-Type", "application/json")
	if e.Code == ouro.Overloaded || e.Code == ouro.HotKey {
		x.set("Retry-After", retryAfter(e.RetryAfter))
	}
	x.writeHeader(status)
	if x.r.Method != http.MethodHead {
		enc := json.NewEncoder(x.w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(f) // an error means that the client is gone
	}
}

// retryAfter writes a delay in whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}
