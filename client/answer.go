package client

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
)

// several is the JSON form of an answer with any number of versions.
type several struct {
	Typed    *typed    `json:"typed"`
	Changed  int       `json:"changed"`
	Context  string    `json:"context"`
	Siblings []sibling `json:"siblings"`
	Explain  []string  `json:"explain"`
}

type sibling struct {
	Value       []byte    `json:"value"`
	ContentType string    `json:"content_type"`
	Modified    time.Time `json:"modified"`
	Expires     time.Time `json:"expires"`
}

func (s *sibling) read() ouro.Sibling {
	return ouro.Sibling{Value: ouro.Value{Data: s.Value, ContentType: s.ContentType}, Modified: s.Modified, Expires: s.Expires}
}

// failure is the JSON form of an error.
type failure struct {
	Code      ouro.Code `json:"code"`
	Message   string    `json:"message"`
	Outcome   string    `json:"outcome"`
	Retryable bool      `json:"retryable"`
	Explain   []string  `json:"explain"`
}

// readAnswer makes a result of what a node answered.
func readAnswer(resp *http.Response, body []byte, method string, res ouro.Result) (ouro.Result, error) {
	h := resp.Header
	if id := h.Get("Ouro-Request-Id"); id != "" {
		res.RequestID = id
	}
	res.Coordinator = h.Get("Ouro-Coordinator")
	res.Quorum = parseQuorum(h.Get("Ouro-Quorum"))
	if text := h.Get("Ouro-Context"); text != "" {
		c, err := ouro.ParseContext(text)
		if err != nil {
			return res, strange(resp, method, "its context is not one")
		}
		res.Context = c
	}
	switch {
	case resp.StatusCode >= 400:
		return readFailure(resp, body, method, res)
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusMultipleChoices || res.Coordinator == "":
		return res, strange(resp, method, "is it an Ouro node?")
	case isJSON(h) && (resp.StatusCode == http.StatusMultipleChoices || method == http.MethodPost || explained(resp) || h.Get("Ouro-Type") != ""):
		return readSeveral(resp, body, method, res)
	case resp.StatusCode == http.StatusOK && method == http.MethodGet:
		res.Siblings = []ouro.Sibling{readOne(h, body)}
	}
	return res, nil
}

func explained(resp *http.Response) bool {
	return resp.Request.URL.Query().Get("explain") == "true"
}

func readOne(h http.Header, body []byte) ouro.Sibling {
	s := ouro.Sibling{Value: ouro.Value{Data: body, ContentType: h.Get("Content-Type")}}
	// A time that cannot be read stays zero: it only informs people.
	s.Modified, _ = time.Parse(time.RFC3339Nano, h.Get("Ouro-Modified"))
	s.Expires, _ = time.Parse(time.RFC3339Nano, h.Get("Ouro-Expires"))
	return s
}

func readSeveral(resp *http.Response, body []byte, method string, res ouro.Result) (ouro.Result, error) {
	var a several
	if err := json.Unmarshal(body, &a); err != nil {
		return res, strange(resp, method, "its JSON cannot be read: "+err.Error())
	}
	for _, s := range a.Siblings {
		res.Siblings = append(res.Siblings, s.read())
	}
	res.Explain, res.Changed = a.Explain, a.Changed
	res.Typed = a.Typed.read()
	return res, nil
}

func readFailure(resp *http.Response, body []byte, method string, res ouro.Result) (ouro.Result, error) {
	if resp.StatusCode == http.StatusRequestHeaderFieldsTooLarge { // net/http says it, and no node would take it
		return res, ouro.Errorf(ouro.TooLarge, ouro.NotDone, "the context, the content type and the request id are too long together for %s", resp.Request.URL.Host)
	}
	var f failure
	if !isJSON(resp.Header) || json.Unmarshal(body, &f) != nil || f.Code == "" {
		return res, strange(resp, method, fmt.Sprintf("is it an Ouro node? It says %.200q", body))
	}
	res.Explain = f.Explain
	e := &ouro.Error{Code: f.Code, Message: f.Message, Outcome: ouro.ParseOutcome(f.Outcome), Retryable: f.Retryable}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return res, e
}

func isJSON(h http.Header) bool {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// strange is the error of an answer that no node would give: a proxy's, or of
// another program on that port.
func strange(resp *http.Response, method, why string) error {
	outcome := ouro.Unknown
	if method == http.MethodGet {
		outcome = ouro.NotDone
	}
	return ouro.Errorf(ouro.Internal, outcome, "%s answered %s: %s", resp.Request.URL.Host, resp.Status, why)
}

// parseQuorum reads the numbers of the Ouro-Quorum header it knows.
func parseQuorum(text string) ouro.Quorum {
	var q ouro.Quorum
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "n":
			q.N = n
		case "r":
			q.R = n
		case "w":
			q.W = n
		case "pr":
			q.PR = n
		case "pw":
			q.PW = n
		case "dw":
			q.DW = n
		case "acks":
			q.Acks = n
		case "primaries":
			q.Primaries = n
		case "durable":
			q.Durable = n
		case "unsettled":
			q.Unsettled = value == "true"
		}
	}
	return q
}
