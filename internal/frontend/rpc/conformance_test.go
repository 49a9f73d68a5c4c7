package rpc

import (
	"context"
	"net"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/oracle"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

func TestConformance(t *testing.T) {
	s := &remote{dial(t, start(t, Config{}, oracle.New(oracle.Config{})))}
	conformance.Run(t, s, conformance.Limits{Value: 1 << 20, Siblings: 100})
	conformance.RunKeys(t, s, conformance.Limits{})
	conformance.RunForeign(t, s, &remote{dial(t, start(t, Config{}, oracle.New(oracle.Config{})))})
	conformance.RunTypes(t, &remote{dial(t, start(t, Config{}, oracle.NewTypes()))})
}

// start serves store on a port of its own and returns its address.
func start(t testing.TB, cfg Config, store ouro.Store) string {
	t.Helper()
	addr, _ := startServer(t, cfg, store)
	return addr
}

func startServer(t testing.TB, cfg Config, store ouro.Store) (string, *Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(cfg, store)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), s
}

func dial(t testing.TB, addr string, opts ...grpc.DialOption) ourov1.StoreServiceClient {
	t.Helper()
	return ourov1.NewStoreServiceClient(connect(t, addr, opts...))
}

func connect(t testing.TB, addr string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(addr, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// remote is the store behind a gRPC connection.
type remote struct{ c ourov1.StoreServiceClient }

var _ ouro.Updater = (*remote)(nil)

func (s *remote) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (res ouro.Result, err error) {
	out, err := s.c.Get(ctx, &ourov1.GetRequest{Key: keyPB(key), Options: optionsPB(ouro.Apply(opts...))})
	if err != nil {
		return failureOf(ctx, err)
	}
	res = resultOf(out.GetReceipt(), out.GetContext())
	res.Siblings, res.Typed = siblingsOf(out.GetSiblings()), typedOf(out.GetTyped())
	return res, nil
}

func (s *remote) Put(ctx context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	o := ouro.Apply(opts...)
	out, err := s.c.Put(ctx, &ourov1.PutRequest{
		Key: keyPB(key), Value: &ourov1.Value{Data: v.Data, ContentType: v.ContentType}, Context: o.Context, Options: optionsPB(o),
	})
	if err != nil {
		return failureOf(ctx, err)
	}
	return resultOf(out.GetReceipt(), out.GetContext()), nil
}

func (s *remote) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (res ouro.Result, err error) {
	o := ouro.Apply(opts...)
	out, err := s.c.Delete(ctx, &ourov1.DeleteRequest{Key: keyPB(key), Context: o.Context, Options: optionsPB(o)})
	if err != nil {
		return failureOf(ctx, err)
	}
	res = resultOf(out.GetReceipt(), out.GetContext())
	res.Siblings = siblingsOf(out.GetRemoved())
	return res, nil
}

func (s *remote) Update(ctx context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (res ouro.Result, err error) {
	o := ouro.Apply(opts...)
	req := &ourov1.UpdateRequest{
		Key: keyPB(key), Kind: kinds.number(u.Kind), Act: acts.number(u.Act), Condition: conditions.number(u.If),
		ContentType: u.ContentType, Expires: timestamp(u.Expires), KeepExpiry: u.Keep, Context: o.Context, Options: optionsPB(o),
	}
	for _, e := range u.Elements {
		req.Elements = append(req.Elements, &ourov1.Element{Name: []byte(e.Name), Value: e.Value, Score: e.Score, By: e.By})
	}
	out, err := s.c.Update(ctx, req)
	if err != nil {
		return failureOf(ctx, err)
	}
	res = resultOf(out.GetReceipt(), out.GetContext())
	res.Changed, res.Typed = int(out.GetChanged()), typedOf(out.GetTyped())
	return res, nil
}

func (s *remote) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (page ouro.KeysPage, err error) {
	stream, err := s.c.Keys(ctx, &ourov1.KeysRequest{Bucket: bucket, Prefix: []byte(q.Prefix), Cursor: uint64(q.Cursor), Limit: uint32(q.Limit), Pages: 1})
	if ctx.Err() != nil {
		return page, ctx.Err()
	}
	if err != nil {
		return page, err
	}
	out, err := stream.Recv()
	if ctx.Err() != nil {
		return page, ctx.Err()
	}
	if err != nil {
		_, err = failureOf(ctx, err)
		return page, err
	}
	for _, k := range out.GetKeys() {
		page.Keys = append(page.Keys, string(k))
	}
	for range out.GetMissing() {
		page.Missing = append(page.Missing, ouro.KeyRange{})
	}
	page.Next = ouro.Cursor(out.GetNext())
	return page, nil
}

func keyPB(key ouro.Key) *ourov1.Key { return &ourov1.Key{Bucket: key.Bucket, Name: []byte(key.Name)} }

func optionsPB(o ouro.Options) *ourov1.Options {
	out := &ourov1.Options{Explain: o.Explain, RequestId: o.RequestID, First: o.First}
	for _, c := range []struct {
		at    **uint32
		count ouro.Count
	}{{&out.R, o.R}, {&out.Pr, o.PR}, {&out.W, o.W}, {&out.Pw, o.PW}, {&out.Dw, o.DW}} {
		if n := uint32(c.count.N); c.count.Set {
			*c.at = &n
		}
	}
	if o.Timeout != 0 {
		out.Timeout = durationpb.New(o.Timeout)
	}
	if o.TTL != 0 {
		out.Ttl = durationpb.New(o.TTL)
	}
	return out
}

func resultOf(r *ourov1.Receipt, context []byte) ouro.Result {
	q := r.GetQuorum()
	return ouro.Result{
		RequestID: r.GetRequestId(), Coordinator: r.GetCoordinator(), Explain: r.GetExplain(), Context: context,
		Quorum: ouro.Quorum{
			N: int(q.GetN()), R: int(q.GetR()), PR: int(q.GetPr()), W: int(q.GetW()), PW: int(q.GetPw()), DW: int(q.GetDw()),
			Acks: int(q.GetAcks()), Primaries: int(q.GetPrimaries()), Durable: int(q.GetDurable()), Unsettled: q.GetUnsettled(),
		},
	}
}

func siblingsOf(all []*ourov1.Sibling) (out []ouro.Sibling) {
	for _, s := range all {
		one := ouro.Sibling{Value: ouro.Value{Data: s.GetValue().GetData(), ContentType: s.GetValue().GetContentType()}, Modified: s.GetModified().AsTime()}
		if s.GetExpires() != nil {
			one.Expires = s.GetExpires().AsTime()
		}
		out = append(out, one)
	}
	return out
}

func typedOf(t *ourov1.Typed) *ouro.Typed {
	if t == nil {
		return nil
	}
	kind, _ := kinds.word(t.GetKind())
	out := &ouro.Typed{Kind: kind, Count: t.GetCount()}
	for _, e := range t.GetElements() {
		out.Elements = append(out.Elements, ouro.Element{Name: string(e.GetName()), Value: e.GetValue(), Score: e.GetScore()})
	}
	if t.GetExpires() != nil {
		out.Expires = t.GetExpires().AsTime()
	}
	return out
}

// failureOf reads the details of a status. One without them is of gRPC itself: the
// library refuses what is too large by itself.
func failureOf(ctx context.Context, err error) (ouro.Result, error) {
	if ctx.Err() != nil {
		return ouro.Result{}, ctx.Err()
	}
	var retry *errdetails.RetryInfo
	var f *ourov1.Failure
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *ourov1.Failure:
			f = d
		case *errdetails.RetryInfo:
			retry = d
		}
	}
	if f == nil {
		return ouro.Result{}, err
	}
	e := errorOf(f)
	if e.RetryAfter != retry.GetRetryDelay().AsDuration() {
		return ouro.Result{}, status.Errorf(codes.Internal, "the two delays differ: %v, %v", f, retry)
	}
	return resultOf(f.GetReceipt(), f.GetContext()), e
}

func errorOf(f *ourov1.Failure) *ouro.Error {
	e := &ouro.Error{Code: ouro.Code(f.GetCode()), Message: f.GetMessage(), Outcome: ouro.Unknown, Retryable: f.GetRetryable(), RetryAfter: f.GetRetryAfter().AsDuration()}
	switch f.GetOutcome() {
	case ourov1.Outcome_OUTCOME_DONE:
		e.Outcome = ouro.Done
	case ourov1.Outcome_OUTCOME_NOT_DONE:
		e.Outcome = ouro.NotDone
	}
	return e
}
