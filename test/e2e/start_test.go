package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The pages of docs/start are what a reader does in their first ten minutes: files
// to write, and commands with what they print. Each page is done from top to bottom
// in one shell against a cluster of its own, and has to print what it shows, where
// … stands for anything.
func TestStartPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/start/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%d pages were found, %v", len(pages), err)
	}
	for _, name := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".md"), func(t *testing.T) {
			p := readPage(t, name)
			for _, program := range p.needs {
				if _, err := exec.LookPath(program); err != nil {
					t.Skipf("SKIPPED, so %s is not checked: %s is not on this machine", name, program)
				}
			}
			p.follow(t, start(t, "", 3))
		})
	}
}

// page is what a document tells to do.
type page struct {
	files  map[string]string
	steps  []step
	needs  []string
	starts bool // it tells to start a cluster
}

// step is a command and what it prints.
type step struct{ command, prints string }

var (
	fence    = regexp.MustCompile("(?ms)^```(\\w+)\\n(.*?)^```$")
	fileName = regexp.MustCompile(`^(?:#|//) ([\w./]+)\n`)
	tool     = regexp.MustCompile(`\b(redis-cli|curl|python3|node|go) `)
)

func readPage(t *testing.T, name string) *page {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{files: map[string]string{}}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		lang, body := m[1], m[2]
		switch file := fileName.FindStringSubmatch(body); {
		case lang == "console":
			p.steps = append(p.steps, steps(t, body)...)
		case lang == "sh" && strings.Contains(body, "./ouro dev"):
			p.starts = true // the test has done so
		case file != nil:
			p.files[file[1]] = body
		default:
			t.Fatalf("%s: a block of %s is neither a file, whose first line names it, nor a console:\n%s", name, lang, body)
		}
	}
	for _, s := range p.steps {
		for _, m := range tool.FindAllStringSubmatch(s.command, -1) {
			p.needs = append(p.needs, m[1])
		}
	}
	if !p.starts || len(p.steps) < 3 {
		t.Fatalf("%s has %d commands, and tells to start a cluster: %t", name, len(p.steps), p.starts)
	}
	return p
}

// steps reads a console: "$ " begins a command, "> " goes on with it.
func steps(t *testing.T, body string) (all []step) {
	for line := range strings.Lines(body) {
		command, begins := strings.CutPrefix(line, "$ ")
		more, goesOn := strings.CutPrefix(line, "> ")
		switch {
		case begins:
			all = append(all, step{command: command})
		case len(all) == 0:
			t.Fatalf("a console begins with what nobody typed: %s", line)
		case goesOn && all[len(all)-1].prints == "":
			all[len(all)-1].command += more
		default:
			all[len(all)-1].prints += line
		}
	}
	return all
}

// follow does what the page says.
func (p *page) follow(t *testing.T, c *cluster) {
	dir := t.TempDir()
	for name, text := range p.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.here(t, text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(binary, filepath.Join(dir, "ouro")); err != nil {
		t.Fatal(err)
	}
	const mark = "@@ end of step"
	// On a terminal redis-cli writes so, and curl no progress.
	script := "redis-cli() { command redis-cli --no-raw \"$@\"; }\ncurl() { command curl -sS \"$@\"; }\nexec 2>&1\n"
	for i, s := range p.steps {
		script += fmt.Sprintf("%s\necho; echo \"%s %d: $?\"\n", strings.TrimRight(c.here(t, s.command), "\n"), mark, i)
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(clean(os.Environ()), "OURO_ADDR="+c.Nodes[0].Client, "OURO_ADMIN="+c.Nodes[0].Admin, "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for i, s := range p.steps {
		printed, after, ok := strings.Cut(rest, fmt.Sprintf("%s %d: ", mark, i))
		if !ok {
			t.Fatalf("%s did not come to its end:\n%s", s.command, rest)
		}
		code, after, _ := strings.Cut(after, "\n")
		if rest = after; code != "0" || !matches(c.here(t, s.prints), printed) {
			t.Errorf("$ %sexit code %s\n%s\nthe page shows\n%s", s.command, code, printed, s.prints)
		}
	}
}

// matches compares what was printed with what a page shows.
func matches(shown, printed string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(shown)), "…", ".*?")
	return regexp.MustCompile("(?s)^" + pattern + "$").MatchString(strings.TrimSpace(printed))
}

var port = regexp.MustCompile(`\b70([789])([01289])\b`)

// here puts the ports and folders of this test in the place of those that a page
// has.
func (c *cluster) here(t *testing.T, text string) string {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "../ouro", root)
	return port.ReplaceAllStringFunc(text, func(p string) string {
		n := c.Nodes[p[2]-'7']
		addr := map[byte]string{'0': n.Client, '1': n.Peer, '2': n.Admin, '8': n.GRPC, '9': n.RESP}[p[3]]
		return addr[strings.LastIndexByte(addr, ':')+1:]
	})
}
