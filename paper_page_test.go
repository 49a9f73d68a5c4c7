package ouro_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/paper"
)

// paperItems are the items of the paper that docs/paper.md has to show, by section:
// how many there are. Items in letters are parts of one.
var paperItems = []struct {
	section string
	items   int
	letters string // of the items in letters, "1ae" is 1a to 1e
}{
	{"1", 8, ""},
	{"2.0", 2, ""},
	{"2.1", 5, ""},
	{"2.2", 6, ""},
	{"2.3", 7, ""},
	{"3", 4, ""},
	{"4.1", 5, ""},
	{"4.2", 4, ""},
	{"4.3", 5, ""},
	{"4.4", 11, ""},
	{"4.5", 7, ""},
	{"4.6", 6, ""},
	{"4.7", 5, ""},
	{"4.8", 3, "1ae 2ab 3ac"},
	{"4.9", 5, ""},
	{"5", 9, ""},
	{"6.0", 6, ""},
	{"6.1", 3, ""},
	{"6.2", 7, ""},
	{"6.3", 2, ""},
	{"6.4", 4, ""},
	{"6.5", 2, ""},
	{"6.6", 5, ""},
	{"7", 9, ""},
	{"8", 16, ""}, // the rulings
	{"9", 13, ""}, // what later experience found open
}

func allItems() []string {
	all := []string{"4.0"}
	for _, s := range paperItems {
		if s.letters != "" {
			for _, l := range strings.Fields(s.letters) {
				for c := l[1]; c <= l[2]; c++ {
					all = append(all, fmt.Sprintf("%s.%c%c", s.section, l[0], c))
				}
			}
			continue
		}
		for i := 1; i <= s.items; i++ {
			all = append(all, fmt.Sprintf("%s.%d", s.section, i))
		}
	}
	return all
}

var (
	isItem       = regexp.MustCompile(`^\d+(\.\d+)+[a-e]?$`)
	namedTest    = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	namedFolder  = regexp.MustCompile("`((?:internal|cmd|test|client|examples)(?:/[a-z0-9/]+)?)`")
	namedPage    = regexp.MustCompile(`\]\(([a-z0-9/.-]+\.md)`)
	namedExp     = regexp.MustCompile("`ouro paper --only ([a-z0-9,]+)`")
	namedCommand = regexp.MustCompile("`ouro [a-z]")
)

// pageFaults says what is wrong with the page that lists the paper's items: an item
// that is missing, one that is said to work and has nothing that shows it, and
// tests, folders, pages and experiments that do not exist.
func pageFaults(page string, tests map[string][]string, exists func(string) bool) (faults []string) {
	seen := map[string]bool{}
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) < 4 {
			continue
		}
		shown := namedCommand.MatchString(line)
		for _, m := range namedTest.FindAllStringSubmatch(line, -1) {
			if shown = true; tests[m[1]] == nil {
				faults = append(faults, "there is no test "+m[1])
			}
		}
		works := strings.HasPrefix(cells[2], "yes") || strings.HasPrefix(cells[2], "solved")
		for _, item := range strings.Split(strings.TrimPrefix(cells[0], "| "), ", ") {
			if !isItem.MatchString(item) {
				continue
			}
			seen[item] = true
			if works && !shown {
				faults = append(faults, "nothing shows that "+item+" works")
			}
		}
	}
	for _, item := range allItems() {
		if !seen[item] {
			faults = append(faults, item+" is not on the page")
		}
	}
	for _, m := range namedFolder.FindAllStringSubmatch(page, -1) {
		if !exists(m[1]) {
			faults = append(faults, "there is no folder "+m[1])
		}
	}
	for _, m := range namedPage.FindAllStringSubmatch(page, -1) {
		if !exists("docs/" + m[1]) {
			faults = append(faults, "there is no page "+m[1])
		}
	}
	for _, m := range namedExp.FindAllStringSubmatch(page, -1) {
		for _, name := range strings.Split(m[1], ",") {
			if !slices.ContainsFunc(paper.Experiments(), func(e paper.Experiment) bool { return e.Name == name }) {
				faults = append(faults, "there is no experiment "+name)
			}
		}
	}
	return faults
}

// testsBelow returns the names of all tests of the module, and the folders of each.
func testsBelow(t *testing.T, root string) map[string][]string {
	t.Helper()
	tests := map[string][]string{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = append(tests[string(m[1])], filepath.ToSlash(filepath.Dir(name)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// TestPaperPage: docs/paper.md has every item of the paper, and what it says shows
// them is there.
func TestPaperPage(t *testing.T) {
	page, err := os.ReadFile("docs/paper.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsBelow(t, ".")
	exists := func(name string) bool { _, err := os.Stat(name); return err == nil }
	for _, f := range pageFaults(string(page), tests, exists) {
		t.Error(f)
	}

	// Every kind of fault is found.
	for _, spoilt := range []struct{ old, with, want string }{
		{"| 4.4.9 |", "| 4.4 |", "4.4.9 is not on the page"},
		{"| 8.13 |", "| 8.133 |", "8.13 is not on the page"},
		{"| 4.8.2b |", "| 4.8.2x |", "4.8.2b is not on the page"},
		{"`TestPaper_4_4_9_Figure3` |\n", "`TestPaper_4_4_9_Figure33` |\n", "there is no test TestPaper_4_4_9_Figure33"},
		{"`TestPaper_4_9_4` |", "a promise |", "nothing shows that 4.9.4 works"},
		{"`internal/core/typed`", "`internal/core/typing`", "there is no folder internal/core/typing"},
		{"--only figure8`", "--only figure88`", "there is no experiment figure88"},
		{"(concepts.md)", "(concept.md)", "there is no page concept.md"},
	} {
		text := strings.Replace(string(page), spoilt.old, spoilt.with, 1)
		if !slices.Contains(pageFaults(text, tests, exists), spoilt.want) {
			t.Errorf("with %q for %q nothing says %q", spoilt.with, spoilt.old, spoilt.want)
		}
	}
}

// Whatever test any page names exists.
func TestPagesNameTestsThatExist(t *testing.T) {
	tests, named := testsBelow(t, "."), 0
	err := filepath.WalkDir("docs", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		page, err := os.ReadFile(path)
		for _, m := range namedTest.FindAllStringSubmatch(string(page), -1) {
			if named++; tests[m[1]] == nil {
				t.Errorf("%s names %s, and there is no such test", path, m[1])
			}
		}
		return err
	})
	if err != nil || named < 200 {
		t.Errorf("%d tests are named: %v", named, err)
	}
}

var (
	linesHead  = regexp.MustCompile(`(?m)^## .*, line by line$`)
	ofPackages = regexp.MustCompile("^((?:`[a-z0-9/]+`(?:, | and )?)+): ")
	inTicks    = regexp.MustCompile("`([a-z0-9/]+)`")
)

// misplaced returns what of the last cell of a row, such as "`ring`: `TestA`; `TestB`; e2e
// `TestC`", is in none of the folders that it says: those of the package that is named
// before it, test/e2e after the word, or else the simulator or the root.
func misplaced(cell string, tests map[string][]string) (wrong []string) {
	for _, part := range strings.Split(cell, "; ") {
		folders := []string{"internal/sim", "."}
		if m := ofPackages.FindStringSubmatch(part); m != nil {
			folders = nil
			for _, p := range inTicks.FindAllStringSubmatch(m[1], -1) {
				folders = append(folders, p[1])
			}
		}
		before, after, _ := strings.Cut(part, "e2e ")
		for i, piece := range []string{before, after} {
			if i == 1 {
				folders = []string{"test/e2e", "test/e2e/console"}
			}
			for _, m := range namedTest.FindAllStringSubmatch(piece, -1) {
				if !slices.ContainsFunc(tests[m[1]], func(dir string) bool {
					return slices.ContainsFunc(folders, func(f string) bool { return dir == f || strings.HasSuffix(dir, "/"+f) })
				}) {
					wrong = append(wrong, m[1])
				}
			}
		}
	}
	return wrong
}

// The tables that go through what was asked line by line say for each line a test or a
// command, and each test is in the package that they say.
func TestLineByLine(t *testing.T) {
	page, err := os.ReadFile("docs/correctness.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, tables, rows := testsBelow(t, "."), linesHead.FindAllIndex(page, -1), 0
	for _, at := range tables {
		text, _, _ := strings.Cut(string(page[at[1]:]), "\n## ")
		_, text, _ = strings.Cut(text, "| asked | shown by |\n|---|---|\n")
		text, _, _ = strings.Cut(text, "\n\n")
		for _, row := range strings.Split(strings.TrimSpace(text), "\n") {
			rows++
			asked, shown, ok := strings.Cut(strings.Trim(row, "| "), " | ")
			if !ok || !namedTest.MatchString(shown) && !strings.Contains(shown, "`ouro ") && !strings.Contains(shown, "](") {
				t.Errorf("nothing shows %q", asked)
			}
			for _, name := range misplaced(shown, tests) {
				t.Errorf("%s is not where %q says", name, asked)
			}
		}
	}
	if len(tables) != 4 || rows < 100 {
		t.Errorf("%d tables with %d rows", len(tables), rows)
	}
	for cell, want := range map[string]int{
		"`ring`: `TestSpread`; `TestScale`; e2e `TestSoak`": 0, "`gossip`: `TestSpread`": 1, "`TestSpread`": 1, "e2e `TestScale`": 1, "`ring`, `gossip`: `TestScale`": 0,
	} {
		if got := misplaced(cell, tests); len(got) != want {
			t.Errorf("%s: %v", cell, got)
		}
	}
}

var (
	pageLink = regexp.MustCompile(`\]\(([^)\s#]*)(?:#([^)\s]+))?\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchor   = regexp.MustCompile(`<a id="([^"]+)">`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// slugs returns the names by which a page's headings, and other places, are linked.
func slugs(t *testing.T, name string) (all []string) {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range heading.FindAllStringSubmatch(string(page), -1) {
		all = append(all, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	for _, m := range anchor.FindAllStringSubmatch(string(page), -1) {
		all = append(all, m[1])
	}
	return all
}

// Whatever a page links to within the tree is there, down to the heading.
func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	err := filepath.WalkDir(".", func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".md" {
			return err
		}
		page, err := os.ReadFile(name)
		for _, m := range pageLink.FindAllStringSubmatch(string(page), -1) {
			to := name
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if links++; m[1] != "" {
				to = filepath.Join(filepath.Dir(name), m[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if m[2] != "" && filepath.Ext(to) == ".md" && !slices.Contains(slugs(t, to), m[2]) {
				t.Errorf("%s links to %s in %s, and there is no such place", name, m[2], to)
			}
		}
		return err
	})
	if err != nil || links < 100 {
		t.Errorf("%d links: %v", links, err)
	}
}
