//go:build integration

package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// rows are the names of the rows that are shown, in their order.
const rows = `[...document.querySelectorAll("#rows tr:not([hidden]) .name a")].map((a) => a.textContent)`

const filter = chromedp.CSS("#filter")

// of returns what is in a cell of an instance.
func of(name, cell string) string {
	return fmt.Sprintf(`([...document.querySelectorAll("#rows tr")].find((tr) => tr.querySelector("a").textContent === %q)?.querySelector(".%s")?.textContent ?? "")`, name, cell)
}

func TestAThousandInstancesAreListed(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1400, 900)
	w.open(b, "")
	all := value[[]string](b, rows)
	assert.Len(t, all, instances)
	assert.Equal(t, []string{"failed", "failed"}, value[[]string](b, `[...document.querySelectorAll("#rows .badge")].slice(0, 2).map((e) => e.textContent)`), "what is wrong is first")
	assert.Contains(t, value[string](b, of(all[0], "reason")), "given up after 5 tries: exit code 1")
	assert.Equal(t, fmt.Sprint(instances, "all"), value[string](b, `document.querySelector("#phases button").textContent`))
	assert.Equal(t, float64(instances), value[float64](b, `[...document.querySelectorAll("#phases button")].slice(1).reduce((n, e) => n + Number(e.querySelector(".count").textContent), 0)`))
	b.becomes("it is live", `document.querySelector("#connection").dataset.is === "live"`)
	assert.Regexp(t, `^\(\d+\) evenkeel$`, value[string](b, "document.title"))

	// Filter, by words and by phase.
	b.do(chromedp.SendKeys(filter, "PRESS certificate"))
	b.becomes("it is filtered", rows+".length < 30")
	for _, name := range value[[]string](b, rows) {
		assert.Contains(t, name, "press")
	}
	assert.Regexp(t, `^\d+ of 1000$`, value[string](b, `document.querySelector("#shown").textContent`))
	b.do(chromedp.SendKeys(filter, " nothing of this"))
	b.becomes("nothing is shown", `!document.querySelector("#nothing").hidden`)
	b.run(`document.querySelector("#filter").value = ""; document.querySelector("#filter").dispatchEvent(new Event("input"))`)
	b.do(chromedp.Click(`//button[contains(., "degraded")]`))
	b.becomes("they are of a phase", `[...document.querySelectorAll("#rows tr:not([hidden]) .badge")].every((e) => e.textContent === "degraded")`)
	assert.Equal(t, "true", value[string](b, `[...document.querySelectorAll("#phases button")].find((e) => e.textContent.includes("degraded")).getAttribute("aria-pressed")`))
	b.click("#phases button")
	b.becomes("all are shown", fmt.Sprint(rows, ".length === ", instances))

	// Sort, both ways.
	b.click("th.name button")
	b.becomes("they are sorted by name", rows+`[0] === "boiler-1-gateway"`)
	assert.Equal(t, "ascending", value[string](b, `document.querySelector("th.name").getAttribute("aria-sort")`))
	b.click("th.name button")
	b.becomes("they are sorted the other way", rows+`[0].startsWith("press-99")`)
	assert.Equal(t, 1, value[int](b, `document.querySelectorAll("[aria-sort=ascending], [aria-sort=descending]").length`))
	b.click("th.restarts button")
	b.becomes("they are sorted by restarts", `document.querySelector("#rows .restarts").textContent === "5"`)
	b.click("th.traffic button")
	b.becomes("they are sorted by throughput", `document.querySelector("#rows .rate")?.textContent === "225/s"`)
}

func TestRowsFollowWhatHappens(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1400, 900)
	w.open(b, "")
	b.becomes("it is live", `document.querySelector("#connection").dataset.is === "live"`)

	const name = "press-1-opcua"
	b.run(fmt.Sprintf(`new MutationObserver(() => { window.changed ??= Date.now(); }).observe(
		[...document.querySelectorAll("#rows tr")].find((tr) => tr.querySelector("a").textContent === %q).querySelector(".state"), { childList: true })`, name))
	begun := time.Now()
	w.streams.move(name, "degraded", "degraded", fsm.Because("writes fail"), begun)
	b.becomes("the row has changed", of(name, "state")+`.startsWith("degraded")`)
	t.Logf("a row has changed %d ms after its event", value[int64](b, "window.changed")-begun.UnixMilli())
	b.becomes("it is told", `document.querySelector("#announce").textContent.includes("press-1-opcua is degraded.")`)

	w.streams.set("fresh", func(one *api.Instance) { running(w.streams, one, 1, time.Now()) })
	w.streams.move("fresh", "active", "data_received", fsm.Because("messages are processed"), time.Now())
	b.becomes("a new one is there", rows+`.includes("fresh")`)
	w.streams.gone("fresh")
	b.becomes("it is gone", "!"+rows+`.includes("fresh")`)

	// Without an event: what is only seen.
	w.streams.set(name, func(one *api.Instance) { one.Restarts, one.Traffic = 77, &api.Traffic{SentRate: 1234} })
	b.becomes("figures have changed", of(name, "restarts")+` === "77" && `+of(name, "rate")+` === "1234/s"`)
}

// A row that is moved keeps the focus.
func TestKeyboardAloneIsEnough(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1400, 900)
	w.open(b, "")
	b.do(chromedp.KeyEvent("/"))
	b.becomes("the filter has the focus", `document.activeElement.id === "filter"`)
	b.do(chromedp.KeyEvent(kb.Backspace)) // the protocol types the slash all the same
	b.do(chromedp.KeyEvent("press-3-opcua"))
	b.becomes("it is filtered", rows+".length === 1")
	for range 7 { // the headers of the columns
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	assert.Equal(t, "Reason", value[string](b, "document.activeElement.textContent"))
	b.do(chromedp.KeyEvent(kb.Enter))
	assert.Equal(t, "ascending", value[string](b, `document.querySelector("th.reason").getAttribute("aria-sort")`))
	b.do(chromedp.KeyEvent(kb.Tab))
	assert.Equal(t, "press-3-opcua", value[string](b, "document.activeElement.textContent"))
	w.streams.move("press-3-opcua", "degraded", "degraded", fsm.Because("aa"), time.Now())
	b.becomes("the row has changed", of("press-3-opcua", "state")+`.startsWith("degraded")`)
	assert.Equal(t, "press-3-opcua", value[string](b, "document.activeElement.textContent"))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.becomes("it is shown", `document.activeElement.id === "instance-title"`)
	assert.Contains(t, value[string](b, "location.hash"), "#/instances/press-3-opcua")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.becomes("the list is back, and the focus is where it was", `document.activeElement.textContent === "press-3-opcua"`)
}

func TestWithoutAnAnswerThePageSaysSo(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1400, 900)
	b.allowed = []string{"net::ERR_"}
	w.open(b, "")
	b.run(`window.fetchBefore = fetch; window.fetch = () => Promise.reject(new TypeError("no network"))`)
	b.becomes("it says so", `document.querySelector("#trouble").textContent.includes("no network")`)
	assert.Len(t, value[[]string](b, rows), instances, "what was known is still shown")
	b.run(`window.fetch = window.fetchBefore`)
	b.becomes("it is there again", `document.querySelector("#trouble").hidden`)
}

func TestAnEmptyListSaysSo(t *testing.T) {
	w := newWorld(t, api.Access{})
	b := newTab(t, 1400, 900)
	w.open(b, "")
	harness.Eventually(t, "it says so", func() bool {
		return value[string](b, `document.querySelector("#nothing").textContent`) == "There are no instances: nothing is declared."
	})
}
