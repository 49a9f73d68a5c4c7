package console

import "testing"

// TestStaleReads: the page says how many reads are predicted to miss a write, once the
// node has asked others for something.
func TestStaleReads(t *testing.T) {
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	b.run(`(async () => { for (let i = 0; i < 20; i++) {
		await fetch("/kv/carts/k" + i, {method: "PUT", body: "v", headers: {"Content-Type": "text/plain"}});
		await fetch("/kv/carts/k" + i);
	} window.asked = true; })()`)
	b.until("the node has asked others", "window.asked")
	b.goTo(c.Nodes[0].Admin)
	b.reads("#stale", "Reads at another node that are predicted to miss a write")
	b.reads("#stale", "r=1 w=1: ")
	b.reads("#stale", "r=2 w=2: none.")
}
