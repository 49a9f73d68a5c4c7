package web

import (
	"strconv"
	"strings"
)

// accept says how liked the forms of several versions are, from 0 (not at all)
// to 1.
type accept struct{ json, multipart float64 }

// parseAccept reads Accept headers (RFC 9110, section 12.5.1): for each form the
// most specific range that matches it decides. None at all likes everything.
// What is no media range is skipped.
func parseAccept(headers []string) accept {
	if len(headers) == 0 {
		return accept{json: 1, multipart: 1}
	}
	var a accept
	var rankJSON, rankMultipart int
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			media, params, _ := strings.Cut(part, ";")
			media, q := strings.ToLower(strings.TrimSpace(media)), quality(params)
			if rank := specificity(media, "application/json"); rank > rankJSON {
				rankJSON, a.json = rank, q
			}
			if rank := specificity(media, "multipart/mixed"); rank > rankMultipart {
				rankMultipart, a.multipart = rank, q
			}
		}
	}
	return a
}

// specificity ranks how closely a media range names a media type; 0: not.
func specificity(media, typ string) int {
	major, _, _ := strings.Cut(typ, "/")
	switch media {
	case typ:
		return 3
	case major + "/*":
		return 2
	case "*/*":
		return 1
	default:
		return 0
	}
}

// quality returns the weight among the parameters of a media range, 1 where
// there is none.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) { // NaN is neither
				return 0
			}
			return q
		}
	}
	return 1
}
