package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/ourodb/ouro"
)

var _ ouro.Operator = (*Admin)(nil)

// Found implements [ouro.Operator].
func (a *Admin) Found(ctx context.Context) (ouro.ClusterInfo, error) {
	return send[ouro.ClusterInfo](ctx, a, http.MethodPost, "/admin/v1/cluster", nil)
}

// Stage implements [ouro.Operator].
func (a *Admin) Stage(ctx context.Context, changes []ouro.Change) (ouro.Plan, error) {
	return send[ouro.Plan](ctx, a, http.MethodPost, "/admin/v1/cluster/changes", map[string]any{"changes": changes})
}

// Plan implements [ouro.Operator].
func (a *Admin) Plan(ctx context.Context) (ouro.Plan, error) {
	return fetch[ouro.Plan](ctx, a, "/admin/v1/cluster/plan")
}

// Commit implements [ouro.Operator].
func (a *Admin) Commit(ctx context.Context, version string) (ouro.Committed, error) {
	return send[ouro.Committed](ctx, a, http.MethodPost, "/admin/v1/cluster/commit", map[string]string{"version": version})
}

// Unstage implements [ouro.Operator].
func (a *Admin) Unstage(ctx context.Context) error {
	_, err := a.call(ctx, http.MethodDelete, "/admin/v1/cluster/changes", nil)
	return err
}

// Cluster implements [ouro.Operator].
func (a *Admin) Cluster(ctx context.Context) (ouro.ClusterInfo, error) {
	return fetch[ouro.ClusterInfo](ctx, a, "/admin/v1/cluster")
}

// Restart implements [ouro.Operator].
func (a *Admin) Restart(ctx context.Context, without []string) (ouro.ClusterInfo, error) {
	return send[ouro.ClusterInfo](ctx, a, http.MethodPost, "/admin/v1/cluster/restart", map[string]any{"without": without})
}

// SetTransferRate implements [ouro.Operator].
func (a *Admin) SetTransferRate(ctx context.Context, bytesPerSecond int64) error {
	_, err := a.call(ctx, http.MethodPut, "/admin/v1/cluster/transfer-rate", map[string]int64{"bytes_per_second": bytesPerSecond})
	return err
}

// RunScrub implements [ouro.Operator].
func (a *Admin) RunScrub(ctx context.Context) error {
	_, err := a.call(ctx, http.MethodPost, "/admin/v1/scrub", nil)
	return err
}

// PauseScrub implements [ouro.Operator].
func (a *Admin) PauseScrub(ctx context.Context) error {
	_, err := a.call(ctx, http.MethodDelete, "/admin/v1/scrub", nil)
	return err
}

// Bucket implements [ouro.Operator].
func (a *Admin) Bucket(ctx context.Context, name string) (ouro.BucketInfo, error) {
	return fetch[ouro.BucketInfo](ctx, a, bucketPath(name))
}

// Buckets implements [ouro.Operator].
func (a *Admin) Buckets(ctx context.Context) ([]ouro.BucketInfo, error) {
	return fetch[[]ouro.BucketInfo](ctx, a, "/admin/v1/buckets")
}

// SetBucket implements [ouro.Operator].
func (a *Admin) SetBucket(ctx context.Context, name string, set ouro.BucketSettings) (ouro.BucketInfo, error) {
	return send[ouro.BucketInfo](ctx, a, http.MethodPut, bucketPath(name), set)
}

func bucketPath(name string) string {
	return "/admin/v1/bucket?" + url.Values{"name": {name}}.Encode()
}

// send makes a call that changes something, and reads the answer.
func send[T any](ctx context.Context, a *Admin, method, path string, in any) (T, error) {
	var v T
	body, err := a.call(ctx, method, path, in)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, ouro.Errorf(ouro.Internal, ouro.Unknown, "the answer of %s to %s cannot be read: %v", a.c.base.Host, path, err)
	}
	return v, nil
}
