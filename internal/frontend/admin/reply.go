package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ourodb/ouro"
)

// failure is the body of every error, as on the client port.
type failure struct {
	Code      ouro.Code `json:"code"`
	Message   string    `json:"message"`
	Outcome   string    `json:"outcome"`
	Retryable bool      `json:"retryable"`
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	write(w, v)
}

// failWith answers with an error whose status follows from its code.
func failWith(w http.ResponseWriter, err error) {
	var e *ouro.Error
	if !errors.As(err, &e) {
		e = ouro.Errorf(ouro.Internal, ouro.NotDone, "%v", err)
	}
	fail(w, status(e.Code), e)
}

func status(code ouro.Code) int {
	switch code {
	case ouro.BadRequest:
		return http.StatusBadRequest
	case ouro.NotFound:
		return http.StatusNotFound
	case ouro.TooLarge:
		return http.StatusRequestEntityTooLarge
	case ouro.Conflict:
		return http.StatusConflict
	case ouro.Overloaded, ouro.QuorumUnavailable:
		return http.StatusServiceUnavailable
	case ouro.TimedOut:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

func fail(w http.ResponseWriter, status int, e *ouro.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	write(w, failure{e.Code, e.Message, e.Outcome.String(), e.Retryable})
}

// write sends v as JSON. An error means that the client is gone.
func write(w http.ResponseWriter, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
