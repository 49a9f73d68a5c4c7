package ouro_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ourodb/ouro"
)

// TestBriefKey: a key is named in messages and labels by what can be shown, however long
// and of whatever bytes it is.
func TestBriefKey(t *testing.T) {
	for name, want := range map[string]string{
		"alice":                         "b/alice",
		"a/b c":                         "b/a/b c",
		"Zoë":                           "b/Zoë",
		"a\nb":                          `b/"a\nb"`,
		"\xff\x00":                      `b/"\xff\x00"`,
		`"`:                             `b/"\""`,
		strings.Repeat("a", 64):         "b/" + strings.Repeat("a", 64),
		strings.Repeat("a", 65):         "b/" + strings.Repeat("a", 64) + "...",
		strings.Repeat("a", 63) + "ëxx": "b/" + strings.Repeat("a", 63) + "...",
		strings.Repeat("\x00", 1024):    `b/"` + strings.Repeat(`\x00`, 64) + `"...`,
		strings.Repeat("\x80", 100):     `b/"` + strings.Repeat(`\x80`, 60) + `"...`,
	} {
		if got := (ouro.Key{Bucket: "b", Name: name}).Brief(); got != want || !utf8.ValidString(got) {
			t.Errorf("%q is shown as %s, not %s", name, got, want)
		}
	}
}
