package admin

import (
	"context"
	"net/http"

	"github.com/ourodb/ouro"
)

// operatorRoutes adds what changes the cluster and its buckets.
func (h *handler) operatorRoutes(add func(string, methods)) {
	op := h.cfg.Operator
	if op == nil {
		return
	}
	add("/admin/v1/cluster", methods{http.MethodGet: from(op.Cluster), http.MethodPost: from(op.Found)})
	add("/admin/v1/cluster/plan", methods{http.MethodGet: from(op.Plan)})
	add("/admin/v1/cluster/changes", methods{
		http.MethodPost:   with(func(ctx context.Context, in staging) (ouro.Plan, error) { return op.Stage(ctx, in.Changes) }),
		http.MethodDelete: done(op.Unstage),
	})
	add("/admin/v1/cluster/commit", methods{
		http.MethodPost: with(func(ctx context.Context, in commit) (ouro.Committed, error) { return op.Commit(ctx, in.Version) }),
	})
	add("/admin/v1/cluster/restart", methods{
		http.MethodPost: with(func(ctx context.Context, in restart) (ouro.ClusterInfo, error) { return op.Restart(ctx, in.Without) }),
	})
	add("/admin/v1/cluster/transfer-rate", methods{
		http.MethodPut: with(func(ctx context.Context, in transferRate) (transferRate, error) {
			return in, op.SetTransferRate(ctx, in.BytesPerSecond)
		}),
	})
	add("/admin/v1/buckets", methods{http.MethodGet: from(op.Buckets)})
	add("/admin/v1/bucket", methods{http.MethodGet: h.bucket, http.MethodPut: h.setBucket})
}

// The bodies of the calls.
type (
	staging struct {
		Changes []ouro.Change `json:"changes"`
	}
	commit struct {
		Version string `json:"version"`
	}
	restart struct {
		Without []string `json:"without"`
	}
	transferRate struct {
		BytesPerSecond int64 `json:"bytes_per_second"`
	}
)

// done answers that do has done something, with nothing else.
func done(do func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r.Context()); err != nil {
			failWith(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// with answers with what do makes of the body.
func with[In, Out any](do func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := read(r, &in); err != nil {
			failWith(w, err)
			return
		}
		out, err := do(r.Context(), in)
		answerWith(w, out, err)
	}
}

// bucketOf returns the bucket that a call names; "" is the default of all that
// nobody defined, and has to be named all the same.
func bucketOf(r *http.Request) (string, error) {
	q := r.URL.Query()
	if !q.Has("name") || len(q) != 1 || len(q["name"]) != 1 {
		return "", ouro.Errorf(ouro.BadRequest, ouro.NotDone, "name the bucket, and nothing else: ?name=carts; ?name= is what all have that nobody defined")
	}
	name := q.Get("name")
	if name == "" {
		return "", nil
	}
	if err := ouro.ValidateBucket(name); err != nil {
		return "", err
	}
	return name, nil
}

func (h *handler) bucket(w http.ResponseWriter, r *http.Request) {
	name, err := bucketOf(r)
	if err != nil {
		failWith(w, err)
		return
	}
	info, err := h.cfg.Operator.Bucket(r.Context(), name)
	answerWith(w, info, err)
}

func (h *handler) setBucket(w http.ResponseWriter, r *http.Request) {
	name, err := bucketOf(r)
	if err != nil {
		failWith(w, err)
		return
	}
	with(func(ctx context.Context, set ouro.BucketSettings) (ouro.BucketInfo, error) {
		return h.cfg.Operator.SetBucket(ctx, name, set)
	})(w, r)
}
