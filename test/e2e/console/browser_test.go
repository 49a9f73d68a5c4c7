package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long something may take that is waited for.
const patience = 60 * time.Second

// cluster is a dev cluster that runs while a test does.
type cluster struct {
	dir   string
	Nodes []struct{ ID, Admin, Client string }
}

func startCluster(t *testing.T, nodes int) *cluster {
	t.Helper()
	binary := os.Getenv("OURO_BINARY")
	if binary == "" {
		t.Fatal("OURO_BINARY names no binary: use ./run")
	}
	c := &cluster{dir: t.TempDir()}
	cmd := exec.Command(binary, "dev", "--nodes", fmt.Sprint(nodes), "--base-port", "0", "--dir", c.dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(c.dir, "dev.json"))
		if err != nil || json.Unmarshal(text, c) != nil || len(c.Nodes) != nodes {
			continue
		}
		if _, err := os.Stat(filepath.Join(c.dir, "dev.sock")); err == nil && ready(c) {
			return c
		}
	}
	t.Fatal("the cluster did not start")
	return nil
}

// ready says whether every node can serve.
func ready(c *cluster) bool {
	for _, n := range c.Nodes {
		if n.Admin == "" || exec.Command("curl", "-fsS", "-o", os.DevNull, "http://"+n.Admin+"/readyz").Run() != nil {
			return false
		}
	}
	return true
}

// browser is a tab, with what it said and asked for.
type browser struct {
	*testing.T
	ctx context.Context

	mu    sync.Mutex
	bad   []string // errors in the console, refused by the policy, or dialogs
	asked []string // addresses
}

func open(t *testing.T, options ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path := os.Getenv("OURO_CHROMIUM")
	if path == "" {
		t.Fatal("OURO_CHROMIUM names no browser: use ./run")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(opts, options...)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &browser{T: t, ctx: ctx}
	hear(b, network.RequestWillBeSent, func(e *network.EventRequestWillBeSent) { b.asked = append(b.asked, e.Request.URL) })
	hear(b, runtime.ExceptionThrown, func(e *runtime.EventExceptionThrown) {
		what := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			what += " " + e.ExceptionDetails.Exception.Description
		}
		b.bad = append(b.bad, "exception: "+what)
	})
	hear(b, page.JavascriptDialogOpening, func(e *page.EventJavascriptDialogOpening) { b.bad = append(b.bad, "dialog: "+e.Message) })
	hear(b, log.EntryAdded, func(e *log.EventEntryAdded) {
		// A refusal of the node, or one that is down, is told in the page.
		if e.Entry.Source != "network" && (e.Entry.Level == "error" || e.Entry.Source == "security") {
			b.bad = append(b.bad, fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
		}
	})
	b.do(enable(network.Enable), enable(runtime.Enable), enable(page.Enable), enable(log.Enable))
	return b
}

// hear has note take every event of a kind from now on.
func hear[E any](b *browser, kind cdp.Event[E], note func(*E)) {
	events := chromedp.Events(b.ctx, kind)
	go func() {
		for e, err := range events {
			if err != nil {
				return // the test is over
			}
			b.mu.Lock()
			note(&e)
			b.mu.Unlock()
		}
	}()
}

// enable has the browser tell of a part of it.
func enable[P any](c cdp.Command[P, cdp.Empty]) chromedp.Action[chromedp.Void] {
	return send(c, *new(P))
}

// send sends the browser a command.
func send[P any](c cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatalf("%v\n%s", err, b.text("body"))
	}
}

// text returns what can be read in an element.
func (b *browser) text(selector string) string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	s, _ := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
	return s
}

// eval returns what an expression comes to.
func eval[T any](b *browser, expression string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v\n%s", expression, err, b.text("body"))
	}
	return v
}

// run carries out a statement.
func (b *browser) run(statement string) {
	b.Helper()
	eval[bool](b, "{"+statement+"}; true")
}

// until waits until an expression is true.
func (b *browser) until(what, expression string) {
	b.Helper()
	deadline := time.Now().Add(patience)
	for !eval[bool](b, "!!("+expression+")") {
		if time.Now().After(deadline) {
			b.Fatalf("never: %s\n%s", what, b.text("body"))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// reads waits until an element says something.
func (b *browser) reads(selector, text string) {
	b.Helper()
	b.until(fmt.Sprintf("%s reads %q", selector, text), fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
}

func (b *browser) goTo(address string) {
	b.Helper()
	b.do(chromedp.Navigate("http://" + address + "/"))
	b.until("the page shows the node", `document.querySelector("#ring svg") && document.querySelector("#nodes tbody tr")`)
}

// press presses the button with a text within an element, once it can be.
func (b *browser) press(within, text string) {
	b.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll(%q + " button")].find((e) => e.innerText.trim() === %q && !e.disabled)`, within, text)
	b.until(fmt.Sprintf("a button %q in %s", text, within), find)
	b.run(find + ".click()")
}

// fill writes into a field as a person does.
func (b *browser) fill(selector, text string) {
	b.Helper()
	b.run(fmt.Sprintf(`document.querySelector(%q).value = ""`, selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// pick selects exactly these nodes.
func (b *browser) pick(ids ...string) {
	b.Helper()
	want := "," + strings.Join(ids, ",") + ","
	b.run(fmt.Sprintf(`document.querySelectorAll('[data-act="pick"]').forEach((e) => { if (e.checked !== %q.includes("," + e.dataset.node + ",")) e.click(); })`, want))
}

// clean fails the test where the page did what it must not: an error, a dialog, what
// its policy forbids, or a request to anybody but nodes.
func (b *browser) clean(c *cluster) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.bad {
		b.Errorf("the page: %s", what)
	}
	for _, a := range b.asked {
		u, err := url.Parse(a)
		if err != nil || u.Hostname() != "127.0.0.1" {
			b.Errorf("the page asked %s", a)
		}
	}
	if len(b.asked) == 0 {
		b.Error("the page asked for nothing, or was not watched")
	}
}
