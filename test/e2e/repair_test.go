package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReplicasAgreeWithoutReads: a node is down while things are written, and
// nobody keeps anything for it, since there is no other node to. When it is back
// it gets all of it though nobody reads (section 4.7).
func TestReplicasAgreeWithoutReads(t *testing.T) {
	t.Parallel()
	c := start(t, "", 3)
	const keys = 20
	for k := range keys / 2 {
		c.put(1, fmt.Sprintf("b/k%d", k), "before", "--blind", "--w", "3")
	}
	c.dev("kill", "3")
	for k := range keys {
		c.put(1+k%2, fmt.Sprintf("b/k%d", k), "meanwhile", "--blind")
	}
	c.dev("start", "3")
	c.equalReplicas("b", keys)
	repaired := 0
	for i, n := range c.Nodes {
		_, metrics := fetch(t, n.Admin, "/metrics")
		if reads := regexp.MustCompile(`(?m)^ouro_read_repairs_total (\d+)$`).FindStringSubmatch(metrics); reads == nil || reads[1] != "0" {
			t.Errorf("n%d repaired something for a read: %v", i+1, reads)
		}
		if got := regexp.MustCompile(`(?m)^ouro_compared_repairs_total ([1-9]\d*)$`).FindStringSubmatch(metrics); got != nil {
			repaired++
		}
		for _, line := range []string{`n\d holds partitions with 2 other nodes`, `n\d +1024 +`} {
			if out := must(t, "repair", "--admin", n.Admin); !regexp.MustCompile(line).MatchString(out) {
				t.Errorf("ouro repair does not say %q:\n%s", line, out)
			}
		}
	}
	if repaired == 0 {
		t.Error("no comparison brought anything up to date, and all is equal")
	}
}

// TestRepairVerbs: `ouro repair` pauses, resumes and runs comparisons, and tells of every
// pair of a partition and a node when they last agreed and why they do not; one number
// says how long ago all of them had.
func TestRepairVerbs(t *testing.T) {
	t.Parallel()
	c := serveThree(t, "--q", "16")
	admin, client, also := c.at[0].admin, c.at[0].client, c.at[1].client+","+c.at[2].client
	for i := range 5 {
		must(t, "put", fmt.Sprint("b/k", i), "v", "--w", "3", "--addr", client)
	}
	must(t, "repair", "pause", "--for", "30m", "--also", also, "--addr", client)
	for _, n := range c.at {
		if out := must(t, "repair", "status", "--admin", n.admin); !strings.Contains(out, "it is PAUSED until") || !strings.Contains(scrape(t, n.admin), "\nouro_repair_paused 1\n") {
			t.Errorf("it is not paused:\n%s", out)
		}
	}
	fails(t, 1, "resume", "repair", "run", "--admin", admin)
	must(t, "repair", "resume", "--also", also, "--addr", client)
	if out := must(t, "repair", "run", "--admin", admin); !strings.Contains(out, "32 pairs to be compared at once") {
		t.Error(out)
	}
	eventually(t, "every pair has agreed", func() bool {
		return strings.Contains(must(t, "repair", "status", "--admin", admin), "every pair had last agreed")
	})
	pair := regexp.MustCompile(`(?m)^\d+ +n[23] +\S+ .*0 +-\s*$`)
	if out := must(t, "repair", "pairs", "--admin", admin); len(pair.FindAllString(out, -1)) != 32 {
		t.Errorf("not 32 pairs agreed and have no error:\n%s", out)
	}

	// One that does not answer is named, with why, and the one number grows.
	if err := c.at[2].cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer c.at[2].cmd.Process.Signal(unix.SIGCONT)
	since := regexp.MustCompile(`(?m)^ouro_since_agreed_seconds (\S+)$`)
	agreed := func() (s float64) {
		if found := since.FindStringSubmatch(scrape(t, admin)); found != nil {
			s, _ = strconv.ParseFloat(found[1], 64)
		}
		return s
	}
	before := agreed()
	must(t, "repair", "run", "--with", "n3", "--partition", "7", "--admin", admin)
	broken := regexp.MustCompile(`(?m)^7 +n3 +\S+ .*(no answer|its link fell|no link)`) // which falls after some seconds
	eventually(t, "partition 7 is told not to agree with n3, and why", func() bool {
		return broken.MatchString(must(t, "repair", "pairs", "--admin", admin))
	})
	eventually(t, "the time since all agreed grows", func() bool { return agreed() > before+1 })
}
