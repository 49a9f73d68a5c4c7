package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Importing a file twice stores it once and makes no siblings; a changed record
// replaces the old one; what is exported can be imported elsewhere.
func TestImportAndExport(t *testing.T) {
	c := start(t, "", 3)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var deb, csv, ndjson strings.Builder
	csv.WriteString("sku,name\n")
	for i := range 60 {
		fmt.Fprintf(&deb, "Package: p%d\nDescription: package %d\n it goes on\n\n", i, i)
		fmt.Fprintf(&csv, "%d,\"name, %d\"\n", i, i)
		fmt.Fprintf(&ndjson, "{\"id\":%d,\"tags\":[\"a\"]}\n", i)
	}
	addr := []string{"--addr", c.Nodes[1].Client}
	for _, f := range []struct{ format, path, key, want string }{
		{"deb822", write("deb", deb.String()), "deb822/p7", "Package: p7\nDescription: package 7\n it goes on\n"},
		{"csv", write("csv", csv.String()), "csv/7", `{"sku":"7","name":"name, 7"}`},
		{"ndjson", write("nd", ndjson.String()), "ndjson/7", `{"id":7,"tags":["a"]}`},
	} {
		args := append([]string{"import", f.path, "--bucket", f.format, "--format", f.format}, addr...)
		if f.format == "ndjson" {
			args = append(args, "--key", "id")
		}
		if out := must(t, args...); !strings.Contains(out, "60 stored, 0 there already, 0 failed") {
			t.Errorf("%s: %s", f.format, out)
		}
		if out := must(t, args...); !strings.Contains(out, "0 stored, 60 there already, 0 failed") {
			t.Errorf("%s again: %s", f.format, out)
		}
		for node := 1; node <= 3; node++ {
			c.expect(node, f.key, f.want)
		}
	}
	changed := write("deb", strings.Replace(deb.String(), "package 7\n", "package seven\n", 1))
	if out := must(t, append([]string{"import", changed, "--bucket", "deb822", "--format", "deb822"}, addr...)...); !strings.Contains(out, "1 stored, 59 there already") {
		t.Errorf("a changed record: %s", out)
	}
	c.expect(3, "deb822/p7", "Package: p7\nDescription: package seven\n it goes on\n")

	c.put(1, "deb822/p8", "beside", "--blind")
	exported := filepath.Join(dir, "out")
	must(t, append([]string{"export", "--bucket", "deb822", "--from", changed, "--format", "deb822", "--file", exported}, addr...)...)
	if out := must(t, append([]string{"import", exported, "--bucket", "copy", "--format", "ndjson"}, addr...)...); !strings.Contains(out, "60 stored") {
		t.Errorf("import of an export: %s", out)
	}
	c.expect(2, "copy/p7", "Package: p7\nDescription: package seven\n it goes on\n")
	if copied := c.get(1, "copy/p8"); !strings.Contains(copied, "2 siblings") {
		t.Errorf("siblings were not copied:\n%s", copied)
	}

	r := feed(t, strings.NewReader("p1\np2\nnone\n"), append([]string{"export", "--bucket", "deb822", "--keys", "-"}, addr...)...)
	if r.code != 0 || strings.Count(r.out, "\n") != 2 || !strings.Contains(r.err, "1 keys are not stored") {
		t.Errorf("export of keys: %+v", r)
	}
	r = feed(t, strings.NewReader("{\"id\":1}\nnonsense\n"), append([]string{"import", "--bucket", "b", "--format", "ndjson", "--key", "id"}, addr...)...)
	if r.code != 1 || !strings.Contains(r.out, "1 stored, 0 there already, 1 failed") || !strings.Contains(r.err, "record 2 is not a JSON object") {
		t.Errorf("a bad record: %+v", r)
	}
}

// bench finds its way to a cluster, both ways, and counts the nodes' CPU.
func TestBench(t *testing.T) {
	c := start(t, "", 3)
	for _, via := range []string{"http", "peer"} {
		out := must(t, "bench", "--dir", c.Dir, "--via", via, "--ops", "300", "--keys", "50", "--workers", "4", "--warmup", "0s", "-o", "json")
		for _, want := range []string{`"ops":300`, `"total_us_per_op"`, `"processes":3`, `"errors":{}`} {
			if !strings.Contains(out, want) {
				t.Errorf("via %s: no %s in %s", via, want, out)
			}
		}
	}
	fails(t, 2, "--mix", "bench", "--mix", "2", "--dir", c.Dir)
}
