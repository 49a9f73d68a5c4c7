package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/dev"
)

const devLong = `Run a cluster of several nodes on this machine, each a process of its own with a
data folder and a log file of its own. It is ready when this command says so.

Node i has the ports base + 10*(i-1) for clients, +1 for other nodes, +2 for
administration; +8 for gRPC, +9 for Redis clients. Ctrl-C or SIGTERM stops all nodes, and none
outlives this command. A node that dies stays dead until 'ouro dev start'.

With --dir the data is kept and the next 'ouro dev --dir' goes on with it; without,
it is in a temporary folder that is removed at the end.

The commands below act on a running cluster, from another terminal.`

// stopPatience is how long nodes may take to drain before they are killed.
const stopPatience = 15 * time.Second

func newDevCommand() *cobra.Command {
	var opts dev.Options
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a cluster on this machine, and break it",
		Long:  devLong,
		Example: `  ouro dev                            three nodes, the first on 127.0.0.1:7070
  ouro dev --nodes 5 --dir ./cluster  five nodes that keep their data
  ouro dev --nodes 6 --zones 3        two nodes in each of three zones
  ouro dev --base-port 0 -o json      free ports, one line of JSON once all are ready
  ouro dev kill 2 --dir ./cluster     kill -9 a node of it
  ouro dev add --dir ./cluster        one more node
  ouro dev remove 1 --dir ./cluster   let a node leave and stop it`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDev(cmd, opts) },
	}
	f := cmd.Flags()
	f.IntVar(&opts.Nodes, "nodes", 0, "`number` of nodes (3, or as many as the folder has)")
	f.IntVar(&opts.Zones, "zones", 0, "`number` of zones that the nodes are in by turns (none, or as the folder has them)")
	f.StringVar(&opts.Dir, "dir", "", "`folder` of the cluster (a temporary one, removed at the end)")
	f.IntVar(&opts.BasePort, "base-port", 7070, "first `port` of the first node; 0 picks free ports")
	f.StringVar(&opts.RESPBuckets, "resp-buckets", "", "buckets that Redis clients SELECT by number, as `name,...` (redis)")
	f.DurationVar(&opts.Canary, "canary", 0, "how often each node writes a canary and has another read it: see 'ouro staleness'; 0: never")
	cmd.AddCommand(devActions()...)
	cmd.AddCommand(newDevAddCommand(), newDevRemoveCommand())
	return cmd
}

func runDev(cmd *cobra.Command, opts dev.Options) error {
	if cmd.Flags().Changed("nodes") && opts.Nodes < 1 {
		return wrongUse("--nodes %d: a cluster has at least one node", opts.Nodes)
	}
	kept := opts.Dir != ""
	if !kept {
		dir, err := os.MkdirTemp("", "ouro-dev-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		opts.Dir = dir
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	opts.Binary, opts.Log = binary, cmd.ErrOrStderr()
	opts.Args = devNodeArgs(opts)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	cluster, err := dev.Run(ctx, opts)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted before the cluster was ready")
		}
		return err
	}
	if err := announce(cmd, cluster.Info(), kept); err != nil {
		cluster.Stop(stopPatience)
		return err
	}
	<-ctx.Done()
	go func() { // a second signal ends the wait
		<-signals
		cluster.Abort()
	}()
	cluster.Stop(stopPatience)
	return nil
}

// devNodeArgs returns the flags that make this binary a node of the cluster.
func devNodeArgs(opts dev.Options) func(dev.Node, []dev.Node) []string {
	return func(n dev.Node, all []dev.Node) []string {
		args := []string{
			"serve", "--dev-leash", opts.Dir,
			"--id", n.ID, "--data", n.Data, "--cluster", "dev", "--cluster-key-file", opts.KeyFile(),
			"--listen", n.Client, "--peer-listen", n.Peer, "--admin-listen", n.Admin, "--resp-listen", n.RESP, "--grpc-listen", n.GRPC,
		}
		if opts.Canary > 0 {
			args = append(args, "--canary", opts.Canary.String())
		}
		if opts.RESPBuckets != "" {
			args = append(args, "--resp-buckets", opts.RESPBuckets)
		}
		if n.Added {
			return append(args, "--seeds", devSeeds(n, all))
		}
		return append(args, "--members", devFounders(all))
	}
}

// devFounders lists the nodes that founded the cluster.
func devFounders(all []dev.Node) string {
	var members []string
	for _, m := range all {
		switch {
		case m.Added:
		case m.Zone != "":
			members = append(members, m.ID+"="+m.Peer+";zone="+m.Zone)
		default:
			members = append(members, m.ID+"="+m.Peer)
		}
	}
	return strings.Join(members, ",")
}

// devSeeds lists the addresses of all other nodes.
func devSeeds(n dev.Node, all []dev.Node) string {
	var seeds []string
	for _, m := range all {
		if m.ID != n.ID && !m.Gone {
			seeds = append(seeds, m.Peer)
		}
	}
	return strings.Join(seeds, ",")
}

// announce tells where the nodes are: as one line of JSON, or as a table with
// three lines to paste.
func announce(cmd *cobra.Command, in dev.Info, kept bool) error {
	in.Control = ""
	if wantsJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), in)
	}
	w := cmd.OutOrStdout()
	what := "removed when this command ends"
	if kept {
		what = "kept"
	}
	fmt.Fprintf(w, "A cluster of %s is up. Data and logs are in %s (%s).\n\n", plural(len(in.Nodes), "node"), in.Dir, what)
	t := newTable(w, "NODE", "PID", "CLIENTS", "PEERS", "ADMIN", "GRPC", "REDIS")
	for _, n := range in.Nodes {
		t.row(n.ID, strconv.Itoa(n.PID), n.Client, n.Peer, n.Admin, n.GRPC, n.RESP)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return tryIt(w, in)
}

// tryIt prints lines to paste. They name an address only where the default
// would not do.
func tryIt(w io.Writer, in dev.Info) error {
	first, last := in.Nodes[0], in.Nodes[len(in.Nodes)-1]
	addr := ""
	if first.Client != defaultAddr {
		addr = " --addr " + first.Client
	}
	self := os.Args[0]
	fmt.Fprintf(w, "\nTry, in another terminal:\n  %s put%s greetings/hello 'Hello, world'\n", self, addr)
	fmt.Fprintf(w, "  %s get --addr %s greetings/hello\n", self, last.Client)
	if len(in.Nodes) > 1 {
		fmt.Fprintf(w, "  %s dev kill --dir %s %d && %s put%s greetings/hello 'Hello again'\n", self, in.Dir, len(in.Nodes), self, addr)
	}
	_, err := fmt.Fprintf(w, "\nOr open http://%s/ in a browser. Ctrl-C stops all nodes.\n", first.Admin)
	return err
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
