// Package jsonbody reads JSON out of the bodies of HTTP requests, and says what is
// wrong with it in the words of whoever wrote it: which field can't be what. The
// messages of encoding/json name types of this program.
package jsonbody

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// NewDecoder returns a decoder that refuses fields that are unknown: a name that
// is mistyped would else be ignored.
func NewDecoder(r io.Reader) *json.Decoder {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	return d
}

// Fault tells what is wrong with a body whose decoding failed with err.
func Fault(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Sprintf("it can't be %s", article(kind.Value))
	case errors.As(err, &kind):
		return fmt.Sprintf("%s can't be %s", kind.Field, article(kind.Value))
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// article puts "a" or "an" before a kind of JSON value, such as "array", "string"
// or "number 1.5".
func article(kind string) string {
	switch {
	case kind == "bool":
		return "true or false"
	case strings.HasPrefix(kind, "array"), strings.HasPrefix(kind, "object"):
		return "an " + kind
	}
	return "a " + kind
}
