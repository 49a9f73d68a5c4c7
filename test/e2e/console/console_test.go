package console

import (
	"strings"
	"testing"
)

// TestOnePage is issue 7's: by the page alone a node is added, a key is written on
// both sides of a cut, its two siblings are seen and merged.
func TestOnePage(t *testing.T) {
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	b.reads("#nodes tbody", "this node")

	// A node is started, its joining planned, the plan looked at and committed.
	b.press("#break", "Start one more node")
	b.reads("#break", "n4 runs and waits to be joined")
	b.until("the form is filled in", `document.querySelector('#change [name="node"]').value === "n4" && document.querySelector('#change [name="addr"]').value.startsWith("127.0.0.1:")`)
	b.press("#change", "Show the plan")
	b.reads("#plan", "The plan")
	b.reads("#plan", "n4")
	if text := b.text("#plan"); !strings.Contains(text, "change their first owner") || !strings.Contains(text, "replicas made") {
		t.Errorf("the plan does not say what it costs: %s", text)
	}
	version := eval[string](b, `document.querySelector('#plan [data-act="commit"]').innerText`)
	if !strings.HasPrefix(version, "Commit at version ") {
		t.Errorf("the plan has the button %q", version)
	}
	b.press("#plan", version)
	b.reads("#plan", "Committed")
	b.until("n4 is a member that has its share, and nothing moves", `document.querySelectorAll("#nodes tbody tr").length === 4 && document.querySelector("#ring").innerText.includes("Nothing moves") && !document.querySelector("#nodes").innerText.includes("joining") && !document.querySelector("#nodes").innerText.includes("→") && document.querySelectorAll("#ring .node").length === 4 && document.querySelector('#nodes [data-key="n4"] meter')?.value > 0`)

	// Both sides of a cut write the key.
	b.pick("n3", "n4")
	b.press("#break", "Cut off")
	b.reads("#break", "n3, n4 cut off")
	b.reads("#nodes", "no link from here")
	b.fill(`#key [name="bucket"]`, "carts")
	b.fill(`#key [name="key"]`, "alice")
	write := func(value string) {
		b.press("#key", "Look it up")
		b.until("the key is looked up", `document.querySelector("#replicas h3") && !document.querySelector("#answer").innerText.includes("Looking")`)
		b.fill(`#write [name="value"]`, value)
		b.press("#write-buttons", "Write")
		b.reads("#answer", "Written, coordinated by")
	}
	write("milk")
	one := c.Nodes[0].Admin
	other := eval[string](b, `[...document.querySelectorAll("#nodes tbody a")].find((a) => a.innerText === "n3").host`)
	b.goTo(other)
	b.reads("#sees", "as n3 sees it")
	b.fill(`#key [name="bucket"]`, "carts")
	b.fill(`#key [name="key"]`, "alice")
	write("bread")

	// The cut heals; the two siblings are seen, on the replicas too, and merged.
	b.press("#break", "Heal")
	b.reads("#break", "healed")
	b.goTo(one)
	b.reads("#health", "all is well")
	b.fill(`#key [name="bucket"]`, "carts")
	b.fill(`#key [name="key"]`, "alice")
	b.press("#key", "Look it up")
	b.reads("#answer", "2 siblings")
	b.until("both values are shown", `document.querySelectorAll("#answer .siblings pre").length === 2`)
	if values := b.text("#answer .siblings"); !strings.Contains(values, "milk") || !strings.Contains(values, "bread") {
		t.Errorf("the siblings are %q", values)
	}
	if text := b.text("#answer details"); !strings.Contains(text, "What the node did for it") {
		t.Errorf("explain: %q", text)
	}
	for _, i := range []string{"0", "1"} {
		b.run(`document.querySelector('#answer [data-act="use"][data-index="` + i + `"]').click()`)
	}
	b.press("#write-buttons", "Write the merged value")
	b.reads("#answer", "Written, coordinated by")
	b.until("one version is left, with both values", `document.querySelectorAll("#answer .siblings pre").length === 1 && document.querySelector("#answer .siblings").innerText.includes("milk") && document.querySelector("#answer .siblings").innerText.includes("bread")`)
	b.press("#key", "Look it up")
	b.reads("#replicas", "All replicas hold the same.")
	if n := eval[int](b, `[...document.querySelectorAll("#replicas tbody tr")].filter((r) => r.children[1].innerText === "primary").length`); n != 3 {
		t.Errorf("%d primaries are shown, want 3", n)
	}
	b.clean(c)
}
