package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// Admin asks the admin port of one node what it is and what it sees. It is safe
// for concurrent use.
type Admin struct{ c *Client }

// NewAdmin returns the admin calls of the node whose admin port is at addr.
func NewAdmin(addr string, opts ...Option) (*Admin, error) {
	c, err := New(addr, opts...)
	if err != nil {
		return nil, err
	}
	return &Admin{c}, nil
}

// Close drops the connections that are not in use.
func (a *Admin) Close() { a.c.Close() }

// Fault is what the link of a node to one peer shall suffer. Only nodes of a
// dev cluster take it.
type Fault struct {
	DropOut bool          // lose what is sent to the peer
	DropIn  bool          // lose what comes from it
	Delay   time.Duration // hold back what is sent to it
}

// Status returns what the node says of itself and of its cluster.
func (a *Admin) Status(ctx context.Context) (ouro.Status, error) {
	return fetch[ouro.Status](ctx, a, "/admin/v1/status")
}

// Ring returns the ring as the node sees it.
func (a *Admin) Ring(ctx context.Context) (ouro.RingInfo, error) {
	return fetch[ouro.RingInfo](ctx, a, "/admin/v1/ring")
}

// Hints returns what the node keeps for others until they can be reached.
func (a *Admin) Hints(ctx context.Context) (ouro.HintsInfo, error) {
	return fetch[ouro.HintsInfo](ctx, a, "/admin/v1/hints")
}

// Repair returns how far the node has compared itself with others.
func (a *Admin) Repair(ctx context.Context) (ouro.RepairInfo, error) {
	return fetch[ouro.RepairInfo](ctx, a, "/admin/v1/repair")
}

// Scrub returns how far the node has read back what it stores.
func (a *Admin) Scrub(ctx context.Context) (ouro.ScrubInfo, error) {
	return fetch[ouro.ScrubInfo](ctx, a, "/admin/v1/scrub")
}

// Staleness returns how often reads of the node's are stale with n replicas; 0: as many
// as a bucket has that nobody defined.
func (a *Admin) Staleness(ctx context.Context, n int) (ouro.Staleness, error) {
	path := "/admin/v1/staleness"
	if n != 0 {
		path += "?n=" + strconv.Itoa(n)
	}
	return fetch[ouro.Staleness](ctx, a, path)
}

// Verify makes the node add some of its trees up from the records and compare, from
// the place from on: "" at first, and then [ouro.VerifyInfo.Next].
func (a *Admin) Verify(ctx context.Context, from string) (ouro.VerifyInfo, error) {
	return fetch[ouro.VerifyInfo](ctx, a, "/admin/v1/verify?from="+url.QueryEscape(from))
}

// Owners returns where a key lives.
func (a *Admin) Owners(ctx context.Context, key ouro.Key) (ouro.OwnersInfo, error) {
	if err := key.Validate(); err != nil {
		return ouro.OwnersInfo{}, err
	}
	return fetch[ouro.OwnersInfo](ctx, a, string(keypath.Append([]byte("/admin/v1/owners/"), key)))
}

// Replica returns the node's own state of a key, without repair.
func (a *Admin) Replica(ctx context.Context, key ouro.Key) (ouro.ReplicaInfo, error) {
	if err := key.Validate(); err != nil {
		return ouro.ReplicaInfo{}, err
	}
	return fetch[ouro.ReplicaInfo](ctx, a, string(keypath.Append([]byte("/admin/v1/replica/"), key)))
}

// ReplicaAt returns the state of a key at a member of the cluster, as it tells the
// node, without repair: what it keeps in the stead of others, where it is no primary.
func (a *Admin) ReplicaAt(ctx context.Context, member string, key ouro.Key) (ouro.ReplicaInfo, error) {
	if err := key.Validate(); err != nil {
		return ouro.ReplicaInfo{}, err
	}
	path := string(keypath.Append([]byte("/admin/v1/replica/"), key))
	return fetch[ouro.ReplicaInfo](ctx, a, path+"?node="+url.QueryEscape(member))
}

// Ready returns nil when the node can serve.
func (a *Admin) Ready(ctx context.Context) error {
	_, err := a.call(ctx, http.MethodGet, "/readyz", nil)
	return err
}

// logLevel is the body of the log level calls.
type logLevel struct {
	Level string `json:"level"`
}

// LogLevel returns the level from which on the node logs: debug, info, warn or
// error.
func (a *Admin) LogLevel(ctx context.Context) (string, error) {
	l, err := fetch[logLevel](ctx, a, "/admin/v1/log-level")
	return l.Level, err
}

// SetLogLevel changes it until the node stops.
func (a *Admin) SetLogLevel(ctx context.Context, level string) error {
	_, err := a.call(ctx, http.MethodPut, "/admin/v1/log-level", logLevel{level})
	return err
}

// SetFaults puts faults on the node's links, by the id of the peer. Links that
// are not named stay as they are.
func (a *Admin) SetFaults(ctx context.Context, faults map[string]Fault) error {
	type fault struct {
		DropOut bool   `json:"drop_out"`
		DropIn  bool   `json:"drop_in"`
		Delay   string `json:"delay"`
	}
	peers := map[string]fault{}
	for peer, f := range faults {
		peers[peer] = fault{f.DropOut, f.DropIn, f.Delay.String()}
	}
	_, err := a.call(ctx, http.MethodPost, "/admin/v1/dev/fault", map[string]any{"peers": peers})
	return err
}

// ClearFaults heals all the node's links.
func (a *Admin) ClearFaults(ctx context.Context) error {
	_, err := a.call(ctx, http.MethodDelete, "/admin/v1/dev/fault", nil)
	return err
}

func fetch[T any](ctx context.Context, a *Admin, path string) (T, error) {
	return send[T](ctx, a, http.MethodGet, path, nil)
}

// call sends one request. path is percent-encoded, and may have a query.
func (a *Admin) call(ctx context.Context, method, path string, in any) ([]byte, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.c.base.String(), body)
	if err != nil {
		return nil, err
	}
	path, query, _ := strings.Cut(path, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, err
	}
	req.URL = &url.URL{Scheme: a.c.base.Scheme, Host: a.c.base.Host, Path: decoded, RawPath: path, RawQuery: query}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.c.roundTrip(req)
	if err != nil {
		return nil, a.c.unanswered(ctx, method, err)
	}
	defer closeBody(resp.Body)
	answer, err := readAll(resp, a.c.maxReply)
	if err != nil {
		return nil, a.c.unanswered(ctx, method, err)
	}
	if resp.StatusCode >= 300 {
		_, err := readFailure(resp, answer, method, ouro.Result{})
		return nil, err
	}
	return answer, nil
}
