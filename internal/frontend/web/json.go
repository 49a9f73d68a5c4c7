package web

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"

	"github.com/ourodb/ouro"
)

// writeJSON writes versions as they come out of the store, without a copy of
// all of them in another form: a hundred siblings of a mebibyte are large
// enough once.
func (x *exchange) writeJSON(status int, res *ouro.Result) {
	x.set("Content-Type", "application/json")
	if res.Typed != nil {
		x.set(headerType, string(res.Typed.Kind))
	}
	x.writeHeader(status)
	if x.r.Method == http.MethodHead {
		return
	}
	w := bufio.NewWriterSize(x.w, 16<<10)
	w.WriteString(`{"context":`)
	w.Write(quote(res.Context.String()))
	writeSiblings(w, res.Siblings)
	if x.updated {
		w.WriteString(`,"changed":`)
		w.Write(quote(res.Changed))
	}
	if res.Typed != nil {
		w.WriteString(`,"typed":`)
		w.Write(quote(typedOf(res.Typed)))
	}
	if x.opts.Explain {
		w.WriteString(`,"explain":`)
		w.Write(quote(facts(res)))
	}
	w.WriteString("}\n")
	_ = w.Flush() // an error means that the client is gone
}

func writeSiblings(w *bufio.Writer, siblings []ouro.Sibling) {
	w.WriteString(`,"siblings":[`)
	for i := range siblings {
		s := &siblings[i]
		if i > 0 {
			w.WriteByte(',')
		}
		w.WriteString(`{"value":"`)
		enc := base64.NewEncoder(base64.StdEncoding, w)
		enc.Write(s.Data)
		enc.Close()
		w.WriteString(`","content_type":`)
		w.Write(quote(contentType(s)))
		w.WriteString(`,"modified":`)
		w.Write(quote(timestamp(s.Modified)))
		if !s.Expires.IsZero() {
			w.WriteString(`,"expires":`)
			w.Write(quote(timestamp(s.Expires)))
		}
		w.WriteByte('}')
	}
	w.WriteByte(']')
}

// facts returns the facts of a result, an empty list where there are none.
func facts(res *ouro.Result) []string {
	if res.Explain == nil {
		return []string{}
	}
	return res.Explain
}

// quote writes strings as JSON. They always can be.
func quote(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// writeParts writes versions as multipart/mixed, a part for each with its own
// headers.
func (x *exchange) writeParts(res *ouro.Result) {
	m := multipart.NewWriter(x.w)
	x.set("Content-Type", "multipart/mixed; boundary="+m.Boundary())
	x.writeHeader(http.StatusMultipleChoices)
	if x.r.Method == http.MethodHead {
		return
	}
	for i := range res.Siblings {
		s := &res.Siblings[i]
		h := textproto.MIMEHeader{}
		for name, value := range describeSibling(s) {
			h[name] = []string{value}
		}
		part, err := m.CreatePart(h)
		if err != nil {
			return // the client is gone
		}
		_, _ = part.Write(s.Data)
	}
	_ = m.Close()
}
