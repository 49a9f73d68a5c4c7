package console

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// maxShot is how large a picture for the documentation may be, in bytes.
const maxShot = 150 << 10

// TestScreenshots takes the pictures of docs/operate/console.md: a cluster of five
// with a node down, a plan, and a key with two siblings.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("OURO_SCREENSHOTS")
	if folder == "" {
		t.Skip("OURO_SCREENSHOTS names no folder")
	}
	c := startCluster(t, 5)
	b := open(t)
	b.goTo(c.Nodes[0].Admin)
	b.fill(`#key [name="bucket"]`, "carts")
	b.fill(`#key [name="key"]`, "alice")
	for _, value := range []string{`{"items": ["milk", "bread"]}`, `{"items": ["milk", "apples"]}`} {
		b.press("#key", "Look it up")
		b.until("it is looked up", `document.querySelector("#replicas h3") && !document.querySelector("#answer").innerText.includes("Looking")`)
		b.fill(`#write [name="value"]`, value)
		b.press("#write-buttons", eval[string](b, `[...document.querySelectorAll("#write-buttons button")].find((e) => e.innerText.startsWith("Write beside") || e.innerText === "Write").innerText`))
		b.reads("#answer", "Written, coordinated by")
	}
	for i := range 40 { // so that there are latencies to be seen
		b.run(fmt.Sprintf(`fetch("/kv/carts/k%d", {method: "PUT", body: "v", headers: {"Content-Type": "text/plain"}}); fetch("/kv/carts/k%d")`, i, i))
	}
	b.pick("n4")
	b.press("#break", "Kill")
	b.reads("#nodes", "dead")
	for i := range 40 {
		b.run(fmt.Sprintf(`fetch("/kv/carts/h%d", {method: "PUT", body: "v", headers: {"Content-Type": "text/plain"}}); fetch("/kv/carts/h%d")`, i, i))
	}
	b.press("#break", "Start one more node")
	b.reads("#break", "n6 runs")
	b.press("#change", "Show the plan")
	b.reads("#plan", "The plan")
	b.press("#key", "Look it up")
	b.reads("#answer", "2 siblings")
	b.reads("#flow", "in use for what others are owed")
	for _, scheme := range []string{"light", "dark"} {
		b.shoot(folder, "desktop-"+scheme, scheme, "#ring-card", screen{1280, 4000, 1, false})
	}
	b.shoot(folder, "phone-light", "light", "#ring-card", screen{390, 1500, 1.5, true})
	b.shoot(folder, "phone-dark", "dark", "#key-card", screen{390, 1500, 1.5, true})
}

// screen is what a picture is taken of, in pixels of the page.
type screen struct {
	width, most int64
	scale       float64
	mobile      bool
}

// shoot takes the page from a part of it on; the first part with what is above it.
func (b *browser) shoot(folder, name, scheme, from string, s screen) {
	b.Helper()
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(s.scale)}
	if s.mobile {
		options = append(options, chromedp.EmulateMobile)
	}
	b.do(
		send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
		chromedp.EmulateViewport(s.width, 900, options...),
	)
	b.run(`document.activeElement.blur(); scrollTo(0, 0)`)
	if wide := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		b.Errorf("%s: the page is %d pixels wider than the screen", name, wide)
	}
	tall := eval[int64](b, `document.documentElement.scrollHeight`)
	b.do(chromedp.EmulateViewport(s.width, min(tall, s.most), options...))
	if from != "#ring-card" {
		b.run(fmt.Sprintf(`document.querySelector(%q).scrollIntoView()`, from))
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	if shot, err = fewer(shot); err != nil {
		b.Fatal(err)
	}
	if len(shot) > maxShot {
		b.Errorf("%s has %d bytes", name, len(shot))
	}
	b.Logf("%s: %d bytes", name, len(shot))
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o644); err != nil {
		b.Fatal(err)
	}
}

// fewer leaves a picture its most frequent colours, which makes it a third as large.
func fewer(shot []byte) ([]byte, error) {
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	const most = 128
	count := map[color.RGBA]int{}
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			count[near(img.At(x, y))]++
		}
	}
	all := make([]color.RGBA, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return count[all[i]] > count[all[j]] })
	var p color.Palette
	for _, c := range all[:min(most, len(all))] {
		p = append(p, c)
	}
	small := image.NewPaletted(r, p)
	index := map[color.RGBA]uint8{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := near(img.At(x, y))
			i, ok := index[c]
			if !ok {
				i = uint8(p.Index(c))
				index[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, small)
	return b.Bytes(), err
}

// near takes colours that nobody can tell apart for one.
func near(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	part := func(v uint32) uint8 { return uint8(min(255, (v>>8+2)&^3)) }
	return color.RGBA{part(r), part(g), part(b), 255}
}
