package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/jsonbody"
)

// elementJSON is an element as JSON has it. Names and values that are no UTF-8
// come, and may be sent, as base64 in fields of their own.
type elementJSON struct {
	Name        string   `json:"name,omitempty"`
	NameBase64  []byte   `json:"name_base64,omitempty"`
	Value       *string  `json:"value,omitempty"`
	ValueBase64 []byte   `json:"value_base64,omitempty"`
	Score       *float64 `json:"score,omitempty"`
	ScoreText   string   `json:"score_text,omitempty"` // instead of it: JSON has no infinity
	By          int64    `json:"by,omitempty"`
}

// updateJSON is the body of a POST.
type updateJSON struct {
	Type        ouro.Kind      `json:"type"`
	Act         ouro.Act       `json:"act"`
	If          ouro.Condition `json:"if"`
	Elements    elementsJSON   `json:"elements"`
	ContentType string         `json:"content_type"`
	Expires     time.Time      `json:"expires"`
	Keep        bool           `json:"keep"`
}

// elementsJSON are those of an update. An empty one takes three bytes of a body and a
// hundred of memory: more than any update may name are not read.
type elementsJSON []elementJSON

// UnmarshalJSON implements [json.Unmarshaler].
func (all *elementsJSON) UnmarshalJSON(b []byte) error {
	*all = nil
	if string(b) == "null" {
		return nil
	}
	d := jsonbody.NewDecoder(bytes.NewReader(b))
	if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
		return errors.New("elements is no list")
	}
	for d.More() {
		if len(*all) == ouro.MaxElements {
			return fmt.Errorf("an update names at most %d elements", ouro.MaxElements)
		}
		var e elementJSON
		if err := d.Decode(&e); err != nil {
			return err
		}
		*all = append(*all, e)
	}
	return nil
}

// checkText refuses a body that is not UTF-8: what is not would be read as something else.
func checkText(body []byte) error {
	if utf8.Valid(body) {
		return nil
	}
	return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body is JSON, and that is UTF-8: send other bytes as base64")
}

// typedJSON is what a key of a bucket of data types shows.
type typedJSON struct {
	Type     ouro.Kind     `json:"type"`
	Count    *int64        `json:"count,omitempty"`
	Elements []elementJSON `json:"elements,omitempty"`
	Expires  *time.Time    `json:"expires,omitempty"`
}

// update carries out an operation on a data type.
func (x *exchange) update(key ouro.Key) {
	updater, ok := x.store.(ouro.Updater)
	if !ok {
		x.reject(ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this store has no data types"))
		return
	}
	if err := noConditions(x.r.Header); err != nil {
		x.reject(err)
		return
	}
	body, release, err := x.readBody()
	defer release()
	if err != nil {
		x.reject(err)
		return
	}
	u, err := parseUpdate(body)
	if err != nil {
		x.reject(err)
		return
	}
	res, err := updater.Update(x.r.Context(), key, u, x.option())
	x.describe(&res, writeForm)
	if err != nil {
		x.fail(&res, err)
		return
	}
	x.updated = true
	x.setContext(res.Context)
	x.writeJSON(http.StatusOK, &res)
}

func parseUpdate(body []byte) (u ouro.Update, err error) {
	if err := checkText(body); err != nil {
		return u, err
	}
	var in updateJSON
	d := jsonbody.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&in); err != nil {
		return u, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body is no update in JSON: %s", jsonbody.Fault(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return u, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "something follows the update in the body")
	}
	u = ouro.Update{Kind: in.Type, Act: in.Act, If: in.If, ContentType: in.ContentType, Expires: in.Expires, Keep: in.Keep}
	for _, e := range in.Elements {
		out := ouro.Element{Name: e.Name, Value: e.ValueBase64, By: e.By}
		if e.NameBase64 != nil {
			out.Name = string(e.NameBase64)
		}
		if e.Value != nil {
			out.Value = []byte(*e.Value)
		}
		if e.Score != nil {
			out.Score = *e.Score
		}
		if e.ScoreText != "" {
			sign, known := infinities[e.ScoreText]
			if !known {
				return u, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "score_text is %.20q: it is inf or -inf, and other scores are numbers", e.ScoreText)
			}
			out.Score = math.Inf(sign)
		}
		u.Elements = append(u.Elements, out)
	}
	return u, nil
}

// typedOf is what a result shows as JSON has it.
func typedOf(t *ouro.Typed) typedJSON {
	out := typedJSON{Type: t.Kind}
	if t.Kind == ouro.Counter {
		out.Count = &t.Count
	}
	if !t.Expires.IsZero() {
		at := t.Expires.UTC()
		out.Expires = &at
	}
	for i := range t.Elements {
		out.Elements = append(out.Elements, elementOf(t.Kind, &t.Elements[i]))
	}
	return out
}

// infinities are the signs of what score_text may be.
var infinities = map[string]int{"inf": 1, "-inf": -1}

func (e *elementJSON) setScore(score float64) {
	switch {
	case math.IsInf(score, 1):
		e.ScoreText = "inf"
	case math.IsInf(score, -1):
		e.ScoreText = "-inf"
	default:
		e.Score = &score
	}
}

func elementOf(kind ouro.Kind, e *ouro.Element) (out elementJSON) {
	if utf8.ValidString(e.Name) {
		out.Name = e.Name
	} else {
		out.NameBase64 = []byte(e.Name)
	}
	switch {
	case kind == ouro.SortedSet:
		out.setScore(e.Score)
	case kind == ouro.Map && utf8.Valid(e.Value):
		value := string(e.Value)
		out.Value = &value
	case kind == ouro.Map:
		out.ValueBase64 = e.Value
	}
	return out
}
