package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/archive"
	"github.com/ourodb/ouro/internal/config"
)

func newArchiveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Write what a cluster holds into files, and bring it into a cluster",
		Long: `Write what a cluster holds into a folder, a file for each partition, while it serves;
verify such a folder; and merge it into a cluster of any size and number of partitions.

An archive has whole records: every version that a read shows, and what it has seen.
So restoring merges: a version that was replaced or deleted since stays so, as long as
the cluster knows of it.`,
		Example: `  ouro archive create ./monday
  ouro archive verify ./monday
  ouro archive restore ./monday --addr 10.0.0.7:7070`,
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(newArchiveCreateCommand(), newArchiveVerifyCommand(), newArchiveRestoreCommand())
	return cmd
}

// archiveFlags are the flags of create and restore.
type archiveFlags struct {
	target
	buckets  []string
	rate     config.Size
	workers  int
	patience time.Duration
	revive   bool
}

func (f *archiveFlags) add(cmd *cobra.Command) {
	f.addFlags(cmd, true)
	cmd.Flags().Var(config.SizeFlag(&f.rate), "rate", "bytes a second at most; 0: no bound")
	cmd.Flags().IntVar(&f.workers, "concurrency", 16, "`number` of records under way at once")
	cmd.Flags().DurationVar(&f.patience, "patience", time.Minute, "`duration` for which a record is tried again while nodes do not answer")
}

func (f *archiveFlags) check() error {
	switch {
	case f.workers < 1 || f.workers > maxConcurrency:
		return wrongUse("--concurrency %d: it is 1 to %d", f.workers, maxConcurrency)
	case f.patience < 0:
		return wrongUse("--patience is not negative")
	case f.rate < 0:
		return wrongUse("--rate is not negative")
	}
	return nil
}

// work begins work on a folder of so many partitions.
func (f *archiveFlags) work(cmd *cobra.Command, dir, what string, partitions int) (*archive.Work, func()) {
	step, end := stepsOf(cmd.ErrOrStderr(), what, partitions)
	return &archive.Work{Dir: dir, Workers: f.workers, Rate: int64(f.rate), Patience: f.patience, Step: step}, end
}

func newArchiveCreateCommand() *cobra.Command {
	f := archiveFlags{rate: 16 << 20}
	cmd := &cobra.Command{
		Use:   "create FOLDER",
		Short: "Write what a cluster holds into a folder",
		Long: `Write every key that shows a value into FOLDER, a file for each partition. The cluster
goes on serving: each record is read as it is then, from r replicas, so that what was
acknowledged before the archive was begun is in it (r + w > n). Tombstones are not.

Begun again on a folder that is not complete, it goes on where it was: files that are
there are verified, not made anew. --rate bounds how much is read.

Buckets are those that are defined and those of which the node asked holds anything. A
node may hold nothing of a bucket with very few keys that nobody defined: name such a
bucket with --bucket.`,
		Example: `  ouro archive create ./monday --rate 8MiB
  ouro archive create ./carts --bucket carts`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.create(cmd, args[0]) },
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&f.buckets, "bucket", nil, "`bucket` to archive, and no other; repeat it for several")
	return cmd
}

func (f *archiveFlags) create(cmd *cobra.Command, dir string) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, unix.SIGTERM)
	defer stop()
	from, err := f.cluster()
	if err != nil {
		return err
	}
	defer from.close()
	m, err := f.manifest(ctx, from.Admin)
	if err != nil {
		return adviseUnanswered(err, "--admin")
	}
	w, end := f.work(cmd, dir, "archiving", m.Q)
	err = w.Create(ctx, m, from)
	end()
	if ctx.Err() != nil {
		return errors.New("interrupted: the archive is not complete; run the same command to go on")
	}
	if err != nil {
		return err
	}
	t := m.Total()
	return tellArchive(cmd, dir, m, t, fmt.Sprintf("%s, %s, of %s in %s are in %s",
		plural(int(t.Records), "record"), size(t.Bytes), plural(len(m.Buckets), "bucket"), plural(m.Q, "partition"), dir))
}

// archived is what -o json prints of an archive that was made, verified or restored.
type archived struct {
	Folder     string    `json:"folder"`
	Cluster    string    `json:"cluster"` // that it was made of
	Begun      time.Time `json:"begun"`
	Buckets    []string  `json:"buckets"`
	Partitions int       `json:"partitions"`
	Records    int64     `json:"records"`
	Bytes      int64     `json:"bytes"`
}

// tellArchive prints what was done with the records of an archive.
func tellArchive(cmd *cobra.Command, dir string, m *archive.Manifest, sum archive.Sum, text string) error {
	if wantsJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), archived{dir, m.Cluster, m.Begun, m.Buckets, m.Q, sum.Records, sum.Bytes})
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

// maxArchiveReply bounds the answer with a record: one of a gibibyte, in base64.
const maxArchiveReply = 3 << 29

// archiveCluster is both ports of a node.
type archiveCluster struct {
	*client.Admin
	store *client.Client
}

func (c archiveCluster) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	return c.store.Keys(ctx, bucket, q)
}

func (c archiveCluster) close() {
	c.store.Close()
	c.Admin.Close()
}

func (f *archiveFlags) cluster() (archiveCluster, error) {
	addr, err := f.adminAddr()
	if err != nil {
		return archiveCluster{}, err
	}
	admin, err := client.NewAdmin(addr, client.MaxReply(maxArchiveReply), client.AnswerWithin(answerPatience))
	if err != nil {
		return archiveCluster{}, err
	}
	store, err := f.store(pagePatience)
	return archiveCluster{admin, store}, err
}

// manifest describes the archive that is to be made.
func (f *archiveFlags) manifest(ctx context.Context, a *client.Admin) (*archive.Manifest, error) {
	s, err := a.Status(ctx)
	if err != nil {
		return nil, err
	}
	if s.Q == 0 {
		return nil, errors.New("the node is in no cluster yet: there is nothing to archive")
	}
	m := &archive.Manifest{Cluster: s.Cluster, ClusterID: s.ClusterID, Q: s.Q, Begun: time.Now().UTC(), Buckets: f.buckets}
	defined, err := a.Buckets(ctx)
	if err != nil {
		return nil, err
	}
	if len(f.buckets) == 0 {
		if m.Buckets, err = a.HeldBuckets(ctx); err != nil {
			return nil, err
		}
		for _, b := range defined {
			if b.Name != "" && b.Defined {
				m.Buckets = append(m.Buckets, b.Name)
			}
		}
	}
	slices.Sort(m.Buckets)
	m.Buckets = slices.Compact(m.Buckets)
	for _, b := range defined {
		if b.Defined && slices.Contains(m.Buckets, b.Name) {
			m.Settings = append(m.Settings, b)
		}
	}
	return m, nil
}

func newArchiveVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FOLDER",
		Short: "Check that every file of an archive is what was written",
		Long: `Read every file of an archive, and check its records, its checksum, and its root, which
is the sum over all its records, against what the file and the folder say. No cluster
is needed.`,
		Example: "  ouro archive verify ./monday",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := archive.Load(args[0])
			if err != nil {
				return err
			}
			if !m.Complete {
				return fmt.Errorf("the archive in %s is not complete: %d of %d partitions are there; go on with 'ouro archive create'", args[0], len(m.Partitions), m.Q)
			}
			step, end := stepsOf(cmd.ErrOrStderr(), "verifying", m.Q)
			wrong := m.Verify(args[0], step)
			end()
			for _, err := range wrong {
				fmt.Fprintln(cmd.ErrOrStderr(), err)
			}
			if len(wrong) > 0 {
				return fmt.Errorf("%d of %d files are not what was written", len(wrong), m.Q)
			}
			t := m.Total()
			return tellArchive(cmd, args[0], m, t, fmt.Sprintf("%s, %s, in %s of cluster %s from %s: all are what was written",
				plural(int(t.Records), "record"), size(t.Bytes), plural(m.Q, "file"), m.Cluster, m.Begun.Format(time.RFC3339)))
		},
	}
}

func newArchiveRestoreCommand() *cobra.Command {
	f := archiveFlags{rate: 16 << 20}
	cmd := &cobra.Command{
		Use:   "restore FOLDER",
		Short: "Merge an archive into a cluster",
		Long: `Merge every record of a complete archive into a cluster, which may have any number of
nodes and partitions. Each file is verified before anything of it is restored. Begun
again it merges again, which changes nothing.

A record is merged as replicas merge theirs: what is newer stays, what was written
elsewhere meanwhile becomes a sibling, and what was deleted stays deleted, as long as
the cluster knows that it was: tombstones are reaped once all replicas have them. So
into the cluster that the archive is of, keys that were deleted since come back. That
needs --revive.

Buckets that are not defined there get the settings they had. One whose mode is another
is refused.`,
		Example: `  ouro archive restore ./monday --addr 10.0.0.7:7070
  ouro archive restore ./monday --revive --rate 4MiB`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.restore(cmd, args[0]) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.revive, "revive", false, "restore into the cluster that the archive is of: what was deleted since comes back")
	return cmd
}

func (f *archiveFlags) restore(cmd *cobra.Command, dir string) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, unix.SIGTERM)
	defer stop()
	m, err := archive.Load(dir)
	if err != nil {
		return err
	}
	to, err := f.cluster()
	if err != nil {
		return err
	}
	defer to.close()
	if err := f.prepare(ctx, m, to.Admin); err != nil {
		return adviseUnanswered(err, "--admin")
	}
	w, end := f.work(cmd, dir, "restoring", m.Q)
	sum, err := w.Restore(ctx, m, to)
	end()
	if ctx.Err() != nil {
		err = errors.New("interrupted: run the same command again")
	}
	if err != nil {
		return fmt.Errorf("%w (%d records were restored before)", err, sum.Records)
	}
	return tellArchive(cmd, dir, m, sum, fmt.Sprintf("%s, %s, of cluster %s from %s are restored",
		plural(int(sum.Records), "record"), size(sum.Bytes), m.Cluster, m.Begun.Format(time.RFC3339)))
}

// prepare checks that the archive may be restored into a cluster, and defines its
// buckets there.
func (f *archiveFlags) prepare(ctx context.Context, m *archive.Manifest, a *client.Admin) error {
	s, err := a.Status(ctx)
	if err != nil {
		return err
	}
	if s.ClusterID == m.ClusterID && !f.revive {
		return fmt.Errorf("the archive is of this very cluster, %s: keys that were deleted since would come back; if that is what you want, say --revive", s.Cluster)
	}
	for _, had := range m.Settings {
		has, err := a.Bucket(ctx, had.Name)
		switch {
		case err != nil:
			return err
		case has.Defined && has.Mode != had.Mode:
			return fmt.Errorf("bucket %s is of mode %s in the archive and of mode %s here: restore into a cluster in which it is not defined", had.Name, had.Mode, has.Mode)
		case has.Defined:
			continue
		}
		q := had.Set
		if _, err := a.SetBucket(ctx, had.Name, ouro.BucketSettings{
			N: &q.N, R: &q.R, W: &q.W, PR: &q.PR, PW: &q.PW, DW: &q.DW,
			Timeout: &had.Timeout, TTL: &had.TTL, Mode: &had.Mode, Durability: &had.Durability,
		}); err != nil {
			return fmt.Errorf("define bucket %s as it was: %w", had.Name, err)
		}
	}
	return nil
}
