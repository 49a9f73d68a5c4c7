package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// What a get costs the nodes through each front end, and what idle connections do,
// for docs/benchmarks.md:
//
//	OURO_E2E_COSTS=1 go test ./test/e2e -run FrontEndCosts -v
//
// Each way takes its turn in each of some rounds, so that what else the machine does
// meets all of them. Nothing is asserted: a figure belongs to its machine.
func TestFrontEndCosts(t *testing.T) {
	if os.Getenv("OURO_E2E_COSTS") == "" {
		t.Skip("measures, and takes a minute: set OURO_E2E_COSTS=1")
	}
	c := start(t, "", 3)
	if a := c.http(1, http.MethodPut, "/kv/costs/k", strings.Repeat("x", 1024)); a.status != http.StatusOK {
		t.Fatal(a)
	}
	const rounds, gets, workers = 5, 20_000, 32
	ways := []struct {
		name string
		open func(ctx context.Context) (get func() error)
	}{
		{"HTTP", c.httpGets(t)}, {"RESP", c.respGets(t)}, {"gRPC", c.grpcGets(t)}, {"gRPC MultiGet", c.grpcStream(t)},
	}
	costs := map[string][]float64{}
	for range rounds {
		for _, way := range ways {
			costs[way.name] = append(costs[way.name], c.cost(t, way.open, workers, gets))
		}
	}
	base := median(costs["HTTP"])
	for _, way := range ways {
		m := median(costs[way.name])
		t.Logf("%-14s %6.1f µs of all nodes' CPU for a get (%.1f to %.1f), %.2f of HTTP", way.name, m, slices.Min(costs[way.name]), slices.Max(costs[way.name]), m/base)
	}
	c.idleConnections(t)
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// cost returns the CPU of all nodes for one of so many gets, in microseconds.
func (c *cluster) cost(t *testing.T, open func(context.Context) func() error, workers, gets int) float64 {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context()) // ends what a round has opened
	defer cancel()
	var left atomic.Int64
	var all sync.WaitGroup
	ready, begin := make(chan struct{}), make(chan struct{})
	for range workers {
		all.Go(func() {
			get := open(ctx)
			err := get() // a connection, and whatever is made once
			ready <- struct{}{}
			<-begin
			for err == nil && left.Add(-1) >= 0 {
				err = get()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range workers {
		<-ready
	}
	left.Store(int64(gets))
	before := c.cpu(t)
	close(begin)
	all.Wait()
	return (c.cpu(t) - before).Seconds() * 1e6 / float64(gets)
}

// cpu is what all nodes used so far, to a hundredth of a second.
func (c *cluster) cpu(t *testing.T) (sum time.Duration) {
	t.Helper()
	for _, n := range c.Nodes {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.PID))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		for _, ticks := range fields[11:13] { // user and system
			n, err := strconv.ParseInt(ticks, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}

func (c *cluster) httpGets(t *testing.T) func(context.Context) func() error {
	return func(context.Context) func() error {
		client := &http.Client{Transport: &http.Transport{}}
		t.Cleanup(client.CloseIdleConnections)
		return func() error {
			resp, err := client.Get("http://" + c.Nodes[0].Client + "/kv/costs/k")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return whole(io.ReadAll(resp.Body))
		}
	}
}

// whole wants the value that was stored.
func whole(data []byte, err error) error {
	if err == nil && len(data) != 1024 {
		err = fmt.Errorf("a get shows %d bytes", len(data))
	}
	return err
}

func (c *cluster) respGets(t *testing.T) func(context.Context) func() error {
	return func(context.Context) func() error {
		conn, err := net.Dial("tcp", c.Nodes[0].RESP)
		if err != nil {
			return func() error { return err }
		}
		t.Cleanup(func() { conn.Close() })
		r := bufio.NewReader(conn)
		fmt.Fprint(conn, "OURO.BUCKET costs\r\n")
		if _, err := r.ReadString('\n'); err != nil {
			return func() error { return err }
		}
		return func() error {
			if _, err := io.WriteString(conn, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"); err != nil {
				return err
			}
			head, err := r.ReadString('\n')
			if err != nil || head != "$1024\r\n" {
				return fmt.Errorf("%q, %v", head, err)
			}
			_, err = r.Discard(1024 + 2)
			return err
		}
	}
}

func (c *cluster) grpcConn(t *testing.T) ourov1.StoreServiceClient {
	conn, err := grpc.NewClient(c.Nodes[0].GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return ourov1.NewStoreServiceClient(conn)
}

func costsKey() *ourov1.GetRequest {
	return &ourov1.GetRequest{Key: &ourov1.Key{Bucket: "costs", Name: []byte("k")}}
}

// grpcGets shares one connection, as gRPC clients do.
func (c *cluster) grpcGets(t *testing.T) func(context.Context) func() error {
	client := c.grpcConn(t)
	return func(ctx context.Context) func() error {
		return func() error {
			out, err := client.Get(ctx, costsKey())
			if err != nil {
				return err
			}
			return whole(out.GetSiblings()[0].GetValue().GetData(), nil)
		}
	}
}

// grpcStream has a stream for each worker, over one connection.
func (c *cluster) grpcStream(t *testing.T) func(context.Context) func() error {
	client := c.grpcConn(t)
	return func(ctx context.Context) func() error {
		stream, err := client.MultiGet(ctx)
		return func() error {
			if err == nil {
				err = stream.Send(&ourov1.MultiGetRequest{Get: costsKey()})
			}
			if err != nil {
				return err
			}
			out, err := stream.Recv()
			if err != nil {
				return err
			}
			return whole(out.GetShown().GetSiblings()[0].GetValue().GetData(), nil)
		}
	}
}

// idleConnections tells what a thousand of them take of a node.
func (c *cluster) idleConnections(t *testing.T) {
	const conns = 1000
	for _, way := range []struct{ name, says, addr string }{
		{"HTTP", "GET /kv/costs/k HTTP/1.1\r\nHost: x\r\n\r\n", c.Nodes[1].Client},
		{"RESP", "PING\r\n", c.Nodes[1].RESP},
		{"gRPC", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", c.Nodes[1].GRPC},
	} {
		before := c.heap(t)
		var open []net.Conn
		for range conns {
			conn, err := net.Dial("tcp", way.addr)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, conn)
			_, _ = io.WriteString(conn, way.says)
			if _, err := conn.Read(make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%-14s %6.1f KiB of a node's memory for an idle connection", way.name, float64(c.heap(t)-before)/conns/1024)
		for _, conn := range open {
			conn.Close()
		}
	}
}

// heap is what the second node has in use, stacks included, after a collection.
func (c *cluster) heap(t *testing.T) (sum int64) {
	t.Helper()
	for _, path := range []string{"/debug/pprof/heap?gc=1", "/metrics"} {
		resp, err := http.Get("http://" + c.Nodes[1].Admin + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			for _, name := range []string{"go_memstats_heap_alloc_bytes ", "go_memstats_stack_inuse_bytes "} {
				if value, ok := strings.CutPrefix(line, name); ok {
					n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
					if err != nil {
						t.Fatal(err)
					}
					sum += int64(n)
				}
			}
		}
	}
	return sum
}
