package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/datadir"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/security"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// exitDamaged is the exit code of a verification that found something wrong.
const exitDamaged = 10

// stoppedSlice is how many bytes of records of a stopped node are verified at a
// time.
const stoppedSlice = 64 << 20

func newVerifyCommand() *cobra.Command {
	var t target
	var cfg config.Config
	cmd := &cobra.Command{
		Use:   "verify [--data DIR]",
		Short: "Add up the trees by which replicas are compared, and check them",
		Long: `Read every record of one node, add up the trees by which it is compared with
other replicas, and compare them with those that it has stored. It changes
nothing.

A running node does that between requests, a little at a time. With --data the
folder of a node that is stopped is read; where the cluster has a key file, that
is needed too.

Leaves that are DOUBTFUL are to be added up anew anyway, or have records that
can't be read: nodes get those from each other. Exit code 10 says that records
can't be read or that something is wrong.`,
		Example: `  ouro verify
  ouro verify --addr 127.0.0.1:7080
  ouro verify --data /var/lib/ouro --cluster-key-file shop.key -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask := func(v *ouro.VerifyInfo) error { return verifyRunning(cmd.Context(), &t, v) }
			if cmd.Flags().Changed("data") {
				ask = func(v *ouro.VerifyInfo) error { return verifyStopped(&cfg, v) }
			}
			v := ouro.VerifyInfo{Wrong: []string{}}
			if err := ask(&v); err != nil {
				return err
			}
			return showVerified(cmd, &v)
		},
	}
	t.addFlags(cmd, true)
	cmd.Flags().StringVar(&cfg.Data, "data", "", "data `folder` of a node that is stopped")
	cmd.Flags().StringVar(&cfg.ClusterKeyFile, "cluster-key-file", "", "with --data: `file` with the cluster's key, where it has one")
	cmd.Flags().BoolVar(&cfg.AllowReadableSecrets, "allow-readable-secrets", false, "take a key file that others can read")
	return cmd
}

func showVerified(cmd *cobra.Command, v *ouro.VerifyInfo) error {
	out := cmd.OutOrStdout()
	show := printJSON
	if !wantsJSON(cmd) {
		show = func(w io.Writer, _ any) error { return printVerified(w, v) }
	}
	if err := show(out, v); err != nil {
		return err
	}
	if len(v.Wrong) > 0 || v.Unreadable > 0 {
		return &exitError{code: exitDamaged}
	}
	return nil
}

func printVerified(w io.Writer, v *ouro.VerifyInfo) error {
	for _, wrong := range v.Wrong {
		fmt.Fprintln(w, "WRONG:", wrong)
	}
	if v.Unreadable > 0 || v.Doubtful > 0 {
		fmt.Fprintf(w, "%d records can't be read, %d leaves are doubtful\n", v.Unreadable, v.Doubtful)
	}
	verdict := "every tree is the sum of its records"
	if len(v.Wrong) > 0 {
		verdict = fmt.Sprintf("%d things are wrong", len(v.Wrong))
	}
	_, err := fmt.Fprintf(w, "%s: %d records of %s in %d leaves of %d trees: %s\n", v.Node, v.Records, size(v.Bytes), v.Leaves, v.Trees, verdict)
	return err
}

// verifyRunning asks a node until it has looked at all it has.
func verifyRunning(ctx context.Context, t *target, all *ouro.VerifyInfo) error {
	for {
		if err := t.inside(ctx, func(ctx context.Context, a *client.Admin) error {
			v, err := a.Verify(ctx, all.Next)
			if err == nil {
				*all = all.With(v)
			}
			return err
		}); err != nil || all.Next == "" {
			return err
		}
	}
}

// verifyStopped reads the folder of a node that does not run.
func verifyStopped(cfg *config.Config, all *ouro.VerifyInfo) (err error) {
	id, found, err := datadir.Peek(cfg.Data)
	if err == nil && !found {
		err = fmt.Errorf("%s is no data folder: it has no node.json", cfg.Data)
	}
	if err != nil {
		return err
	}
	keys, err := security.ClusterKeys(id.Cluster, cfg.ClusterKeyFile, cfg.AllowReadableSecrets)
	if err != nil {
		return err
	}
	if keys.ClusterID(member.ClusterID(id.Cluster)) != uint64(id.ClusterID) {
		return fmt.Errorf("%s belongs to a cluster with another key: name its file with --cluster-key-file", cfg.Data)
	}
	e, err := openStopped(id.Engine, datadir.EngineIn(cfg.Data))
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("%s is in use: leave --data out to ask the running node: %w", filepath.Clean(cfg.Data), err)
	}
	if err != nil {
		return fmt.Errorf("the data in %s can't be opened: %w", filepath.Clean(cfg.Data), err)
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	r, sum := replica.New(replica.Config{Seed: keys.Digest}), replica.Verified{}
	for first := true; first || sum.Next != nil && sum.Err == nil; first = false {
		sum = sum.With(disk.Verify(e, r, uint(bits.Len(uint(id.Q)))-1, nil, sum.Next, stoppedSlice))
	}
	all.Node, all.Trees, all.Leaves, all.Records, all.Bytes = id.Node, sum.Trees, sum.Leaves, sum.Records, sum.Bytes
	all.Unreadable, all.Doubtful, all.Wrong = sum.Unreadable, sum.Doubtful, append(all.Wrong, sum.Wrong...)
	return sum.Err
}

// openStopped opens the engine of a folder that no node has open.
func openStopped(engine, dir string) (store.Engine, error) {
	name := strings.TrimPrefix(engine, config.MemoryOver)
	switch name {
	case config.EngineMemory:
		return nil, errors.New("engine memory keeps nothing on disk")
	case config.EngineBolt:
		return bolt.Open(dir, bolt.Options{})
	default:
		return pebble.Open(dir, pebble.Options{})
	}
}
