package console

import (
	"fmt"
	"os"
	"testing"
)

// TestMeasure tells what the page costs: what it weighs, when it is seen, and what
// keeping it up to date asks of a node. It is for docs/operate/console.md, and
// judges nothing: a machine is as busy as it is.
func TestMeasure(t *testing.T) {
	if os.Getenv("OURO_MEASURE") == "" {
		t.Skip("OURO_MEASURE is not set")
	}
	c := startCluster(t, 3)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	paint := "performance.getEntriesByType('paint').find((e) => e.name === 'first-contentful-paint').startTime"
	for _, visit := range []string{"first", "second", "third"} {
		b.until("it is painted", "performance.getEntriesByType('paint').length > 1")
		drawn := eval[float64](b, "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/admin/v1/ring'))[0].responseEnd")
		files := "performance.getEntriesByType('resource').filter((e) => e.name.includes('/console/'))"
		t.Logf("%s visit: first paint after %.0f ms, the ring was there after %.0f ms; %d files, %.0f bytes came",
			visit, eval[float64](b, paint), drawn, eval[int](b, files+".length"),
			eval[float64](b, files+".reduce((a, e) => a + e.transferSize, performance.getEntriesByType('navigation')[0].transferSize)"))
		b.goTo(c.Nodes[0].Admin)
	}
	b.run(`document.querySelector("#live").click()`)
	for _, path := range []string{"status", "cluster", "latencies", "ring", "hints", "repair", "staleness", "dev/cluster"} {
		b.run(fmt.Sprintf(`window.cost = null; (async () => {
			const from = performance.now(); let bytes = 0;
			for (let i = 0; i < 200; i++) bytes = (await (await fetch("/admin/v1/%s")).text()).length;
			window.cost = [(performance.now() - from) / 200, bytes];
		})()`, path))
		b.until("it is measured", "window.cost")
		cost := eval[[]float64](b, "window.cost")
		t.Logf("%s: %.2f ms, %.0f bytes", path, cost[0], cost[1])
	}
}
