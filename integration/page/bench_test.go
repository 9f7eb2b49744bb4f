//go:build integration

package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// BenchmarkOpen reports when the page of a thousand instances is painted first, when
// its first rows are there, and when all are.
func BenchmarkOpen(b *testing.B) {
	w := newWorld(b, api.Access{})
	w.fill()
	tab := newTab(b, 1280, 800)
	sums := make(map[string]float64)
	for b.Loop() {
		tab.do(chromedp.Navigate("about:blank"))
		w.open(tab, "")
		for name, at := range value[map[string]float64](tab, `({
			"ms-paint": performance.getEntriesByName("first-contentful-paint")[0].startTime,
			"ms-first-rows": performance.getEntriesByName("rows-first")[0].startTime,
			"ms-all-rows": performance.getEntriesByName("rows-all")[0].startTime,
		})`) {
			sums[name] += at
		}
	}
	for name, sum := range sums {
		b.ReportMetric(sum/float64(b.N), name)
	}
}

// BenchmarkEvent reports how long it takes until a row shows what has happened.
func BenchmarkEvent(b *testing.B) {
	w := newWorld(b, api.Access{})
	w.fill()
	tab := newTab(b, 1280, 800)
	w.open(tab, "")
	tab.becomes("it is live", `document.querySelector("#connection").dataset.is === "live"`)
	total, n := 0.0, 0
	for b.Loop() {
		n++
		state := []fsm.State{"active", "degraded"}[n%2]
		tab.run(fmt.Sprintf(`window.changed = undefined; new MutationObserver((_, o) => { window.changed = Date.now(); o.disconnect(); }).observe(
			[...document.querySelectorAll("#rows tr")].find((tr) => tr.querySelector("a").textContent === %q).querySelector(".state"), { childList: true })`, told))
		at := time.Now()
		w.streams.move(told, state, "recovered", fsm.Because("so"), at)
		tab.becomes("it is shown", "window.changed")
		total += value[float64](tab, "window.changed") - float64(at.UnixMilli())
	}
	b.ReportMetric(total/float64(n), "ms-event")
}
