package rpc

import (
	"context"

	"github.com/ourodb/ouro"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// names are the words of the vocabulary under the numbers of the protocol.
type names[Word ~string, Number ~int32] []Word

func (n names[Word, Number]) word(i Number) (w Word, ok bool) {
	if i < 0 || int(i) >= len(n) {
		return "", false
	}
	return n[i], true
}

func (n names[Word, Number]) number(w Word) Number {
	for i, word := range n {
		if word == w {
			return Number(i)
		}
	}
	return 0
}

var (
	kinds      = names[ouro.Kind, ourov1.Kind]{"", ouro.Register, ouro.Counter, ouro.Set, ouro.Map, ouro.SortedSet}
	acts       = names[ouro.Act, ourov1.Act]{"", ouro.Assign, ouro.Remove, ouro.Increment, ouro.Expire}
	conditions = names[ouro.Condition, ourov1.Condition]{ouro.Always, ouro.IfAbsent, ouro.IfPresent, ouro.IfGreater, ouro.IfLess}
)

func (s *service) update(ctx context.Context, req *ourov1.UpdateRequest) (*ourov1.UpdateResponse, *failure) {
	updater, ok := s.store.(ouro.Updater)
	if !ok {
		return nil, s.reject(ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this store has no data types"))
	}
	opts, err := s.options(req.GetOptions(), req.GetContext())
	if err != nil {
		return nil, s.reject(err)
	}
	u, size, err := s.updateOf(req)
	if err != nil {
		return nil, s.reject(err)
	}
	release, err := s.hold(size)
	if err != nil {
		return nil, s.reject(err)
	}
	defer release()
	res, err := updater.Update(ctx, keyOf(req.GetKey()), u, given(opts))
	if err != nil {
		return nil, failed(ctx, write, &res, err)
	}
	return &ourov1.UpdateResponse{
		Changed: uint32(res.Changed), Typed: typed(res.Typed), Context: res.Context, Receipt: receipt(&res),
	}, nil
}

// updateOf reads an update, and returns how many bytes it carries.
func (s *service) updateOf(req *ourov1.UpdateRequest) (u ouro.Update, size int, err error) {
	kind, ok1 := kinds.word(req.GetKind())
	act, ok2 := acts.word(req.GetAct())
	condition, ok3 := conditions.word(req.GetCondition())
	switch {
	case !ok1 || kind == "":
		return u, 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "kind is %v: it is one of the data types that this node knows", req.GetKind())
	case !ok2 || act == "":
		return u, 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "act is %v: it is one of those that this node knows", req.GetAct())
	case !ok3:
		return u, 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "condition is %v: it is one of those that this node knows", req.GetCondition())
	case len(req.GetElements()) > ouro.MaxElements:
		return u, 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "an update names at most %d elements", ouro.MaxElements)
	}
	if err := s.checkContentType(req.GetContentType()); err != nil {
		return u, 0, err
	}
	u = ouro.Update{Kind: kind, Act: act, If: condition, ContentType: req.GetContentType(), Keep: req.GetKeepExpiry()}
	if at := req.GetExpires(); at != nil {
		if err := at.CheckValid(); err != nil {
			return u, 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "expires is no time: %v", err)
		}
		u.Expires = at.AsTime()
	}
	u.Elements = make([]ouro.Element, len(req.GetElements()))
	for i, e := range req.GetElements() {
		u.Elements[i] = ouro.Element{Name: string(e.GetName()), Value: e.GetValue(), Score: e.GetScore(), By: e.GetBy()}
		size += len(e.GetName()) + len(e.GetValue())
	}
	return u, size, nil
}
