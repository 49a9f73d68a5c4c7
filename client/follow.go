package client

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/ourodb/ouro"
)

// What following the ring costs at most: after a kick it is asked for within kickGap,
// and where that brings no news the next time after twice as long, up to kickGapMost. A
// node may take ringTimeout, and where none answers the pauses grow to lastPause.
const (
	kickGap     = 100 * time.Millisecond
	kickGapMost = 3 * time.Second
	ringTimeout = 2 * time.Second
	maxRing     = 32 << 20 // bytes
)

// kick makes the client look for the ring at once.
func (c *Cluster) kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

// follow keeps the ring up to date until ctx ends.
func (c *Cluster) follow(ctx context.Context) {
	pause, gap := firstPause, kickGap
	for {
		if ok, news := c.refresh(ctx); ok {
			if pause = firstPause; news {
				gap = kickGap
			}
			kicked, ok := c.rest(ctx, gap)
			if !ok {
				return
			}
			if kicked {
				gap = min(2*gap, kickGapMost)
			}
			continue
		}
		if !sleep(ctx, pause/2+rand.N(pause/2+1)) {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// rest waits until the ring is due, or something shows that it is old: then for gap at
// most.
func (c *Cluster) rest(ctx context.Context, gap time.Duration) (kicked, ok bool) {
	every := c.settings.every
	timer := time.NewTimer(every - every/10 + rand.N(every/5+1)) // clients do not ask in step
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, true
	case <-ctx.Done():
		return false, false
	case <-c.kicked:
	}
	if !sleep(ctx, gap/2+rand.N(gap/2)) {
		return true, false
	}
	select { // whatever was noticed meanwhile
	case <-c.kicked:
	default:
	}
	return true, true
}

// refresh asks nodes in an order drawn anew, then the seeds, until one tells the
// ring, and says whether it is another one.
func (c *Cluster) refresh(ctx context.Context) (ok, news bool) {
	for _, s := range c.anyNode() {
		if ctx.Err() != nil {
			return false, false
		}
		r, tag, err := c.ask(ctx, s)
		if err != nil {
			continue
		}
		if r == nil {
			return true, false
		}
		if t, err := c.newTable(*r, tag); err == nil {
			c.id.CompareAndSwap(nil, &t.routes.ClusterID)
			c.table.Store(t)
			return true, true
		}
	}
	return false, false
}

// ask asks one node for the ring; nil: it is as it was.
func (c *Cluster) ask(ctx context.Context, s *server) (r *ouro.Routes, tag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, ringTimeout)
	defer cancel()
	u := *s.client.base
	u.Path = "/ring"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", err
	}
	s.client.means(req)
	if t := c.table.Load(); t != nil && t.tag != "" {
		req.Header.Set("If-None-Match", t.tag)
	}
	resp, err := s.client.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer closeBody(resp.Body)
	if resp.StatusCode == http.StatusNotModified {
		return nil, "", nil
	}
	body, err := readAll(resp, min(maxRing, s.client.maxReply))
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, "", strange(resp, http.MethodGet, "it does not tell the ring")
	}
	r = new(ouro.Routes)
	if err := json.Unmarshal(body, r); err != nil {
		return nil, "", strange(resp, http.MethodGet, "its ring can't be read: "+err.Error())
	}
	return r, resp.Header.Get("Etag"), nil
}
