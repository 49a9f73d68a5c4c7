package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// TestStaleness: nodes predict how stale reads are, and their canaries find it so. The
// ways between all nodes are made long, so that a write at r=w=1 is acknowledged long
// before others have it; where r and w overlap nothing is stale.
func TestStaleness(t *testing.T) {
	c := start(t, "", 3, "--canary", "20ms")
	c.dev("slow", "1", "2", "3", "--by", "30ms")
	var info ouro.Staleness
	look := func(args ...string) ouro.Staleness {
		t.Helper()
		info = ouro.Staleness{}
		out := must(t, append([]string{"staleness", "-o", "json", "--admin", c.Nodes[0].Admin}, args...)...)
		if err := json.Unmarshal([]byte(out), &info); err != nil {
			t.Fatal(err)
		}
		return info
	}
	eventually(t, "the canary of n1 has measured nine pairs, and what it predicts rests on the long ways", func() bool {
		info := look()
		if info.Canary == nil || len(info.Canary.Pairs) < 9 || len(info.Pairs) != 9 || info.Pairs[0].Stale[0] < .8 {
			return false
		}
		for i := range info.Canary.Pairs {
			if reads, _ := info.Canary.Pairs[i].Total(); reads < 12 {
				return false
			}
		}
		return true
	})
	for i := range info.Canary.Pairs {
		p := &info.Canary.Pairs[i]
		if reads, stale := p.Total(); p.R+p.W > 3 && stale > 0 {
			t.Errorf("r=%d w=%d: %d of %d are stale", p.R, p.W, stale, reads)
		}
	}
	for _, p := range info.Pairs {
		if p.R+p.W > 3 && (p.Stale[0] > 0 || p.Visible999 > 0) {
			t.Errorf("r=%d w=%d: %+v are predicted", p.R, p.W, p)
		}
	}
	// What came before the ways were long is counted too, and is not stale.
	one := info.Canary.Pairs[0]
	soon, stale := one.Reads[0]+one.Reads[1]+one.Reads[2], one.Stale[0]+one.Stale[1]+one.Stale[2]
	if one.R != 1 || one.W != 1 || 2*stale < soon || info.Pairs[0].Stale[4] > .1 || info.Pairs[0].Visible99 < .01 {
		t.Errorf("of r=w=1 it has measured %+v, and predicts %+v", one, info.Pairs[0])
	}
	if two := look("--n", "2"); two.N != 2 || len(two.Pairs) != 4 {
		t.Errorf("of two replicas it tells %+v", two)
	}
	fails(t, 1, "a key has 1 to 3 replicas here", "staleness", "--n", "4", "--admin", c.Nodes[0].Admin)
	out := must(t, "staleness", "--admin", c.Nodes[0].Admin)
	for _, want := range []string{"n1 predicts for n=3", "99 % SEE IT AFTER", "its canary, every 20ms", "STOOD IN"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	t.Log("\n" + out)
	metrics := scrape(t, c.Nodes[0].Admin)
	for _, want := range []string{
		`ouro_canary_reads_total\{overlap="no",r="1",w="1"\} [1-9]`, `ouro_canary_stale_reads_total\{overlap="no",r="1",w="1"\} [1-9]`,
		`ouro_canary_stale_reads_total\{overlap="yes",r="2",w="2"\} 0\n`, `ouro_stale_reads_predicted\{r="2",w="2"\} 0\n`,
		`ouro_visible_after_seconds\{r="1",share="0.99",w="1"\} 0\.0[1-9]`, `ouro_requests_total\{outcome="done",verb="canary"\} [1-9]`,
		`ouro_requests_total\{outcome="done",verb="get"\} 0\n`,
	} {
		if !regexp.MustCompile(want).MatchString(metrics) {
			t.Errorf("no metric %s", want)
		}
	}
}

func scrape(t *testing.T, admin string) string {
	t.Helper()
	res, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
