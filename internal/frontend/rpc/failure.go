package rpc

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// failure is how a request failed.
type failure struct {
	err      *ouro.Error
	res      ouro.Result
	canceled bool // by its client, and not by a deadline
}

// verb says whether a request may have changed anything.
type verb bool

const (
	read  verb = false
	write verb = true
)

// failed is an error of the store, or of a call that ended.
func failed(ctx context.Context, v verb, res *ouro.Result, err error) *failure {
	f := &failure{res: *res}
	if errors.As(err, &f.err) {
		return f
	}
	outcome := ouro.NotDone
	if v == write {
		outcome = ouro.Unknown
	}
	if ctx.Err() == nil {
		f.err = ouro.Errorf(ouro.Internal, outcome, "%v", err)
		return f
	}
	f.canceled = errors.Is(ctx.Err(), context.Canceled)
	f.err = ouro.Errorf(ouro.TimedOut, outcome, "the call ended before it was decided: %v", err)
	return f
}

// reject is a request that the store did not hear of.
func (s *service) reject(err error) *failure {
	var e *ouro.Error
	if !errors.As(err, &e) {
		e = ouro.Errorf(ouro.Internal, ouro.NotDone, "%v", err)
	}
	s.cfg.Rejected(e.Code)
	return &failure{err: e}
}

// codeOf is the status of an error. UNAVAILABLE, which gRPC libraries may be told to
// send again by themselves, is only for what was not done. (Of a connection that
// broke they say so too, which only the client's request id makes safe.)
func codeOf(e *ouro.Error) codes.Code {
	switch e.Code {
	case ouro.BadRequest, ouro.BadContext, ouro.TooLarge:
		return codes.InvalidArgument
	case ouro.NotFound:
		return codes.NotFound
	case ouro.SiblingsFound, ouro.TooManySiblings, ouro.WrongType:
		return codes.FailedPrecondition
	case ouro.Conflict:
		return codes.Aborted
	case ouro.Overloaded, ouro.QuorumUnavailable:
		if e.Outcome == ouro.NotDone {
			return codes.Unavailable
		}
		return codes.Unknown
	case ouro.TimedOut:
		return codes.DeadlineExceeded
	case ouro.DiskFull, ouro.HotKey:
		return codes.ResourceExhausted
	default:
		return codes.Internal
	}
}

// status is the failure as a call ends with it.
func (f *failure) status() error {
	code := codeOf(f.err)
	if f.canceled {
		code = codes.Canceled
	}
	details := []protoadapt.MessageV1{protoadapt.MessageV1Of(f.message())}
	if f.err.RetryAfter > 0 {
		details = append(details, protoadapt.MessageV1Of(&errdetails.RetryInfo{RetryDelay: durationpb.New(f.err.RetryAfter)}))
	}
	st, err := status.New(code, valid(f.err.Message)).WithDetails(details...)
	if err != nil {
		return status.Errorf(codes.Internal, "the details of an error can't be written: %v", err)
	}
	return st.Err()
}

// message is the failure in full. Only where nothing is shown does it have a
// context: then that covers nothing that the client has not seen (RULES R6).
func (f *failure) message() *ourov1.Failure {
	out := &ourov1.Failure{
		Code: string(f.err.Code), Message: valid(f.err.Message), Outcome: outcomeOf(f.err.Outcome), Retryable: f.err.Retryable,
		Receipt: receipt(&f.res),
	}
	if f.err.RetryAfter > 0 {
		out.RetryAfter = durationpb.New(f.err.RetryAfter)
	}
	if f.err.Code == ouro.NotFound {
		out.Context = f.res.Context
	}
	out.Receipt.Explain = cut(out.Receipt.Explain)
	return out
}

func outcomeOf(o ouro.Outcome) ourov1.Outcome {
	switch o {
	case ouro.Done:
		return ourov1.Outcome_OUTCOME_DONE
	case ouro.NotDone:
		return ourov1.Outcome_OUTCOME_NOT_DONE
	default:
		return ourov1.Outcome_OUTCOME_UNKNOWN
	}
}

// maxFacts is how many bytes of facts go with a failure: it travels in a header,
// of which many libraries take 8 KiB.
const maxFacts = 4000

// cut returns the first of the facts, as many as there is room for.
func cut(facts []string) []string {
	size := 0
	for i, fact := range facts {
		if size += len(fact) + 3; size > maxFacts {
			return append(facts[:i:i], "and more")
		}
	}
	return facts
}
