//go:build integration

package page

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// feature has the browser prefer something, as "prefers-color-scheme: dark".
func (b *tab) feature(name, value string) {
	b.t.Helper()
	_, err := chromedp.Call(b.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: name, Value: value}},
	})
	require.NoError(b.t, err)
}

// fewer returns a picture with the 256 colours that it has most of, which makes its
// file a third as large.
func fewer(from image.Image) image.Image {
	counts := make(map[color.RGBA]int)
	each := func(do func(x, y int, c color.RGBA)) {
		for y := range from.Bounds().Dy() {
			for x := range from.Bounds().Dx() {
				do(x, y, color.RGBAModel.Convert(from.At(x, y)).(color.RGBA))
			}
		}
	}
	each(func(_, _ int, c color.RGBA) { counts[c]++ })
	most := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return counts[b] - counts[a] })
	to := image.NewPaletted(from.Bounds(), nil)
	for _, c := range most[:min(256, len(most))] {
		to.Palette = append(to.Palette, c)
	}
	index := make(map[color.RGBA]uint8)
	for _, c := range most {
		index[c] = uint8(to.Palette.Index(c))
	}
	each(func(x, y int, c color.RGBA) { to.SetColorIndex(x, y, index[c]) })
	return to
}

// picture writes what is seen to a file.
func (b *tab) picture(dir, name string) {
	b.t.Helper()
	shot, err := chromedp.Run(b.Context, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	seen, err := png.Decode(bytes.NewReader(shot))
	require.NoError(b.t, err)
	size := value[[]int](b, "[innerWidth, innerHeight]")
	assert.Equal(b.t, image.Rect(0, 0, size[0], size[1]), seen.Bounds(), name)
	file, err := os.Create(filepath.Join(dir, name+".png"))
	require.NoError(b.t, err)
	defer file.Close()
	require.NoError(b.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(file, fewer(seen)))
}

// busy has messages go through the instances for a minute, if pictures are kept.
func (w *world) busy() {
	w.t.Helper()
	if *pictures == "" {
		return
	}
	for round := range 12 {
		for n := range instances {
			name := fmt.Sprintf("%s-%d-opcua", sites[n%len(sites)], n/len(sites)+1)
			if one, there := w.streams.Instance(name); there && one.Traffic != nil && one.Traffic.SentRate > 0 {
				traffic := *one.Traffic
				traffic.SentRate = max(0.1, traffic.SentRate*(0.7+0.05*float64((n*round*7+n)%13)))
				w.streams.set(name, func(one *api.Instance) { one.Traffic = &traffic })
			}
		}
		harness.Pause(w.t, 5*time.Second, "the page looks at what goes through")
	}
}

const told = "press-2-opcua"

// TestPictures makes the pictures of the documents. Without -pictures nobody keeps them.
func TestPictures(t *testing.T) {
	dir := *pictures
	if dir == "" {
		dir = t.TempDir()
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	w := newWorld(t, api.Access{Token: "the token of this test"})
	w.fill()
	w.story(told)
	shown := make(map[string]*tab)
	for name, width := range map[string]int64{"light": 1280, "dark": 1280, "phone": 360} {
		b := newTab(t, width, 760)
		b.feature("prefers-color-scheme", strings.Replace(name, "phone", "light", 1))
		w.open(b, "")
		b.run(`sessionStorage.setItem("evenkeel-token", "the token of this test")`)
		shown[name] = b
	}
	w.busy()
	for name, b := range shown {
		b.becomes("it is live", `document.querySelector("#connection").dataset.is === "live"`)
		b.picture(dir, name)
	}
	b := shown["light"]
	b.do(chromedp.EmulateViewport(1280, 1500))
	b.do(chromedp.Reload())
	w.open(b, linkTo(w.streams, told))
	b.becomes("all of it is there", `document.querySelector(".drawing .now") && document.querySelector(".lines li") && document.querySelector(".file ins") && document.querySelector(".acts button")`)
	b.picture(dir, "instance")
}
