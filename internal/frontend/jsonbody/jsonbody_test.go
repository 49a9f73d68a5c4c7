package jsonbody

import (
	"strings"
	"testing"
)

// What is wrong is said without a type or a function of this program.
func TestFault(t *testing.T) {
	type element struct {
		By int64 `json:"by"`
	}
	for body, want := range map[string]string{
		``:                            "it is empty",
		`{"elements":[`:               "it ends too early",
		`[]`:                          "it can't be an array",
		`"x"`:                         "it can't be a string",
		`{"elements":[{"by":"1"}]}`:   "elements.by can't be a string",
		`{"elements":[{"by":1.5}]}`:   "elements.by can't be a number 1.5",
		`{"elements":{}}`:             "elements can't be an object",
		`{"elements":[{"by":true}]}`:  "elements.by can't be true or false",
		`{"colour":1}`:                `unknown field "colour"`,
		`{"elements":[]]`:             "invalid character ']' after object key:value pair",
		`{"elements":[{"by":"1"}]}xx`: "elements.by can't be a string",
	} {
		var into struct {
			Elements []element `json:"elements"`
		}
		err := NewDecoder(strings.NewReader(body)).Decode(&into)
		if err == nil {
			t.Errorf("%s: no error", body)
			continue
		}
		if got := Fault(err); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
