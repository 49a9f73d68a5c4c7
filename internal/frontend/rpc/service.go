package rpc

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// service carries out calls. Each kind of request has one function that answers
// with a message or a failure, which calls and items of streams share.
type service struct {
	ourov1.UnimplementedStoreServiceServer
	*Server
	store  ouro.Store
	bodies atomic.Int64 // bytes of values being stored
}

// Get implements [ourov1.StoreServiceServer].
func (s *service) Get(ctx context.Context, req *ourov1.GetRequest) (*ourov1.GetResponse, error) {
	return reply(ctx, req, s.get)
}

// Put implements [ourov1.StoreServiceServer].
func (s *service) Put(ctx context.Context, req *ourov1.PutRequest) (*ourov1.PutResponse, error) {
	return reply(ctx, req, s.put)
}

// Delete implements [ourov1.StoreServiceServer].
func (s *service) Delete(ctx context.Context, req *ourov1.DeleteRequest) (*ourov1.DeleteResponse, error) {
	return reply(ctx, req, s.delete)
}

// Update implements [ourov1.StoreServiceServer].
func (s *service) Update(ctx context.Context, req *ourov1.UpdateRequest) (*ourov1.UpdateResponse, error) {
	return reply(ctx, req, s.update)
}

// reply carries out a call.
func reply[In, Out any](ctx context.Context, req *In, do func(context.Context, *In) (*Out, *failure)) (*Out, error) {
	out, failed := do(ctx, req)
	if failed != nil {
		return nil, failed.status()
	}
	return out, nil
}

func (s *service) get(ctx context.Context, req *ourov1.GetRequest) (*ourov1.GetResponse, *failure) {
	opts, err := s.options(req.GetOptions(), nil)
	if err != nil {
		return nil, s.reject(err)
	}
	res, err := s.store.Get(ctx, keyOf(req.GetKey()), given(opts))
	if err != nil {
		return nil, failed(ctx, read, &res, err)
	}
	if size := sizeOf(&res); size > s.cfg.MaxReply {
		return nil, failed(ctx, read, &ouro.Result{}, ouro.Errorf(ouro.TooLarge, ouro.NotDone,
			"what the key shows has %d bytes, and an answer of this node at most %d", size, s.cfg.MaxReply))
	}
	return &ourov1.GetResponse{
		Siblings: siblings(res.Siblings), Typed: typed(res.Typed), Context: res.Context, Receipt: receipt(&res),
	}, nil
}

func (s *service) put(ctx context.Context, req *ourov1.PutRequest) (*ourov1.PutResponse, *failure) {
	opts, err := s.options(req.GetOptions(), req.GetContext())
	if err == nil {
		err = s.checkContentType(req.GetValue().GetContentType())
	}
	if err != nil {
		return nil, s.reject(err)
	}
	data := req.GetValue().GetData()
	release, err := s.hold(len(data))
	if err != nil {
		return nil, s.reject(err)
	}
	defer release()
	res, err := s.store.Put(ctx, keyOf(req.GetKey()), ouro.Value{Data: data, ContentType: req.GetValue().GetContentType()}, given(opts))
	if err != nil {
		return nil, failed(ctx, write, &res, err)
	}
	return &ourov1.PutResponse{Context: res.Context, Receipt: receipt(&res)}, nil
}

func (s *service) delete(ctx context.Context, req *ourov1.DeleteRequest) (*ourov1.DeleteResponse, *failure) {
	opts, err := s.options(req.GetOptions(), req.GetContext())
	if err != nil {
		return nil, s.reject(err)
	}
	res, err := s.store.Delete(ctx, keyOf(req.GetKey()), given(opts))
	if err != nil {
		return nil, failed(ctx, write, &res, err)
	}
	out := &ourov1.DeleteResponse{Context: res.Context, Receipt: receipt(&res)}
	if sizeOf(&res) <= s.cfg.MaxReply { // it is done, and to be told so
		out.Removed = siblings(res.Siblings)
	}
	return out, nil
}

// hold reserves memory for a value while the store has it.
func (s *service) hold(n int) (release func(), err error) {
	if s.bodies.Add(int64(n)) > s.cfg.MaxBodies {
		s.bodies.Add(int64(-n))
		err := ouro.Errorf(ouro.Overloaded, ouro.NotDone, "%d bytes of values are being stored, the limit of this node: come back later", s.cfg.MaxBodies)
		err.RetryAfter = time.Second
		return nil, err
	}
	return func() { s.bodies.Add(int64(-n)) }, nil
}
