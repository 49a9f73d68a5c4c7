package console

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http/httptest"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// files returns what the page consists of.
func files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(page, "page", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var text []byte
			text, err = page.ReadFile(name)
			all[strings.TrimPrefix(name, "page/")] = string(text)
		}
		return err
	})
	if err != nil || len(all) < 3 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	return all
}

func ask(target string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest("GET", target, nil)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	if target == "/" {
		Page(rec, req)
	} else {
		Assets(rec, req)
	}
	return rec
}

// TestFilesAreServed: each as it is, under its type, zipped for who can take that,
// and not again for who has it.
func TestFilesAreServed(t *testing.T) {
	types := map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for name, text := range files(t) {
		target := "/console/" + name
		if name == "index.html" {
			target = "/"
		}
		rec := ask(target)
		if rec.Code != 200 || rec.Body.String() != text || rec.Header().Get("Content-Type") != types[path.Ext(name)] {
			t.Errorf("%s: %d, %s", name, rec.Code, rec.Header())
		}
		zipped := ask(target, "Accept-Encoding", "br, gzip")
		r, err := gzip.NewReader(bytes.NewReader(zipped.Body.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(r); err != nil || string(plain) != text {
			t.Errorf("%s zipped is something else: %v", name, err)
		}
		if again := ask(target, "If-None-Match", rec.Header().Get("ETag")); again.Code != 304 || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", name, again.Code)
		}
	}
	for _, target := range []string{"/console/", "/console/none.js", "/console/../console.go", "/console/page/app.js"} {
		if rec := ask(target); rec.Code != 404 {
			t.Errorf("%s: %d", target, rec.Code)
		}
	}
}

// TestPolicy: the browser runs the page's own files and nothing else, asks nobody
// else, and takes no text for markup.
func TestPolicy(t *testing.T) {
	policy := ask("/").Header().Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "img-src 'self';",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	for _, bad := range []string{"unsafe", "*", "http", "data:", "blob:"} {
		if strings.Contains(policy, bad) {
			t.Errorf("the policy has %s: %s", bad, policy)
		}
	}
}

// TestNoRequestElsewhere: no file names another place, but what is no request: the
// names of XML and an address that an operator is shown.
func TestNoRequestElsewhere(t *testing.T) {
	allowed := []string{"http://www.w3.org/2000/svg", "http://${admin}/"}
	for name, text := range files(t) {
		for _, a := range allowed {
			text = strings.ReplaceAll(text, a, "")
		}
		for _, bad := range []string{"http:", "https:", "ws:", "wss:", `"//`, "'//", "(//", "url(", "@import", "eval(", "Function(", "importScripts", "sendBeacon", "WebSocket", "XMLHttpRequest"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}

// TestNoMarkupFromText: what the page shows is made of text nodes; there is no way
// for a key to become markup, a style or a script.
func TestNoMarkupFromText(t *testing.T) {
	for name, text := range files(t) {
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "createContextualFragment", "srcdoc", "javascript:", "<style", " style=", "setHTML"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
		if m := regexp.MustCompile(`\son[a-z]+\s*=\s*["']`).FindString(text); m != "" {
			t.Errorf("%s has a handler in an attribute:%s", name, m)
		}
		if m := regexp.MustCompile(`<script(?:[^>]*)>[^<]`).FindString(text); m != "" {
			t.Errorf("%s has a script of its own: %s", name, m)
		}
	}
}

// TestModules: every file that the page names is there, every file is named, and each
// module is fetched without waiting for the one that imports it.
func TestModules(t *testing.T) {
	all := files(t)
	html := all["index.html"]
	for _, m := range regexp.MustCompile(`(?:src|href)="(console/[^"]+)"`).FindAllStringSubmatch(html, -1) {
		if _, ok := all[strings.TrimPrefix(m[1], "console/")]; !ok {
			t.Errorf("the page names %s, which is not there", m[1])
		}
	}
	for name, text := range all {
		if name != "index.html" && !strings.Contains(html, `"console/`+name+`"`) {
			t.Errorf("the page does not name %s", name)
		}
		if lines := strings.Count(text, "\n"); lines > 300 {
			t.Errorf("%s has %d lines: split", name, lines)
		}
		for _, m := range regexp.MustCompile(`from "\./([^"]+)"`).FindAllStringSubmatch(text, -1) {
			if _, ok := all[m[1]]; !ok {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
}

// TestWeight: the page is small: it opens over a bad line as well.
func TestWeight(t *testing.T) {
	plain, zipped := 0, 0
	for name, a := range assets() {
		plain, zipped = plain+len(a.plain), zipped+len(a.zipped)
		t.Logf("%-12s %6d %6d zipped", name, len(a.plain), len(a.zipped))
	}
	t.Logf("%d bytes, %d zipped", plain, zipped)
	if plain > 80<<10 || zipped > 32<<10 {
		t.Errorf("%d bytes, %d zipped", plain, zipped)
	}
}

// TestLabels: every field of a form has a label, and every picture words.
func TestLabels(t *testing.T) {
	html := files(t)["index.html"]
	for _, m := range regexp.MustCompile(`<(?:input|select|textarea)[^>]*>`).FindAllStringIndex(html, -1) {
		before := html[:m[0]]
		if strings.LastIndex(before, "<label") <= strings.LastIndex(before, "</label>") {
			t.Errorf("%s is in no label", html[m[0]:m[1]])
		}
	}
	for _, m := range regexp.MustCompile(`<img[^>]*>`).FindAllString(html, -1) {
		if !strings.Contains(m, "alt=") {
			t.Errorf("%s has no words", m)
		}
	}
	if !strings.Contains(html, `<html lang="en">`) {
		t.Error("the page does not say its language")
	}
}

// TestContrast: text can be read in both palettes (WCAG 2.2: 4.5 to 1), and what
// surrounds fields and stands for nodes be seen (3 to 1).
func TestContrast(t *testing.T) {
	css := files(t)["style.css"]
	light, dark := palette(css, 0), palette(css, 1)
	if len(light) < 20 || len(dark) < 20 {
		t.Fatalf("%d and %d colours", len(light), len(dark))
	}
	for _, p := range []map[string]string{light, dark} {
		for _, c := range []struct {
			of, on string
			least  float64
		}{
			{"text", "card", 7},
			{"text", "back", 7},
			{"text", "field", 7},
			{"quiet", "card", 4.5},
			{"quiet", "back", 4.5},
			{"main", "card", 4.5},
			{"on-main", "main", 4.5},
			{"good", "card", 4.5},
			{"warn", "card", 4.5},
			{"bad", "card", 4.5},
			{"warn", "warn-back", 4.5},
			{"bad", "bad-back", 4.5},
			{"good", "back", 4.5},
			{"bad", "back", 4.5},
			{"text", "good-back", 7},
			{"text", "warn-back", 7},
			{"text", "bad-back", 7},
			{"edge", "card", 3},
			{"edge", "field", 3},
		} {
			if got := contrast(t, p[c.of], p[c.on]); got < c.least {
				t.Errorf("%s %s on %s %s: %.2f to 1, want %.1f", c.of, p[c.of], c.on, p[c.on], got, c.least)
			}
		}
		for i := range 10 {
			name := fmt.Sprintf("n%d", i)
			if got := contrast(t, p[name], p["card"]); got < 3 {
				t.Errorf("%s %s on %s: %.2f to 1, want 3", name, p[name], p["card"], got)
			}
		}
	}
}

// palette returns the colours of the i-th :root.
func palette(css string, i int) map[string]string {
	parts := strings.Split(css, ":root {")
	if i+1 >= len(parts) {
		return nil
	}
	block, _, _ := strings.Cut(parts[i+1], "}")
	p := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
		p[m[1]] = m[2]
	}
	return p
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
		c := float64(n>>(8*i)&255) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
