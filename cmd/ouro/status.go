package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newStatusCommand() *cobra.Command {
	return newView(&cobra.Command{
		Use:   "status",
		Short: "Show a node and what it sees of its cluster",
		Example: `  ouro status
  ouro status --addr 127.0.0.1:7080 -o json`,
	}, (*client.Admin).Status, printStatus)
}

func printStatus(w io.Writer, st ouro.Status) error {
	up := 0
	for _, m := range st.Members {
		if m.Up || m.Self {
			up++
		}
	}
	t := newTable(w)
	t.rowf("Node\t%s, %s, engine %s, up since %s (start %d of its folder)", st.Node, st.Version, st.Engine, st.Started.UTC().Format(time.RFC3339), st.Starts)
	t.rowf("Cluster\t%s (id %s), %d of %s reachable from here", st.Cluster, st.ClusterID, up, plural(len(st.Members), "member"))
	t.rowf("Ring\t%d partitions, epoch %d, hash %s", st.Q, st.Epoch, st.RingHash)
	d := st.Defaults
	t.rowf("Defaults\tn=%d r=%d w=%d pr=%d pw=%d dw=%d", d.N, d.R, d.W, d.PR, d.PW, d.DW)
	t.rowf("Disk\t%s used, %s free", size(st.DiskBytes), size(st.FreeBytes))
	t.rowf("Now\t%s in flight", plural(st.InFlight, "request"))
	for _, line := range recoveringLines(st.Recovering) {
		t.row("Recovering", line)
	}
	t.rowf("Reaping\t%s", tellReaping(st.Reaping, time.Now()))
	if st.Admission.Most > 0 { // not of an older node
		t.row("Background", tellAdmission(st.Admission))
	}
	for _, k := range st.HotKeys.Keys {
		t.row("Hot key", tellHotKey(k, st.HotKeys.Most))
	}
	for _, note := range st.Notes {
		t.row("Note", note)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = newTable(w, "MEMBER", "PEERS", "ZONE", "DC", "WEIGHT", "PARTITIONS", "LINK", "ANSWERS", "P95 READ/WRITE")
	for _, m := range st.Members {
		link := "down"
		switch {
		case m.Self:
			link = "self"
		case m.Up:
			link = "up"
		}
		t.row(m.ID, m.Peer, dash(m.Zone), dash(m.DC), strconv.Itoa(m.Weight), strconv.Itoa(m.Partitions), link, answering(m), p95(m.ReadP95)+" / "+p95(m.WriteP95))
	}
	return t.flush()
}

// recoveringLines tells what a node may have forgotten.
func recoveringLines(r *ouro.RecoveringInfo) []string {
	if r == nil {
		return nil
	}
	var lines []string
	if r.Unconfirmed {
		lines = append(lines, "the data folder is new: reads are not answered from it before another node has been heard")
	}
	if r.Partitions > 0 {
		line := fmt.Sprintf("%s since %s, %d being compared", plural(r.Partitions, "partition"), r.Since.Format(time.RFC3339), r.Comparing)
		if !r.WaitsUntil.IsZero() {
			line += ", comparisons begin at " + r.WaitsUntil.Format(time.RFC3339)
		}
		lines = append(lines, line)
	}
	if r.Records > 0 {
		lines = append(lines, plural(r.Records, "record")+" that can't be read, to be had from other nodes")
	}
	for _, u := range r.Unhealed {
		lines = append(lines, fmt.Sprintf("%s %q: %s", u.Bucket, u.Key, u.Error))
	}
	if r.Error != "" {
		lines = append(lines, "last failure: "+r.Error)
	}
	return lines
}

// answering tells how a member answers this node.
func answering(m ouro.MemberInfo) string {
	switch {
	case len(m.Suspected) > 0:
		return "no " + strings.Join(m.Suspected, ", ")
	case m.Late:
		return "late"
	default:
		return "-"
	}
}

// p95 tells seconds; none are not known.
func p95(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return time.Duration(seconds * float64(time.Second)).Round(10 * time.Microsecond).String()
}

// tellReaping tells how far tombstones are on their way out.
func tellReaping(r ouro.ReapingInfo, now time.Time) string {
	s := fmt.Sprintf("epoch %d, all members have shown %d", r.Epoch, r.Lowest)
	if r.Keys == 0 {
		return s
	}
	s += fmt.Sprintf(", %s waiting, the oldest for %s", plural(r.Keys, "key"), now.Sub(r.Oldest).Round(time.Second))
	if len(r.HeldBy) > 0 {
		s += fmt.Sprintf("; it waits for %s: %s", strings.Join(r.HeldBy, ", "), r.Why)
	}
	return s
}

// tellAdmission tells how much background work may do.
func tellAdmission(a ouro.AdmissionInfo) string {
	if a.Off {
		return "at full pace, whatever clients see (slow-read is 0)"
	}
	s := fmt.Sprintf("%d of %d slices", a.Slices, a.Most)
	if a.Slices < a.Most {
		var kinds []string
		for _, k := range a.Kinds {
			kinds = append(kinds, fmt.Sprintf("%s %d", k.Kind, k.Slices))
		}
		s += ": " + strings.Join(kinds, ", ")
	}
	return s + fmt.Sprintf("; in the last minute the p99 of %s for clients was %s, that of waits in queues %s", plural(a.Reads, "read"), p95(a.ReadP99), p95(a.WaitP99))
}

// tellHotKey tells how often a key is asked for that stands out.
func tellHotKey(k ouro.HotKeyInfo, most int) string {
	s := fmt.Sprintf("%s: %.0f requests/s", k.Key, k.Rate)
	if k.Refused > 0 {
		s += fmt.Sprintf(", %.1f of them refused, as it has %d under way; the others are served", k.Refused, most)
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// size tells bytes in the unit that suits; less than nothing is not known.
func size(n int64) string {
	if n < 0 {
		return "unknown"
	}
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
