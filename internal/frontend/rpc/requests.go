package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// keyOf returns the key of a request; the store checks it.
func keyOf(k *ourov1.Key) ouro.Key { return ouro.Key{Bucket: k.GetBucket(), Name: string(k.GetName())} }

// given hands all options on at once.
func given(opts ouro.Options) ouro.Option { return func(o *ouro.Options) { *o = opts } }

// maxCount bounds the digits of a number of replicas; only the store knows n.
const maxCount = 999

// longestTTL is the longest that a store takes.
const longestTTL = 100 * 365 * 24 * time.Hour

// options reads the options of a request and its context, nil where it has none.
func (s *service) options(o *ourov1.Options, context []byte) (opts ouro.Options, err error) {
	if context != nil && len(context) == 0 {
		return opts, ouro.Errorf(ouro.BadContext, ouro.NotDone, "the context is empty: leave it out to write without one")
	}
	opts = ouro.Options{Context: context, Explain: o.GetExplain(), RequestID: o.GetRequestId(), First: o.GetFirst()}
	if o == nil {
		return opts, nil
	}
	for _, c := range [...]struct {
		name  string
		given *uint32
		least uint32
		at    *ouro.Count
	}{{"r", o.R, 1, &opts.R}, {"pr", o.Pr, 0, &opts.PR}, {"w", o.W, 1, &opts.W}, {"pw", o.Pw, 0, &opts.PW}, {"dw", o.Dw, 0, &opts.DW}} {
		if err := setCount(c.at, c.name, c.given, c.least); err != nil {
			return opts, err
		}
	}
	if id := opts.RequestID; len(id) > s.cfg.MaxRequestID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return opts, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "request_id has 1 to %d characters from ! to ~ without spaces", s.cfg.MaxRequestID)
	}
	if opts.Timeout, err = s.timeout(o.GetTimeout()); err != nil {
		return opts, err
	}
	if o.GetTtl() != nil {
		opts.TTL = o.GetTtl().AsDuration()
		if o.GetTtl().CheckValid() != nil || opts.TTL == 0 || opts.TTL > longestTTL {
			return opts, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "ttl is a duration of up to a hundred years, or less than 0 for ever; leave it out for the bucket's")
		}
	}
	return opts, nil
}

func setCount(c *ouro.Count, name string, given *uint32, least uint32) error {
	if given == nil {
		return nil
	}
	if *given < least || *given > maxCount {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s is %d: it is a whole number from %d to the bucket's n", name, *given, least)
	}
	*c = ouro.Count{N: int(*given), Set: true}
	return nil
}

func (s *service) timeout(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	t := d.AsDuration()
	if d.CheckValid() != nil || t < time.Millisecond || t > s.cfg.MaxTimeout {
		return 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "timeout is a duration from 1ms to %v", s.cfg.MaxTimeout)
	}
	return t, nil
}

func (s *service) checkContentType(t string) error {
	if len(t) > s.cfg.MaxContentType {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "content_type has %d bytes: it has at most %d", len(t), s.cfg.MaxContentType)
	}
	return nil
}
