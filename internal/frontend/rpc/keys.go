package rpc

import (
	"google.golang.org/grpc"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// Keys implements [ourov1.StoreServiceServer].
func (s *service) Keys(req *ourov1.KeysRequest, stream grpc.ServerStreamingServer[ourov1.KeysResponse]) error {
	lister, ok := s.store.(ouro.Lister)
	if !ok {
		return s.reject(ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this store can't list keys")).status()
	}
	q, err := s.keysQuery(req)
	if err != nil {
		return s.reject(err).status()
	}
	for sent := uint32(0); ; {
		select {
		case <-s.closing:
			return s.stopping("go on at cursor %v at another", q.Cursor).status()
		default:
		}
		page, err := lister.Keys(stream.Context(), req.GetBucket(), q)
		if err != nil {
			return failed(stream.Context(), read, &ouro.Result{}, err).status()
		}
		if err := stream.Send(pageOf(&page)); err != nil {
			return err
		}
		sent++
		if q.Cursor = page.Next; q.Cursor == 0 || sent == req.GetPages() {
			return nil
		}
	}
}

func (s *service) keysQuery(req *ourov1.KeysRequest) (q ouro.KeysQuery, err error) {
	if err := ouro.ValidateBucket(req.GetBucket()); err != nil {
		return q, err
	}
	if req.GetLimit() > ouro.MaxKeysLimit {
		return q, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "limit is %d: it is a whole number from 1 to %d", req.GetLimit(), ouro.MaxKeysLimit)
	}
	q = ouro.KeysQuery{Prefix: string(req.GetPrefix()), Cursor: ouro.Cursor(req.GetCursor()), Limit: int(req.GetLimit())}
	if err = setCount(&q.R, "r", req.R, 1); err == nil {
		q.Timeout, err = s.timeout(req.GetTimeout())
	}
	return q, err
}

func pageOf(page *ouro.KeysPage) *ourov1.KeysResponse {
	out := &ourov1.KeysResponse{Keys: make([][]byte, len(page.Keys)), Next: uint64(page.Next), Covered: page.Covered}
	for i, k := range page.Keys {
		out.Keys[i] = []byte(k)
	}
	for _, m := range page.Missing {
		out.Missing = append(out.Missing, &ourov1.KeyRange{From: uint64(m.From), To: uint64(m.To), Why: valid(m.Why)})
	}
	return out
}
