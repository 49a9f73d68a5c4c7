package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
)

func printPlan(w io.Writer, p ouro.Plan) error {
	if len(p.Changes) == 0 {
		_, err := fmt.Fprintf(w, "Nothing is staged at %s.\n", p.Node)
		return err
	}
	t := newTable(w)
	for i, c := range p.Changes {
		t.rowf("%d.\t%s", i+1, c)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d of %s change their owner (the least possible: %d); %s %s made", p.Moved, plural(p.Tokens, "partition"), p.Least, plural(p.Copies, "replica"), isAre(p.Copies))
	if p.Bytes >= 0 {
		fmt.Fprintf(w, ", about %s", size(p.Bytes))
	}
	if p.Seconds >= 0 {
		fmt.Fprintf(w, ", %s at the rate set", time.Duration(p.Seconds*float64(time.Second)).Round(time.Second))
	}
	fmt.Fprint(w, "\n\n")
	t = newTable(w, "MEMBER", "ZONE", "DC", "WEIGHT", "PARTITIONS", "THEN")
	for _, m := range p.Members {
		t.row(m.ID, dash(m.Zone), dash(m.DC), strconv.Itoa(m.Weight), strconv.Itoa(m.Before), strconv.Itoa(m.After))
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, g := range p.Guarantees {
		fmt.Fprintln(w, g)
	}
	for _, warning := range p.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", warning)
	}
	_, err := fmt.Fprintf(w, "\nMake it so with: ouro cluster commit --version %s\n", p.Version)
	return err
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func printCommitted(w io.Writer, c ouro.Committed) error {
	for _, line := range c.Changes {
		fmt.Fprintf(w, "committed: %s\n", line)
	}
	_, err := fmt.Fprintf(w, "The history is now %s; 'ouro cluster status' shows what moves.\n", c.Version)
	return err
}

func printCluster(w io.Writer, c ouro.ClusterInfo) error {
	t := newTable(w)
	t.rowf("Cluster\t%s, as %s sees it", c.Cluster, c.Node)
	if c.Version == "" {
		t.row("History", "none")
	} else {
		t.rowf("History\t%s, %s", c.Version, plural(c.Changes, "change"))
	}
	if c.Placement == 0 {
		t.row("Placement", "none is known here")
	} else {
		t.rowf("Placement\tlink %d, %s", c.Placement, c.Hash)
	}
	t.rowf("Moves\t%s under way, %d to begin", plural(c.Moving, "partition"), c.Waiting)
	if c.TransferRate > 0 {
		t.rowf("Throttle\t%s receives at most %s a second of what moves", c.Node, size(c.TransferRate))
	}
	if len(c.Removed) > 0 {
		t.rowf("Removed\t%s", strings.Join(c.Removed, ", "))
	}
	for _, s := range c.Staged {
		t.row("Staged", s)
	}
	for _, s := range c.Skipped {
		t.row("Skipped", s)
	}
	for _, s := range c.Waits {
		t.row("Waits for", s)
	}
	for _, n := range c.Notes {
		t.row("Note", n)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = newTable(w, "MEMBER", "STATE", "PEERS", "ZONE", "DC", "WEIGHT", "HOLDS", "TO HOLD", "LINK")
	for _, m := range c.Members {
		link := "down"
		switch {
		case m.Self:
			link = "self"
		case m.Up:
			link = "up"
		}
		t.row(m.ID, m.State, m.Peer, dash(m.Zone), dash(m.DC), strconv.Itoa(m.Weight), strconv.Itoa(m.Holds), strconv.Itoa(m.Target), link)
	}
	if err := t.flush(); err != nil || len(c.Transfers) == 0 {
		return err
	}
	fmt.Fprintln(w)
	return printTransfers(w, c.Transfers, time.Now())
}

// mostTransfers is how many transfers are listed for people; JSON has them all.
const mostTransfers = 20

func printTransfers(w io.Writer, all []ouro.TransferInfo, now time.Time) error {
	t := newTable(w, "PARTITION", "FROM", "TO", "WHY", "AGE", "STATE", "KEYS", "BYTES", "LAST ERROR")
	for _, x := range all[:min(len(all), mostTransfers)] {
		state := "waiting"
		if x.Running {
			state = "running"
		}
		t.row(strconv.FormatUint(uint64(x.Partition), 10), dash(x.From), dash(x.To), x.Why, ago(x.Since, now), state,
			strconv.FormatInt(x.Keys, 10), size(x.Bytes), failure(x.Error, x.ErrorAt, now))
	}
	if err := t.flush(); err != nil || len(all) <= mostTransfers {
		return err
	}
	_, err := fmt.Fprintf(w, "and %d more; -o json lists them all\n", len(all)-mostTransfers)
	return err
}

func printCertificates(w io.Writer, c ouro.ClusterInfo) error {
	if len(c.Certificates) == 0 {
		_, err := fmt.Fprintln(w, "No move has ended since this node started.")
		return err
	}
	t := newTable(w, "LINK", "PARTITION", "NODE", "N R W", "COMPARED WITH", "BEGUN AT")
	for _, x := range c.Certificates {
		t.row(strconv.FormatUint(x.Link, 10), strconv.FormatUint(uint64(x.Partition), 10), x.Node, fmt.Sprintf("%d %d %d", x.N, x.R, x.W),
			strings.Join(x.Sources, ", "), strings.Join(x.Sealed, ", "))
	}
	return t.flush()
}
