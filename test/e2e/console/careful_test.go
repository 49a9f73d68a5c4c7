package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// TestHostileKeys: keys and values that would be markup elsewhere are text here, and
// bytes that are no text are shown as such.
func TestHostileKeys(t *testing.T) {
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	hostile := `"><img src=x onerror=alert(1)><svg onload=alert(2)>{{7*7}}`
	b.fill(`#key [name="bucket"]`, "x")
	for _, key := range []string{hostile, "../../etc/passwd", "a//b/../c", "?r=1#x", "100%", "javascript:alert(3)"} {
		b.fill(`#key [name="key"]`, key)
		b.press("#key", "Look it up")
		b.reads("#answer h3", key)
		b.fill(`#write [name="value"]`, hostile+key)
		b.press("#write-buttons", "Write")
		b.reads("#answer", "Written, coordinated by")
		b.reads("#answer .siblings pre", hostile+key)
		b.reads("#replicas", "All replicas hold the same.")
		b.until("the replicas show it", `document.querySelectorAll("#replicas q").length === 3`)
	}
	if n := eval[int](b, `document.querySelectorAll("main img, #answer svg, #replicas svg, #answer script").length`); n != 0 {
		t.Errorf("%d elements came out of a key or a value", n)
	}
	// Bytes that no text has.
	b.run(`document.querySelector('#key details').open = true`)
	b.do(chromedp.Click(chromedp.CSS(`#key [name="percent"]`)))
	b.fill(`#key [name="key"]`, "%00%FF%2e")
	b.press("#key", "Look it up")
	b.reads("#answer h3", "x/00 ff 2e")
	b.fill(`#key [name="key"]`, "%0")
	b.press("#key", "Look it up")
	b.reads("#answer", "two hexadecimal digits")
	b.fill(`#key [name="key"]`, "..")
	b.press("#key", "Look it up")
	b.reads("#answer", "A browser cannot ask for the key ..")
	b.clean(c)
}

// TestContentTypeStays: who changes a value on the page leaves it what it was, unless
// another content type is asked for.
func TestContentTypeStays(t *testing.T) {
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	b.run(`(async () => { await fetch("/kv/docs/one", {method: "PUT", body: "{}", headers: {"Content-Type": "application/json"}}); window.put = true; })()`)
	b.until("it is put", "window.put")
	b.fill(`#key [name="bucket"]`, "docs")
	look := func(key, is string) {
		b.fill(`#key [name="key"]`, key)
		b.press("#key", "Look it up")
		b.reads("#answer h3", "docs/"+key)
		b.reads("#answer", is)
	}
	look("one", "application/json, written")
	b.fill(`#write [name="value"]`, `{"a": 1}`)
	b.press("#write-buttons", "Write in the stead of what is shown")
	b.reads("#answer .siblings pre", `{"a": 1}`)
	b.reads("#answer", "application/json, written")
	look("two", "Nothing is stored")
	b.fill(`#write [name="value"]`, "text")
	b.press("#write-buttons", "Write")
	b.reads("#answer", "text/plain, written")
	b.run(`document.querySelector('#key details').open = true`)
	b.fill(`#key [name="type"]`, "text/markdown")
	b.press("#write-buttons", "Write in the stead of what is shown")
	b.reads("#answer", "text/markdown, written")
	b.clean(c)
}

// TestErrorsAreSaid: what the node refuses is said where it was asked for, and what
// breaks is seen: a paused and a killed node, and the page's own.
func TestErrorsAreSaid(t *testing.T) {
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	b.run(`document.querySelector('#change [name="verb"]').value = "leave"; document.querySelector('#change [name="verb"]').dispatchEvent(new Event("change"))`)
	b.fill(`#change [name="node"]`, "n9")
	b.press("#change", "Show the plan")
	b.reads("#plan .bad", "n9")
	b.pick("n2")
	b.press("#break", "Start")
	b.reads("#break .bad", "n2 runs already")
	b.press("#break", "Slow")
	b.reads("#nodes", "200ms late at n1")
	b.press("#break", "Heal")
	b.until("n2 is healed", `!document.querySelector("#nodes").innerText.includes("late at")`)
	b.press("#break", "Pause")
	b.reads("#nodes", "paused")
	b.press("#break", "Resume")
	b.until("n2 runs again", `!document.querySelector("#nodes").innerText.includes("paused")`)
	b.press("#break", "Kill")
	b.reads("#nodes", "dead")
	b.reads("#health", "no link to n2")
	b.press("#break", "Start")
	b.reads("#health", "all is well")
	b.pick("n1")
	b.press("#break", "Kill")
	b.reads("#notices", "What is shown is old.")
	b.reads("#health", "not heard")
	b.clean(c)
}

// TestKeyboardAndNames: all that can be pressed or filled in has a name for those who
// do not see it, is reached with the tab key in the order in which it stands, and
// works with the keyboard; refreshing takes the focus from nobody.
func TestKeyboardAndNames(t *testing.T) {
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	for _, n := range b.named() {
		if n.name == "" {
			t.Errorf("a %s has no name", n.role)
		}
	}
	b.run(`document.body.focus(); document.activeElement.blur()`)
	var order []string
	for range 60 {
		b.do(chromedp.KeyEvent("\t"))
		at := eval[string](b, `(() => { const e = document.activeElement; if (e === document.body) return ""; return e.dataset.act ? e.dataset.act + " " + (e.dataset.node ?? e.dataset.verb ?? "") : e.name || e.getAttribute("href") || e.innerText; })()`)
		if at == "" {
			break
		}
		order = append(order, strings.TrimSpace(at))
	}
	got := strings.Join(order, ", ")
	for _, want := range []string{"#ring-title, live, pick n1, leave n1, pick n2,", "break heal, spawn, verb, node, addr, zone, weight, Show the plan, bucket, key, Look it up"} {
		if !strings.Contains(got, want) {
			t.Errorf("the tab key goes along %s; it does not go along %s", got, want)
		}
	}
	b.run(`document.querySelector('#nodes [data-node="n2"]').focus()`)
	b.refreshed()
	if at := eval[string](b, `document.activeElement.dataset.node ?? ""`); at != "n2" {
		t.Errorf("after some refreshes the focus is not at n2 but at %q", at)
	}
	// A key is looked up and written without a mouse, over some refreshes.
	b.run(`document.querySelector('#key [name="key"]').select()`)
	b.do(chromedp.KeyEvent("typed"))
	b.refreshed()
	if at := eval[string](b, `document.activeElement.name + "=" + document.activeElement.value`); at != "key=typed" {
		t.Errorf("after some refreshes the focus is at %s", at)
	}
	b.do(chromedp.KeyEvent("\r"))
	b.reads("#answer", "Nothing is stored under this key.")
	b.run(`document.querySelector('#write [name="value"]').focus()`)
	b.do(chromedp.KeyEvent("by keys\t"))
	b.do(chromedp.KeyEvent(" "))
	b.reads("#answer", "Written, coordinated by")
	for _, n := range b.named() {
		if n.name == "" {
			t.Errorf("with a key, a %s has no name", n.role)
		}
	}
	b.clean(c)
}

// refreshed waits until the page has asked the node how it is, twice, and shown it.
func (b *browser) refreshed() {
	b.Helper()
	const asked = `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/admin/v1/status")).length`
	b.until("the page is refreshed", fmt.Sprintf("%s >= %d", asked, eval[int](b, asked)+3))
}

type control struct{ role, name string }

// named returns what the page offers to press, fill in or look at, as assistive
// technology sees it.
func (b *browser) named() []control {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tree, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]*accessibility.Node, error) {
		r, err := cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return r.Nodes, err
	})
	if err != nil {
		b.Fatal(err)
	}
	var all []control
	text := func(v *accessibility.Value) (s string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &s)
		}
		return s
	}
	for _, n := range tree {
		switch role := text(n.Role); role {
		case "button", "checkbox", "textbox", "combobox", "link", "spinbutton", "image", "img", "meter", "table", "region", "heading", "DisclosureTriangle":
			if !n.Ignored {
				all = append(all, control{role, text(n.Name)})
			}
		}
	}
	if len(all) < 30 {
		b.Errorf("only %d things have a role", len(all))
	}
	return all
}
