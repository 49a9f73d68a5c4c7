package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
	"github.com/ourodb/ouro/internal/frontend/jsonbody"
)

// manyPath takes several requests at once.
const manyPath = "/many"

// manyAtOnce is how many items of one request are under way at a time.
const manyAtOnce = 32

// itemJSON is a line of the body: one request.
type itemJSON struct {
	Op          string       `json:"op"` // get, put or delete
	Bucket      string       `json:"bucket"`
	Key         string       `json:"key"` // percent-encoded as in a path: a key is any bytes
	Value       []byte       `json:"value"`
	Text        *string      `json:"text"` // instead of value, for people
	ContentType string       `json:"content_type"`
	Context     string       `json:"context"`
	RequestID   string       `json:"request_id"`
	Attempt     int          `json:"attempt"`
	key         ouro.Key     // of what was read
	opts        ouro.Options // likewise
}

// answerJSON is a line of the answer. Lines come as items are done, in any order.
type answerJSON struct {
	Index       int    `json:"index"` // of the item, from 0
	Status      int    `json:"status"`
	RequestID   string `json:"request_id"`
	Coordinator string `json:"coordinator,omitempty"`
	Quorum      string `json:"quorum,omitempty"`
}

// many carries out every line of the body by itself.
func (x *exchange) many() {
	if x.r.Method != http.MethodPost {
		x.w.Header().Set("Allow", "POST")
		x.rejectAs(http.StatusMethodNotAllowed, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.20q is no method of several requests: use POST", x.r.Method))
		return
	}
	err := noConditions(x.r.Header)
	if err == nil {
		err = x.readOptions()
	}
	if err == nil && x.opts.Context != nil {
		err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "a context is of one key: give each item its own")
	}
	if err != nil {
		x.reject(err)
		return
	}
	body, release, err := x.readUpTo(x.cfg.MaxBatch, ouro.Errorf(ouro.TooLarge, ouro.NotDone, "the items have more than %d bytes together, the limit of this node: send them in several requests", x.cfg.MaxBatch))
	defer release()
	if err != nil {
		x.reject(err)
		return
	}
	items, err := x.readItems(body)
	if err != nil {
		x.reject(err)
		return
	}
	x.set("Content-Type", "application/x-ndjson")
	x.writeHeader(http.StatusOK)
	x.carryOut(items)
}

// readItems reads all lines before any is carried out, so that a body with a bad line
// does nothing.
func (x *exchange) readItems(body []byte) (items []itemJSON, err error) {
	if err := checkText(body); err != nil {
		return nil, err
	}
	d := jsonbody.NewDecoder(bytes.NewReader(body))
	for {
		var it itemJSON
		switch err := d.Decode(&it); {
		case err == io.EOF:
			return items, nil
		case err != nil:
			return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "item %d of the body is no request in JSON: %s", len(items), jsonbody.Fault(err))
		case len(items) == ouro.MaxItems:
			return nil, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body has more than %d items: send them in several requests", ouro.MaxItems)
		}
		if err := x.readItem(&it); err != nil {
			return nil, ouro.Errorf(ouro.CodeOf(err), ouro.NotDone, "item %d of the body: %v", len(items), err)
		}
		items = append(items, it)
	}
}

// readItem checks a line and reads what it says.
func (x *exchange) readItem(it *itemJSON) error {
	name, err := url.PathUnescape(it.Key)
	if err != nil {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the key is not percent-encoded: %v", err)
	}
	it.key, it.opts = ouro.Key{Bucket: it.Bucket, Name: name}, x.opts
	if it.Text != nil {
		it.Value = []byte(*it.Text)
	}
	if err := it.key.Validate(); err != nil {
		return err
	}
	switch {
	case it.Op != "get" && it.Op != "put" && it.Op != "delete":
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "op is %.20q: it is get, put or delete", it.Op)
	case len(it.ContentType) > x.cfg.MaxContentType:
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "content_type has %d bytes: it has at most %d", len(it.ContentType), x.cfg.MaxContentType)
	case len(it.RequestID) > x.cfg.MaxRequestID || it.Attempt < 0 || it.Attempt > maxAttempt:
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "request_id has at most %d characters, and attempt is from 1 to %d", x.cfg.MaxRequestID, maxAttempt)
	}
	if it.Context != "" {
		if it.opts.Context, err = ouro.ParseContext(it.Context); err != nil {
			return err
		}
	}
	it.opts.RequestID, it.opts.First = it.RequestID, it.Attempt == 1
	if it.RequestID == "" {
		it.opts.RequestID, it.opts.First = drawID(), true
	}
	return nil
}

// carryOut does all items, some at a time, and writes each answer as it comes.
func (x *exchange) carryOut(items []itemJSON) {
	lines := make(chan []byte, manyAtOnce)
	go func() {
		var all sync.WaitGroup
		slots := make(chan struct{}, manyAtOnce)
		for i := range items {
			slots <- struct{}{}
			all.Go(func() {
				lines <- x.carryOutOne(i, &items[i])
				<-slots
			})
		}
		all.Wait()
		close(lines)
	}()
	control := http.NewResponseController(x.w)
	for line := range lines { // to the end, also where the client is gone: every write is waited for
		_ = control.SetWriteDeadline(time.Now().Add(x.cfg.ReplyTimeout))
		x.send(line)
		if len(lines) == 0 {
			_ = control.Flush() // nothing more is there yet; a recorder in a test can't
		}
	}
}

func (x *exchange) carryOutOne(i int, it *itemJSON) (line []byte) {
	opt := func(o *ouro.Options) { *o = it.opts }
	ctx := x.r.Context()
	var res ouro.Result
	var err error
	f := writeForm
	if it.Op == "get" {
		f = readForm
	}
	defer fault.Catch(x.cfg.Faulted, func(err *ouro.Error) { line = x.line(i, &ouro.Result{}, err, f, it) })
	switch it.Op {
	case "get":
		res, err = x.store.Get(ctx, it.key, opt)
	case "put":
		if len(it.Value) > x.cfg.MaxValue {
			err = x.tooLarge()
			break
		}
		res, err = x.store.Put(ctx, it.key, ouro.Value{Data: it.Value, ContentType: it.ContentType}, opt)
	default:
		res, err = x.store.Delete(ctx, it.key, opt)
	}
	return x.line(i, &res, err, f, it)
}

// line writes one answer.
func (x *exchange) line(i int, res *ouro.Result, err error, f form, it *itemJSON) []byte {
	a := answerJSON{Index: i, Status: http.StatusOK, RequestID: it.opts.RequestID, Coordinator: res.Coordinator}
	if res.Quorum.N != 0 {
		a.Quorum = quorum(&res.Quorum, f)
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	if err == nil && f == readForm && len(res.Siblings) > 1 {
		a.Status = http.StatusMultipleChoices
	}
	var e *ouro.Error
	if err != nil {
		e = x.itemError(err, f)
		a.Status = status(e.Code)
		if e.Code != ouro.NotFound {
			res.Context = nil // it may cover what the client was not shown (RULES R6)
		}
		res.Siblings, res.Typed = nil, nil
	}
	head := quote(a)
	w.Write(head[:len(head)-1])
	if len(res.Context) > 0 {
		fmt.Fprintf(w, `,"context":"%s"`, res.Context)
	}
	if e != nil {
		tail := quote(failure{Code: e.Code, Message: e.Message, Outcome: e.Outcome.String(), Retryable: e.Retryable})
		w.WriteByte(',')
		w.Write(tail[1 : len(tail)-1])
		if e.Code == ouro.Overloaded || e.Code == ouro.HotKey {
			fmt.Fprintf(w, `,"retry_after":%s`, retryAfter(e.RetryAfter))
		}
	} else if it.Op != "put" {
		writeSiblings(w, res.Siblings)
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
	_ = w.Flush() // to memory
	return b.Bytes()
}

// itemError is asError for an item: what a read did not do is known.
func (x *exchange) itemError(err error, f form) *ouro.Error {
	e := x.asError(err)
	if f == readForm && e.Outcome == ouro.Unknown {
		known := *e
		known.Outcome = ouro.NotDone
		return &known
	}
	return e
}
