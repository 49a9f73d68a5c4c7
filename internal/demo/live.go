package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/paper"
)

// LiveNodes is how many processes [Demo.Live] has.
const LiveNodes = 5

// Program runs the command line and returns what it prints.
type Program func(ctx context.Context, args ...string) (string, error)

// RunLive plays a demonstration on running nodes.
func (d *Demo) RunLive(ctx context.Context, out io.Writer, c paper.Cluster, line Program) error {
	s := &Scene{out: out}
	if err := d.Live(ctx, s, c, line); err != nil {
		return err
	}
	if s.failed {
		return ErrFailed
	}
	return nil
}

// anyNode writes and reads keys through every node: over HTTP, by the command line, and
// by the page.
func anyNode(ctx context.Context, s *Scene, c paper.Cluster, line Program) error {
	nodes := c.Clients()
	s.say("%d nodes run, each a process; a key has three replicas. Each writes a key over HTTP, and each is asked for all of them.", len(nodes))
	shown := 0
	for i, addr := range nodes {
		key := ouro.Key{Bucket: "demo", Name: fmt.Sprint("of node ", i+1)}
		if err := over(addr, func(at *client.Client) error {
			_, err := at.Put(ctx, key, ouro.Value{Data: []byte(key.Name)}, ouro.Blind())
			return err
		}); err != nil {
			return err
		}
		for _, other := range nodes {
			if err := over(other, func(at *client.Client) error {
				res, err := at.Get(ctx, key)
				if err == nil && len(res.Siblings) == 1 && string(res.Siblings[0].Data) == key.Name {
					shown++
				}
				return err
			}); err != nil {
				return err
			}
		}
	}
	s.expect("answers that show the value", len(nodes)*len(nodes), shown)
	s.say("ouro put demo/by-hand hello --addr %s, and ouro get demo/by-hand at another node", nodes[1])
	if _, err := line(ctx, "put", "demo/by-hand", "hello", "--addr", nodes[1]); err != nil {
		return err
	}
	got, err := line(ctx, "get", "demo/by-hand", "--addr", nodes[len(nodes)-1])
	if err != nil {
		return err
	}
	s.expect("it prints", "hello", strings.TrimSpace(got))
	help, err := line(ctx, "--help")
	if err != nil {
		return err
	}
	s.expect("the help names put and get", true, strings.Contains(help, "\n  put ") && strings.Contains(help, "\n  get "))
	pages := 0
	for _, addr := range c.Admins() {
		if page(ctx, addr) {
			pages++
		}
	}
	s.expect("admin ports that have the page", len(nodes), pages)
	return nil
}

// over does something over a connection to one node.
func over(addr string, do func(*client.Client) error) error {
	c, err := client.New(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// page says whether an admin port has the page of the cluster.
func page(ctx context.Context, addr string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", http.NoBody)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return err == nil && res.StatusCode == http.StatusOK && strings.Contains(string(text), `id="ring-card"`)
}
