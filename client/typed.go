package client

import (
	"math"
	"time"
	"unicode/utf8"

	"github.com/ourodb/ouro"
)

// typed is what a bucket of data types shows of a key.
type typed struct {
	Type     ouro.Kind `json:"type"`
	Count    int64     `json:"count"`
	Elements []element `json:"elements"`
	Expires  time.Time `json:"expires"`
}

// element is an element as JSON has it: what is no UTF-8 is base64 in a field of
// its own.
type element struct {
	Name        string  `json:"name,omitempty"`
	NameBase64  []byte  `json:"name_base64,omitempty"`
	Value       string  `json:"value,omitempty"`
	ValueBase64 []byte  `json:"value_base64,omitempty"`
	Score       float64 `json:"score,omitempty"`
	ScoreText   string  `json:"score_text,omitempty"` // instead of it: JSON has no infinity
	By          int64   `json:"by,omitempty"`
}

func (t *typed) read() *ouro.Typed {
	if t == nil {
		return nil
	}
	out := &ouro.Typed{Kind: t.Type, Count: t.Count, Expires: t.Expires}
	for _, e := range t.Elements {
		name, value := e.Name, []byte(e.Value)
		if e.NameBase64 != nil {
			name = string(e.NameBase64)
		}
		if e.ValueBase64 != nil {
			value = e.ValueBase64
		}
		score := e.Score
		switch e.ScoreText {
		case "inf":
			score = math.Inf(1)
		case "-inf":
			score = math.Inf(-1)
		}
		out.Elements = append(out.Elements, ouro.Element{Name: name, Value: value, Score: score})
	}
	return out
}

// sentUpdate is the body of an update.
type sentUpdate struct {
	Type        ouro.Kind      `json:"type"`
	Act         ouro.Act       `json:"act"`
	If          ouro.Condition `json:"if,omitempty"`
	Elements    []element      `json:"elements,omitempty"`
	ContentType string         `json:"content_type,omitempty"`
	Expires     time.Time      `json:"expires,omitzero"`
	Keep        bool           `json:"keep,omitempty"`
}

func newUpdate(u *ouro.Update) sentUpdate {
	s := sentUpdate{Type: u.Kind, Act: u.Act, If: u.If, ContentType: u.ContentType, Expires: u.Expires, Keep: u.Keep}
	for _, e := range u.Elements {
		out := element{By: e.By, Score: e.Score}
		switch {
		case math.IsInf(e.Score, 1):
			out.Score, out.ScoreText = 0, "inf"
		case math.IsInf(e.Score, -1):
			out.Score, out.ScoreText = 0, "-inf"
		}
		if utf8.ValidString(e.Name) {
			out.Name = e.Name
		} else {
			out.NameBase64 = []byte(e.Name)
		}
		if utf8.Valid(e.Value) {
			out.Value = string(e.Value)
		} else {
			out.ValueBase64 = e.Value
		}
		s.Elements = append(s.Elements, out)
	}
	return s
}
