// Package keypath reads keys out of the paths of HTTP requests, and writes them
// into paths. A key is any bytes, so its path is taken as it stood on the
// request line: decoded exactly once, never cleaned, never redirected. "//", "."
// and ".." are bytes of a key like any others.
package keypath

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ourodb/ouro"
)

// Raw returns the path of a request as its client wrote it, still encoded and
// without the query.
func Raw(r *http.Request) string {
	raw := r.RequestURI
	if raw == "" || raw[0] != '/' { // made by hand, or in absolute form
		return r.URL.EscapedPath()
	}
	if i := strings.IndexByte(raw, '?'); i >= 0 {
		raw = raw[:i]
	}
	return raw
}

// Parse reads "bucket/key", percent-encoded, key being all that follows the
// first '/'. Errors are [ouro.Error] values with code [ouro.BadRequest].
func Parse(raw string) (ouro.Key, error) {
	bucket, name, _ := strings.Cut(raw, "/")
	bucket, err := decode("bucket", bucket)
	if err != nil {
		return ouro.Key{}, err
	}
	name, err = decode("key", name)
	if err != nil {
		return ouro.Key{}, err
	}
	key := ouro.Key{Bucket: bucket, Name: name}
	return key, key.Validate()
}

func decode(what, raw string) (string, error) {
	s, err := url.PathUnescape(raw)
	if err != nil {
		return "", ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the %s in the path is not percent-encoded: %v; write %% itself as %%25", what, err)
	}
	return s, nil
}

// Append appends "bucket/key" to dst so that [Parse] gives key back: what is
// not a letter, a digit or one of - . _ ~ / is percent-encoded.
func Append(dst []byte, key ouro.Key) []byte {
	dst = appendEscaped(dst, key.Bucket)
	dst = append(dst, '/')
	return appendEscaped(dst, key.Name)
}

// Escape returns a key as it stands in a path.
func Escape(name string) string { return string(appendEscaped(nil, name)) }

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		if c := s[i]; plain(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~' || c == '/'
}
