package host

import (
	"cmp"
	"context"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/plan"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
)

var _ ouro.Operator = (*Host)(nil)

// operate lets the steward do what an operator wants, and waits for its reply.
func (h *Host) operate(ctx context.Context, code ouro.Code, in func(id uint64) core.Input) (core.Reply, error) {
	answer, forget := h.steward.ask(in)
	defer forget()
	select {
	case r := <-answer:
		if r.Err != nil {
			return r, ouro.Errorf(code, ouro.NotDone, "%v", r.Err)
		}
		return r, nil
	case <-ctx.Done():
		return core.Reply{}, ctx.Err()
	case <-h.stop:
		return core.Reply{}, ouro.Errorf(ouro.Overloaded, ouro.Unknown, "the node is stopping: look at another what became of it")
	}
}

// Found implements [ouro.Operator].
func (h *Host) Found(ctx context.Context) (ouro.ClusterInfo, error) {
	_, err := h.operate(ctx, ouro.Conflict, func(id uint64) core.Input {
		f := h.cfg.Founding
		f.ID = id
		return &f
	})
	if err != nil {
		return ouro.ClusterInfo{}, err
	}
	return h.Cluster(ctx)
}

// Stage implements [ouro.Operator].
func (h *Host) Stage(ctx context.Context, changes []ouro.Change) (ouro.Plan, error) {
	if len(changes) == 0 {
		return ouro.Plan{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "no change was given: name at least one")
	}
	r, err := h.operate(ctx, ouro.BadRequest, func(id uint64) core.Input { return &core.Stage{ID: id, Changes: changes} })
	if err != nil {
		return ouro.Plan{}, err
	}
	return h.planned(&r)
}

// Plan implements [ouro.Operator].
func (h *Host) Plan(ctx context.Context) (ouro.Plan, error) {
	r, err := h.operate(ctx, ouro.BadRequest, func(id uint64) core.Input { return &core.Stage{ID: id} })
	if err != nil {
		return ouro.Plan{}, err
	}
	return h.planned(&r)
}

// planned makes the plan of what is staged.
func (h *Host) planned(r *core.Reply) (ouro.Plan, error) {
	if r.History.Count() == 0 {
		return ouro.Plan{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%v", errOutside)
	}
	p, err := r.Draft.Plan(r.History, h.view.Load().Self, plan.Cost{Bytes: h.partitionBytes(), Rate: h.rate.Load()})
	if err != nil {
		return ouro.Plan{}, ouro.Errorf(ouro.Conflict, ouro.NotDone, "%v", err)
	}
	p.Warnings = append(p.Warnings, r.Unmet...)
	return p, nil
}

// partitionBytes is about how much a partition holds on one node: as much as any
// other here.
func (h *Host) partitionBytes() func(uint32) int64 {
	usage, err := h.engine.Usage()
	held := len(h.view.Load().Held())
	if err != nil || held == 0 {
		return nil
	}
	each := usage.DiskBytes / int64(held)
	return func(uint32) int64 { return each }
}

// Commit implements [ouro.Operator].
func (h *Host) Commit(ctx context.Context, version string) (ouro.Committed, error) {
	r, err := h.operate(ctx, ouro.Conflict, func(id uint64) core.Input { return &core.Commit{ID: id, Version: version} })
	if err != nil {
		return ouro.Committed{}, err
	}
	return ouro.Committed{Version: plan.Version(r.History), Changes: r.Changes}, nil
}

// Unstage implements [ouro.Operator].
func (h *Host) Unstage(ctx context.Context) error {
	_, err := h.operate(ctx, ouro.BadRequest, func(id uint64) core.Input { return &core.Unstage{ID: id} })
	return err
}

// Restart implements [ouro.Operator].
func (h *Host) Restart(ctx context.Context, without []string) (ouro.ClusterInfo, error) {
	var lost []ring.NodeID
	for _, id := range without {
		lost = append(lost, ring.NodeID(id))
	}
	if _, err := h.operate(ctx, ouro.Conflict, func(id uint64) core.Input { return &core.Restart{ID: id, Lost: lost} }); err != nil {
		return ouro.ClusterInfo{}, err
	}
	return h.Cluster(ctx)
}

// SetTransferRate implements [ouro.Operator].
func (h *Host) SetTransferRate(_ context.Context, bytesPerSecond int64) error {
	if bytesPerSecond < 0 {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "a rate of %d bytes a second: it is at least 0, which sets the usual one", bytesPerSecond)
	}
	h.rate.Store(cmp.Or(bytesPerSecond, h.usualRate()))
	each := h.share(int(bytesPerSecond))
	h.tellAll(func() node.Input { return &node.MoveRate{Bytes: each} })
	return nil
}

// usualRate is what this node may receive in moves by its configuration.
func (h *Host) usualRate() int64 {
	return int64(h.cfg.Core.Repair.MoveRate) * int64(len(h.shards))
}

// Bucket implements [ouro.Operator].
func (h *Host) Bucket(_ context.Context, name string) (ouro.BucketInfo, error) {
	c := h.steward.known.Load().cluster
	if c == nil {
		return ouro.BucketInfo{}, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "%v", errOutside)
	}
	return plan.Describe(c, name), nil
}

// Buckets implements [ouro.Operator].
func (h *Host) Buckets(ctx context.Context) ([]ouro.BucketInfo, error) {
	first, err := h.Bucket(ctx, "")
	if err != nil {
		return nil, err
	}
	all := []ouro.BucketInfo{first}
	c := h.steward.known.Load().cluster
	for _, name := range c.Defined {
		all = append(all, plan.Describe(c, name))
	}
	return all, nil
}

// SetBucket implements [ouro.Operator].
func (h *Host) SetBucket(ctx context.Context, name string, set ouro.BucketSettings) (ouro.BucketInfo, error) {
	r, err := h.operate(ctx, ouro.BadRequest, func(id uint64) core.Input { return &core.SetBucket{ID: id, Name: name, Set: set} })
	if err != nil {
		return ouro.BucketInfo{}, err
	}
	c, err := r.History.Fold()
	if err != nil {
		return ouro.BucketInfo{}, ouro.Errorf(ouro.Internal, ouro.Unknown, "%v", err)
	}
	return plan.Describe(c, name), nil
}
