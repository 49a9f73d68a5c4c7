package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newStalenessCommand() *cobra.Command {
	n := 0
	cmd := newView(&cobra.Command{
		Use:   "staleness [--n N]",
		Short: "Show how often reads do not show the last write, for each r and w",
		Long: `Show how often a read does not show a write that was acknowledged before it, for
each r and w of n replicas: as one node predicts it from how long others took to
answer lately, and as its canary has measured it. Where r + w is more than n no
read is stale.

The reads are those that another replica of the key coordinates than the one that
coordinated the write: who reads where it wrote sees its own write. STALE AFTER is
by how long after the acknowledgement the read begins. 99 % SEE IT AFTER is when 99
of 100 reads show the write, and so on. TWO BEHIND is how many show neither this
write nor the one before.

With 'canary = "1s"' in its configuration a node writes a key in the bucket
ouro.canary every second and has another node read it. Without it nothing is
measured.`,
		Example: "  ouro staleness\n  ouro staleness --n 5 --addr 127.0.0.1:7080\n  ouro staleness -o json",
	}, func(a *client.Admin, ctx context.Context) (ouro.Staleness, error) { return a.Staleness(ctx, n) }, printStaleness)
	cmd.Flags().IntVar(&n, "n", 0, "`replicas` of a key; 0: as many as a bucket has that nobody defined")
	return cmd
}

func printStaleness(w io.Writer, info ouro.Staleness) error {
	if info.Lacks != "" {
		fmt.Fprintf(w, "%s predicts nothing for n=%d: %s\n", info.Node, info.N, info.Lacks)
	} else {
		fmt.Fprintf(w, "%s predicts for n=%d, of reads at another replica\n\n", info.Node, info.N)
		if err := printPredicted(w, &info); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	return printCanary(w, info.Canary, time.Now())
}

func printPredicted(w io.Writer, info *ouro.Staleness) error {
	head := []string{"R", "W"}
	for _, d := range info.Delays {
		head = append(head, "STALE AFTER "+duration(d))
	}
	t := newTable(w, append(head, "99 % SEE IT AFTER", "99.9 % AFTER", "TWO BEHIND")...)
	for _, p := range info.Pairs {
		row := []string{strconv.Itoa(p.R), strconv.Itoa(p.W)}
		for _, s := range p.Stale {
			row = append(row, percent(s))
		}
		t.row(append(row, duration(p.Visible99), duration(p.Visible999), percent(p.TwoBehind))...)
	}
	return t.flush()
}

func printCanary(w io.Writer, c *ouro.CanaryInfo, now time.Time) error {
	switch {
	case c == nil:
		_, err := fmt.Fprintln(w, "nothing is measured: set 'canary' to how often it should be")
		return err
	case c.N == 0:
		_, err := fmt.Fprintf(w, "its canary, every %s, has measured nothing yet\n", duration(c.Every))
		return err
	}
	fmt.Fprintf(w, "its canary, every %s for %s, found of n=%d; %d writes and reads failed%s\n\n", duration(c.Every), ago(c.Since, now), c.N, c.Failed, because(c.Error))
	head := []string{"R", "W", "READS", "STALE"}
	for _, d := range c.Delays {
		head = append(head, "STALE AFTER "+duration(d))
	}
	t := newTable(w, append(head, "STOOD IN", "OF THESE STALE")...)
	for i := range c.Pairs {
		p := &c.Pairs[i]
		reads, stale := p.Total()
		row := []string{strconv.Itoa(p.R), strconv.Itoa(p.W), strconv.FormatUint(reads, 10), strconv.FormatUint(stale, 10)}
		for j := range p.Reads {
			row = append(row, fmt.Sprintf("%d of %d", p.Stale[j], p.Reads[j]))
		}
		t.row(append(row, strconv.FormatUint(p.StoodIn, 10), strconv.FormatUint(p.StoodInStale, 10))...)
	}
	return t.flush()
}

func because(err string) string {
	if err == "" {
		return ""
	}
	return ", the last: " + err
}

// duration tells seconds as a reader would.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d == 0:
		return "0"
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

// percent tells a share; one of a prediction is right to a tenth of a percent or so.
func percent(share float64) string {
	if share == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2f %%", 100*share)
}
