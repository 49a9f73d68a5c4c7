package rpc

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/oracle"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

func TestMultiPutAndMultiGet(t *testing.T) {
	c := dial(t, start(t, Config{}, oracle.New(oracle.Config{})))
	puts, err := c.MultiPut(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const items = 200
	go func() {
		for i := range items {
			key := ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)}
			if i%10 == 9 {
				key.Bucket = "a b" // no name of a bucket
			}
			_ = puts.Send(&ourov1.MultiPutRequest{Tag: uint64(i), Put: &ourov1.PutRequest{Key: keyPB(key), Value: &ourov1.Value{Data: fmt.Append(nil, "v", i)}}})
		}
		_ = puts.CloseSend()
	}()
	var tags []uint64
	for {
		out, err := puts.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, out.GetTag())
		if bad := out.GetTag()%10 == 9; bad != (out.GetFailure() != nil) || bad && (out.GetFailure().GetCode() != "bad_request" || out.GetFailure().GetOutcome() != ourov1.Outcome_OUTCOME_NOT_DONE) || !bad && len(out.GetStored().GetContext()) == 0 {
			t.Errorf("item %d: %v", out.GetTag(), out)
		}
	}
	slices.Sort(tags)
	if len(tags) != items || len(slices.Compact(tags)) != items {
		t.Errorf("%d answers to %d items", len(tags), items)
	}

	gets, err := c.MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range items { // one at a time
		if err := gets.Send(&ourov1.MultiGetRequest{Tag: uint64(i), Get: &ourov1.GetRequest{Key: keyPB(ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)})}}); err != nil {
			t.Fatal(err)
		}
		out, err := gets.Recv()
		if err != nil || out.GetTag() != uint64(i) {
			t.Fatalf("%v, %v", out, err)
		}
		if i%10 == 9 {
			if out.GetFailure().GetCode() != "not_found" {
				t.Errorf("item %d: %v", i, out)
			}
		} else if s := out.GetShown().GetSiblings(); len(s) != 1 || string(s[0].GetValue().GetData()) != fmt.Sprint("v", i) {
			t.Errorf("item %d: %v", i, out)
		}
	}
	_ = gets.CloseSend()
	if _, err := gets.Recv(); err != io.EOF {
		t.Error(err)
	}
}

// gated is a store whose gets wait, and which counts those that do.
type gated struct {
	ouro.Store
	gate  chan struct{}
	begun chan string

	mu        sync.Mutex
	now, most int
}

func newGated() *gated {
	return &gated{Store: oracle.New(oracle.Config{}), gate: make(chan struct{}), begun: make(chan string, 1000)}
}

func (g *gated) count(by int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += by
	g.most = max(g.most, g.now)
}

func (g *gated) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	g.count(1)
	defer g.count(-1)
	g.begun <- key.Name
	select {
	case <-g.gate:
	case <-ctx.Done():
		return ouro.Result{}, ctx.Err()
	}
	return g.Store.Get(ctx, key, opts...)
}

// An item with nothing in it is refused as any other, and takes no node with it.
func TestEmptyItemsAreRefused(t *testing.T) {
	c := dial(t, start(t, Config{}, oracle.New(oracle.Config{})))
	puts, err := c.MultiPut(t.Context())
	if err == nil {
		err = puts.Send(&ourov1.MultiPutRequest{Tag: 7})
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := puts.Recv(); err != nil || out.GetTag() != 7 || out.GetFailure().GetCode() != "bad_request" {
		t.Errorf("a put: %v, %v", out, err)
	}
	gets, err := c.MultiGet(t.Context())
	if err == nil {
		err = gets.Send(&ourov1.MultiGetRequest{Tag: 7})
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := gets.Recv(); err != nil || out.GetTag() != 7 || out.GetFailure().GetCode() != "bad_request" {
		t.Errorf("a get: %v, %v", out, err)
	}
}

// No more items of a stream are under way at once than may be, and what comes
// after waits.
func TestItemsUnderWayAreBounded(t *testing.T) {
	g := newGated()
	c := dial(t, start(t, Config{MaxInFlight: 3}, g))
	stream, err := c.MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const items = 20
	for i := range items {
		if err := stream.Send(&ourov1.MultiGetRequest{Tag: uint64(i), Get: &ourov1.GetRequest{Key: keyPB(key)}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		<-g.begun
	}
	close(g.gate)
	_ = stream.CloseSend()
	for range items {
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if g.most != 3 {
		t.Errorf("%d were under way at once, want 3", g.most)
	}
}

// A node that stops answers what it has begun, and begins nothing more.
func TestStreamsEndWithTheNode(t *testing.T) {
	g := newGated()
	addr, srv := startServer(t, Config{MaxInFlight: 2}, g)
	stream, err := dial(t, addr).MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := stream.Send(&ourov1.MultiGetRequest{Tag: uint64(i), Get: &ourov1.GetRequest{Key: keyPB(key)}}); err != nil {
			t.Fatal(err)
		}
	}
	<-g.begun
	<-g.begun
	stopped := make(chan struct{})
	go func() { defer close(stopped); srv.Shutdown(context.Background()) }()
	<-srv.closing
	close(g.gate)
	answers := 0
	for {
		_, err := stream.Recv()
		if err == nil {
			answers++
			continue
		}
		res, whole := failureOf(t.Context(), err)
		if status.Code(err) != codes.Unavailable || ouro.CodeOf(whole) != ouro.Overloaded || !strings.Contains(whole.Error(), "not begun") {
			t.Errorf("%+v, %v", res, err)
		}
		break
	}
	<-stopped
	if begun := 2 + len(g.begun); answers != begun || begun == 5 {
		t.Errorf("%d of 5 were begun and %d answered", begun, answers)
	}
}

// A call that is under way when the node is told to stop is answered.
func TestCallsEndBeforeTheNode(t *testing.T) {
	g := newGated()
	addr, srv := startServer(t, Config{}, g)
	c := dial(t, addr)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Get(context.Background(), &ourov1.GetRequest{Key: keyPB(key)})
		ended <- err
	}()
	<-g.begun
	stopped := make(chan struct{})
	go func() { defer close(stopped); srv.Shutdown(context.Background()) }()
	<-srv.closing
	close(g.gate)
	if err := <-ended; status.Code(err) != codes.NotFound {
		t.Error(err)
	}
	<-stopped
}

// A call that its client gives up ends in the store too.
func TestCanceledCallsEnd(t *testing.T) {
	g := newGated()
	c := dial(t, start(t, Config{}, g))
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := c.MultiGet(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&ourov1.MultiGetRequest{Get: &ourov1.GetRequest{Key: keyPB(key)}}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = c.Get(ctx, &ourov1.GetRequest{Key: keyPB(key)}) }()
	<-g.begun
	<-g.begun
	cancel()
	eventually(t, "the store has none", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.now == 0
	})
}
