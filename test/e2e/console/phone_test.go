package console

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// looks has the browser prefer a palette, on a screen of so many pixels.
func (b *browser) looks(scheme string, width int64) {
	b.Helper()
	b.do(
		send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
		chromedp.EmulateViewport(width, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile),
	)
}

// fits fails where the page, or something that can be pressed or filled in, is wider than
// the screen, and where something is too small for a finger or to be read.
func (b *browser) fits(when string) {
	b.Helper()
	for _, what := range eval[[]string](b, `(() => {
		const wrong = [], width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth > width) wrong.push("the page is " + document.documentElement.scrollWidth + " pixels wide");
		for (const e of document.querySelectorAll("button, input, select, textarea, main a, summary, td, th, pre, p, h2, h3, legend, svg")) {
			const r = e.getBoundingClientRect(), name = e.tagName + " " + (e.dataset.act ?? e.name ?? "") + " " + e.innerText?.slice(0, 40), hidden = e.closest(".unseen, thead");
			if (!r.width || !r.height || hidden) continue;
			if (r.left < -1 || r.right > width + 1) wrong.push(name + " is from " + r.left + " to " + r.right);
			if (e.matches("button, select, input:not([type=checkbox])") && r.height < 36) wrong.push(name + " is " + r.height + " high");
			if (parseFloat(getComputedStyle(e).fontSize) < 11 && !e.closest("svg")) wrong.push(name + " is written in " + getComputedStyle(e).fontSize);
		}
		return wrong; })()`) {
		b.Errorf("%s: %s", when, what)
	}
}

// TestOnAPhone: on a narrow screen nothing is cut off or too small, in the light and in
// the dark, with a plan, an answer and a node that is dead on the page; a node leaves by
// it.
func TestOnAPhone(t *testing.T) {
	c := startCluster(t, 4)
	b := open(t)
	b.looks("light", 360)
	b.goTo(c.Nodes[0].Admin)
	b.fits("at first")
	back := map[string]string{}
	for _, scheme := range []string{"dark", "light"} {
		b.looks(scheme, 360)
		back[scheme] = eval[string](b, `getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.body).color`)
	}
	if back["dark"] != "rgb(14, 17, 21) rgb(231, 234, 238)" || back["light"] != "rgb(244, 245, 247) rgb(22, 25, 29)" {
		t.Errorf("the page is %q for who prefers dark, %q for who prefers light", back["dark"], back["light"])
	}

	// A key with a long value and two siblings.
	b.fill(`#key [name="bucket"]`, "carts")
	b.fill(`#key [name="key"]`, "a-key-that-is-longer-than-a-narrow-screen-is-wide-and-has-no-place-to-be-broken")
	for i, button := range []string{"Write", "Write beside it"} {
		b.press("#key", "Look it up")
		b.until("it is looked up", `document.querySelector("#replicas h3") && !document.querySelector("#answer").innerText.includes("Looking")`)
		b.fill(`#write [name="value"]`, fmt.Sprintf("%d and-a-value-of-one-long-word-that-goes-on-and-on-and-on-and-on-and-on", i))
		if i == 1 {
			button = eval[string](b, `[...document.querySelectorAll("#write-buttons button")].find((e) => e.innerText.startsWith("Write beside")).innerText`)
		}
		b.press("#write-buttons", button)
		b.reads("#answer", "Written, coordinated by")
	}
	b.press("#key", "Look it up")
	b.reads("#answer", "2 siblings")
	b.fits("with two siblings")

	// A node leaves.
	b.run(`document.querySelector('#nodes [data-act="leave"][data-node="n4"]').click()`)
	b.press("#change", "Show the plan")
	b.reads("#plan", "The plan")
	b.fits("with a plan")
	b.press("#plan", eval[string](b, `document.querySelector('#plan [data-act="commit"]').innerText`))
	b.reads("#plan", "Committed")
	b.until("n4 is no member", `document.querySelector("#nodes").innerText.includes("not a member") && document.querySelectorAll("#ring .node").length === 3 && document.querySelector("#ring").innerText.includes("Nothing moves")`)
	b.press("#key", "Look it up")
	b.reads("#answer", "2 siblings")
	b.pick("n3")
	b.press("#break", "Kill")
	b.reads("#nodes", "dead")
	b.fits("with a dead node")
	b.clean(c)
}
