package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// requestFlags are the flags of one request.
type requestFlags struct {
	target
	context string
	id      string
	r, w    int
	pr, pw  int
	dw      int
	timeout time.Duration
	explain bool
	blind   bool
}

// The kinds of flag a verb has.
const (
	reads = 1 << iota
	writes
)

func (f *requestFlags) add(cmd *cobra.Command, kind int) {
	f.addFlags(cmd, false)
	fs := cmd.Flags()
	fs.IntVar(&f.r, "r", 0, "replicas that must answer a read (the bucket's own `number`)")
	fs.IntVar(&f.pr, "pr", 0, "of them, primaries of the key (the bucket's own `number`)")
	if kind&writes != 0 {
		fs.IntVar(&f.w, "w", 0, "replicas that must acknowledge a write (the bucket's own `number`)")
		fs.IntVar(&f.pw, "pw", 0, "of them, primaries of the key (the bucket's own `number`)")
		fs.IntVar(&f.dw, "dw", 0, "of them, replicas that have it on stable storage (the bucket's own `number`)")
		fs.StringVar(&f.context, "context", "", "the `context` of the get whose versions this replaces")
		fs.BoolVar(&f.blind, "blind", false, "do not read first: what is there stays, as a sibling")
		fs.StringVar(&f.id, "request-id", "", "`name` of this request, to repeat it safely when its outcome is unknown")
	}
	fs.DurationVar(&f.timeout, "timeout", 0, "give up after this `duration` (the bucket's own)")
	fs.BoolVar(&f.explain, "explain", false, "tell who was asked, who answered when, and what was decided")
}

// options returns what the flags ask for, of those that were given.
func (f *requestFlags) options(cmd *cobra.Command) ([]ouro.Option, error) {
	var opts []ouro.Option
	for _, c := range []struct {
		flag string
		n    int
		opt  func(int) ouro.Option
	}{{"r", f.r, ouro.R}, {"pr", f.pr, ouro.PR}, {"w", f.w, ouro.W}, {"pw", f.pw, ouro.PW}, {"dw", f.dw, ouro.DW}} {
		if !cmd.Flags().Changed(c.flag) {
			continue
		}
		if c.n < 0 {
			return nil, wrongUse("--%s %d: a number of replicas is not negative", c.flag, c.n)
		}
		opts = append(opts, c.opt(c.n))
	}
	if f.timeout < 0 || cmd.Flags().Changed("timeout") && f.timeout == 0 {
		return nil, wrongUse("--timeout %v: it is longer than nothing", f.timeout)
	}
	if f.timeout > 0 {
		opts = append(opts, ouro.Timeout(f.timeout))
	}
	if f.explain {
		opts = append(opts, ouro.Explain())
	}
	if f.id != "" {
		opts = append(opts, ouro.RequestID(f.id))
	}
	return f.seen(cmd, opts)
}

// open returns the store, and what the flags ask of it.
func (f *requestFlags) open(cmd *cobra.Command) (*client.Client, []ouro.Option, error) {
	opts, err := f.options(cmd)
	if err != nil {
		return nil, nil, err
	}
	store, err := f.store()
	return store, opts, err
}

// store returns the store. A node that hangs is given up: it can't give up itself.
func (f *requestFlags) store() (*client.Client, error) {
	if f.timeout > 0 {
		return f.target.store(f.timeout + answerGrace)
	}
	return f.target.store(answerPatience)
}

// seen adds what the request knows of the versions that are there.
func (f *requestFlags) seen(cmd *cobra.Command, opts []ouro.Option) ([]ouro.Option, error) {
	given := cmd.Flags().Changed("context")
	switch {
	case given && f.blind:
		return nil, wrongUse("--context and --blind: a blind write is one without a context")
	case given && f.context == "":
		return nil, wrongUse("--context is empty: give it as a get returned it, or leave the flag out")
	case given:
		c, err := ouro.ParseContext(f.context)
		if err != nil {
			return nil, wrongUse("--context: %v", err)
		}
		opts = append(opts, ouro.WithContext(c))
	case f.blind:
		opts = append(opts, ouro.Blind())
	}
	return opts, nil
}

// answer is what a request came to, for -o json.
type answer struct {
	Bucket      string       `json:"bucket"`
	Key         string       `json:"key"`
	Siblings    []shown      `json:"siblings,omitempty"`
	Typed       *shownTyped  `json:"typed,omitempty"`
	Changed     int          `json:"changed,omitempty"`
	Context     string       `json:"context,omitempty"`
	RequestID   string       `json:"request_id,omitempty"`
	Coordinator string       `json:"coordinator,omitempty"`
	Quorum      quorum       `json:"quorum"`
	Explain     []string     `json:"explain,omitempty"`
	Error       *answerError `json:"error,omitempty"`
}

type shown struct {
	ContentType string    `json:"content_type,omitempty"`
	Modified    time.Time `json:"modified,omitzero"`
	Expires     time.Time `json:"expires,omitzero"`
	Value       []byte    `json:"value"` // base64
}

// shownTyped is what a key of a bucket of mode types shows.
type shownTyped struct {
	Type     ouro.Kind      `json:"type"`
	Count    int64          `json:"count"`
	Elements []shownElement `json:"elements,omitempty"`
	Expires  time.Time      `json:"expires,omitzero"`
}

type shownElement struct {
	Name  []byte  `json:"name"`            // base64
	Value []byte  `json:"value,omitempty"` // base64
	Score float64 `json:"score"`
}

func newShownTyped(t *ouro.Typed) *shownTyped {
	if t == nil {
		return nil
	}
	s := &shownTyped{Type: t.Kind, Count: t.Count, Expires: t.Expires}
	for _, e := range t.Elements {
		s.Elements = append(s.Elements, shownElement{[]byte(e.Name), e.Value, e.Score})
	}
	return s
}

type quorum struct {
	ouro.QuorumInfo
	Acks      int `json:"acks"`
	Primaries int `json:"primaries"`
	Durable   int `json:"durable"`
}

type answerError struct {
	Code      ouro.Code `json:"code,omitempty"`
	Message   string    `json:"message"`
	Outcome   string    `json:"outcome,omitempty"`
	Retryable bool      `json:"retryable"`
}

func newAnswer(key ouro.Key, res ouro.Result, err error) answer {
	q := res.Quorum
	a := answer{
		Bucket: key.Bucket, Key: key.Name, RequestID: res.RequestID, Coordinator: res.Coordinator, Explain: res.Explain,
		Typed: newShownTyped(res.Typed), Changed: res.Changed,
		Quorum: quorum{ouro.QuorumInfo{N: q.N, R: q.R, W: q.W, PR: q.PR, PW: q.PW, DW: q.DW}, q.Acks, q.Primaries, q.Durable},
	}
	if len(res.Context) > 0 {
		a.Context = res.Context.String()
	}
	for _, s := range res.Siblings {
		a.Siblings = append(a.Siblings, shown{s.ContentType, s.Modified, s.Expires, s.Data})
	}
	if err != nil {
		a.Error = newAnswerError(err)
	}
	return a
}

// printExplain tells the facts of a request, apart from its result.
func printExplain(w io.Writer, res ouro.Result) {
	if len(res.Explain) == 0 {
		return
	}
	fmt.Fprintf(w, "coordinated by %s, request %s\n", res.Coordinator, res.RequestID)
	for _, line := range res.Explain {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
