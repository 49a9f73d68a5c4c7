package telemetry

import (
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ourodb/ouro"
)

// rule is an alarm as deploy/prometheus/ouro.rules.yml has it.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alarms(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/ouro.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatalf("%+v, %v", file, err)
	}
	return file.Groups[0].Rules
}

// TestAlarmsNameMetricsThatExist: a rule over a metric that nobody has never fires.
func TestAlarmsNameMetricsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/metrics.md") // held to the code by TestDocumented
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^\\| `(ouro_[a-z_]+)`").FindAllSubmatch(text, -1) {
		there[string(match[1])] = true
	}
	for _, r := range alarms(t) {
		names := regexp.MustCompile(`\bouro_[a-z_]+`).FindAllString(r.Expr, -1)
		if len(names) == 0 && !strings.HasPrefix(r.Expr, `up{job="ouro"}`) {
			t.Errorf("%s is about no metric: %s", r.Alert, r.Expr)
		}
		for _, n := range names {
			base := n
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !there[n] && !there[base] {
				t.Errorf("%s asks for %s, which no node has", r.Alert, n)
			}
		}
	}
}

// TestAlarmsAreExplained: each says how bad it is, has a paragraph that says what to
// do, and a case in which it fires and one in which it does not.
func TestAlarmsAreExplained(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	doc, tests := read("docs/operate/alarms.md"), read("deploy/prometheus/ouro.rules_test.yml")
	seen := map[string]bool{}
	for _, r := range alarms(t) {
		if seen[r.Alert] {
			t.Errorf("there are two %s", r.Alert)
		}
		seen[r.Alert] = true
		switch r.Labels["severity"] {
		case "critical", "warning", "info":
		default:
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["runbook"] != "docs/operate/alarms.md#"+strings.ToLower(r.Alert) {
			t.Errorf("%s: annotations %v", r.Alert, r.Annotations)
		}
		_, paragraph, ok := strings.Cut(doc, "\n## "+r.Alert+"\n")
		paragraph, _, _ = strings.Cut(paragraph, "\n## ")
		if !ok || !strings.Contains(paragraph, "**To do:**") {
			t.Errorf("alarms.md does not say what to do about %s", r.Alert)
		}
		after := r.For
		if after == "" {
			after = "at once"
		}
		row := "| [" + r.Alert + "](#" + strings.ToLower(r.Alert) + ") | " + r.Labels["severity"] + " | " + after + " |"
		if !strings.Contains(doc, row) {
			t.Errorf("alarms.md has no row %s", row)
		}
		for _, c := range []string{"fires", "is quiet"} {
			if !strings.Contains(tests, "- name: "+r.Alert+" "+c+"\n") {
				t.Errorf("no case in which %s %s", r.Alert, c)
			}
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^## (Ouro\w+)$`).FindAllStringSubmatch(doc, -1) {
		if !seen[match[1]] {
			t.Errorf("alarms.md tells of %s, which is no alarm", match[1])
		}
	}
}

var (
	selected = regexp.MustCompile(`\b(ouro_[a-z_]+)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`([a-z_]+)=~?"([^"]*)"`)
)

// TestAlarmsAskForLabelsThatExist: a rule over a label that no series has never fires
// either, and the rules' own tests, which make up their series, do not notice. Where
// bounds of buckets are asked for, which may be written in several ways, one is there.
func TestAlarmsAskForLabelsThatExist(t *testing.T) {
	m, reg, _ := newTest(slog.LevelInfo)
	m.WatchStaleness(func() ([]ouro.StalePair, *ouro.CanaryInfo) {
		return nil, &ouro.CanaryInfo{N: 3, Pairs: []ouro.CanaryPair{{R: 2, W: 2, Reads: []uint64{5}, Stale: []uint64{0}}}}
	})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range families {
		for _, row := range f.GetMetric() {
			for _, l := range row.GetLabel() {
				there[f.GetName()+" "+l.GetName()+"="+l.GetValue()] = true
			}
			for _, b := range row.GetHistogram().GetBucket() {
				there[f.GetName()+" le="+strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64)] = true
			}
		}
	}
	asked := 0
	for _, r := range alarms(t) {
		for _, sel := range selected.FindAllStringSubmatch(r.Expr, -1) {
			name := strings.TrimSuffix(sel[1], "_bucket")
			for _, label := range matcher.FindAllStringSubmatch(sel[2], -1) {
				values, found := strings.Split(label[2], "|"), 0
				for _, v := range values {
					if asked++; there[name+" "+label[1]+"="+v] {
						found++
					} else if label[1] != "le" {
						t.Errorf("%s asks for %s with %s=%q, which none has", r.Alert, name, label[1], v)
					}
				}
				if found == 0 {
					t.Errorf("%s asks for %s with %s, and no series has that", r.Alert, name, label[0])
				}
			}
		}
	}
	if asked < 9 {
		t.Errorf("the rules ask for %d labels", asked)
	}
}
