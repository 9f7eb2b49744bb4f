//go:build integration

package page

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// text returns the text of the first element of a CSS selector.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return value[string](b, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector))
}

func TestAnInstanceIsShown(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	w.story(told)
	b := newTab(t, 1400, 900)
	b.allowed = []string{"404"} // when it is gone
	w.open(b, linkTo(w.streams, told))
	b.becomes("all of it is there", `document.querySelector(".drawing .now") && document.querySelectorAll(".lines li").length === 60 && document.querySelector(".file ins")`)
	assert.Equal(t, told, b.text("#instance-title"))
	b.becomes("the title says it", `document.title === "press-2-opcua: degraded – evenkeel"`)
	assert.Contains(t, b.text(".chain [data-part=trouble]"), "connection refused")
	assert.Contains(t, b.text(".chain [data-part=help]"), "mend the cause")

	// Its state machine, with its way through it.
	assert.Equal(t, "degraded", value[string](b, `document.querySelector(".drawing .now").dataset.state`))
	assert.Equal(t, 1, value[int](b, `document.querySelectorAll(".drawing .now").length`))
	assert.Equal(t, "stopped → starting: start, taken 4×", b.text(`.move[data-from=stopped][data-to=starting] title`))
	assert.Equal(t, "18 min", b.text(`.state[data-state=active] .stay`), "three times six minutes")
	assert.Equal(t, "false", value[string](b, `String(document.querySelector(".state[data-state=failed]").classList.contains("been"))`))
	one, _ := w.streams.Instance(told)
	assert.Equal(t, len(one.History), value[int](b, `document.querySelectorAll(".transitions tbody tr").length`))
	assert.Contains(t, b.text(".transitions tbody tr"), "degraded", "the newest is first")

	// Its files, and how they differ.
	assert.Equal(t, []string{"-     addresses: [broker-1:9092]\n", "+     addresses: [broker-2:9092]\n"},
		value[[]string](b, `[...document.querySelectorAll(".file del, .file ins")].map((e) => e.textContent)`))
	assert.Equal(t, "config/benthos.yaml", b.text(".file[open] code"))
	assert.Equal(t, 1, value[int](b, `document.querySelectorAll(".file[open]").length`))

	// What happens to it. What somebody has opened stays open.
	b.run(`[...document.querySelectorAll(".file")].find((e) => e.textContent.startsWith("run")).open = true`)
	now := config("broker-2:9092")
	w.files.Store(&[]api.File{{Name: "config/benthos.yaml", Was: now, Is: now}, {Name: "run", Was: now, Is: now}})
	w.streams.move(told, "active", "recovered", fsm.Because("writes succeed"), time.Now())
	b.becomes("it is in another state", `document.querySelector(".drawing .now").dataset.state === "active" && document.querySelector(".named .badge").textContent === "active"`)
	b.becomes("that is in the history", `document.querySelector(".transitions tbody tr").textContent.includes("writes succeed")`)
	b.becomes("its files are as they are to be", `!document.querySelector(".file ins, .file del")`)
	assert.Equal(t, "run", b.text(".file-list .file[open]:last-child code"))
	w.streams.gone(told)
	b.becomes("it is gone", `document.querySelector(".named .badge").textContent === "not there" && document.querySelector(".chain").textContent.includes("no instance has the name")`)
}

// A log that goes on is followed, unless somebody reads further up.
func TestALogIsFollowed(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	more := make(chan string)
	t.Cleanup(func() { close(more) })
	w.server.Log = func(_ context.Context, _ string, _ api.LogLines, to io.Writer) error {
		for line := range more {
			if _, err := io.WriteString(to, line); err != nil {
				return err
			}
		}
		return nil
	}
	b := newTab(t, 1000, 800)
	w.open(b, linkTo(w.streams, told))
	for n := range 100 {
		more <- fmt.Sprintf("2026-11-27T12:00:00Z line %d\n", n)
	}
	atEnd := `(() => { const e = document.querySelector(".lines"); return e.scrollTop + e.clientHeight > e.scrollHeight - 5; })()`
	b.becomes("the last line is seen", `document.querySelectorAll(".lines li").length === 100 && `+atEnd)
	more <- "half a "
	more <- "line\n"
	b.becomes("a line is a line", `document.querySelector(".lines li:last-child").textContent === "half a line" && `+atEnd)
	b.run(`document.querySelector(".lines").scrollTop = 0`)
	b.becomes("it is not followed", `!document.querySelector(".follow input").checked`)
	more <- "another\n"
	b.becomes("it is there", `document.querySelector(".lines li:last-child").textContent === "another"`)
	assert.Equal(t, 0, value[int](b, `document.querySelector(".lines").scrollTop`))
	b.click(".follow input")
	b.becomes("it is followed again", atEnd)
}

// A kind that is not drawn is listed.
func TestAKindOfOnesOwnIsListed(t *testing.T) {
	w := newWorld(t, api.Access{})
	table, err := fsm.NewRunTable("gate")
	gates := newPlant(t, w.feed, table, err, "gate")
	w.server.Sources = append(w.server.Sources, gates)
	gates.set("north", func(one *api.Instance) { one.State, one.Phase = "stopped", fsm.PhaseStopped })
	gates.move("north", "starting", "start", fsm.Because("it is asked to run"), time.Now())
	b := newTab(t, 1000, 800)
	w.open(b, "#/instances/north") // the kind is found out
	b.becomes("it is listed", `document.querySelector(".machine details")?.open && document.querySelector(".states .now")`)
	assert.Equal(t, "starting", b.text(".states .now .badge"))
	assert.Contains(t, b.text(".states"), "start → starting 1×")
	assert.Equal(t, 0, value[int](b, `document.querySelectorAll(".drawing").length`))
}

// Who knows no token sees no button; who gives the right one is asked once more.
func TestNothingIsAskedForUnasked(t *testing.T) {
	w := newWorld(t, api.Access{Token: "the token of this test"})
	w.fill()
	w.story(told)
	b := newTab(t, 1400, 900)
	w.open(b, linkTo(w.streams, told))
	b.becomes("it is there", `document.querySelector(".drawing .now")`)
	assert.Empty(t, value[[]string](b, `[...document.querySelectorAll(".acts button")].map((e) => e.textContent)`))
	b.click("#unlock")
	b.do(chromedp.SendKeys(chromedp.CSS("#token-value"), "another"+kb.Enter))
	b.becomes("it is refused", `document.querySelector("#token-failure").textContent.includes("not the token")`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.becomes("it is closed", `!document.querySelector("#token").open && document.activeElement.id === "unlock"`)
	b.click("#unlock")
	assert.Empty(t, value[string](b, `document.querySelector("#token-value").value`))
	b.do(chromedp.SendKeys(chromedp.CSS("#token-value"), "the token of this test"+kb.Enter))
	b.becomes("there are buttons", `document.querySelectorAll(".acts button").length === 3 && !document.querySelector("#token").open`)

	b.click(`[data-verb="stop"]`)
	b.becomes("it asks", `document.querySelector("#confirm").open`)
	assert.Equal(t, "Stop "+told+"?", b.text("#confirm-title"))
	b.do(chromedp.KeyEvent(kb.Escape))
	b.becomes("it is closed, and the focus is where it was", `!document.querySelector("#confirm").open && document.activeElement.dataset.verb === "stop"`)
	assert.Empty(t, w.wasAsked())
	b.click(`[data-verb="stop"]`)
	b.click("#confirm-yes")
	harness.Eventually(t, "it is asked for", func() bool { return len(w.wasAsked()) == 1 })
	assert.Equal(t, []string{"stop benthos " + told}, w.wasAsked())
	b.becomes("that is told", `!document.querySelector("#confirm").open && document.querySelector("#announce").textContent.includes("it is asked for")`)

	b.do(chromedp.Reload())
	b.becomes("the tab has kept the token", `document.querySelectorAll(".acts button").length === 3`)
	b.click("#unlock")
	b.becomes("it has forgotten it", `document.querySelectorAll(".acts button").length === 0 && sessionStorage.length === 0`)
}

// Where nobody can write, nobody is asked for a token.
func TestWhereOneCanOnlyReadThereAreNoButtons(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1400, 900)
	w.open(b, linkTo(w.streams, told))
	b.becomes("it is there", `document.querySelector(".drawing .now") && document.querySelector("#version").textContent === "1.4.0"`)
	assert.True(t, value[bool](b, `document.querySelector("#unlock").hidden && !document.querySelector(".acts button")`))
}

// Texts of others are shown with what is in them, and do nothing.
func TestHostileTextsDoNothing(t *testing.T) {
	const hostile = `<img src=x onerror="window.hit=1"><script>window.hit=1</script>` + "\x1b[31m\u202e\u2066 &amp; ${1} 'a\" \x00\U000e0001"
	const shown = `<img src=x onerror="window.hit=1"><script>window.hit=1</script>` + `\x1b[31m\u202e\u2066 &amp; ${1} 'a" \x00\U000e0001`
	w := newWorld(t, api.Access{})
	w.files.Store(&[]api.File{{Name: hostile, Was: hostile, Is: "b\n" + hostile}})
	w.logLines = []string{hostile, "2026-11-27T12:00:00Z " + hostile}
	w.streams.set(hostile, func(one *api.Instance) {
		running(w.streams, one, 1, time.Now())
		one.State, one.Phase, one.Desired = hostile, fsm.PhaseDegraded, hostile
		one.Error, one.Failures, one.NextTry = hostile, 2, time.Now().Add(time.Hour)
		one.Spec, _ = json.Marshal(map[string]string{hostile: hostile})
	})
	w.streams.move(hostile, hostile, hostile, fsm.Because(hostile).With(hostile), time.Now())
	w.server.Version = hostile
	b := newTab(t, 1400, 900)
	w.open(b, "")
	b.becomes("it is live", `document.querySelector("#connection").dataset.is === "live"`)
	w.streams.move(hostile, hostile, hostile, fsm.Because(hostile).With(hostile), time.Now())
	b.becomes("it is told", `document.querySelector("#announce").textContent.includes("<img")`)
	for _, selector := range []string{"#rows .name a", "#rows .badge", "#rows .reason", "#version", "#announce"} {
		assert.Contains(t, b.text(selector), shown, selector)
	}
	b.click("#rows .name a")
	b.becomes("all of it is there", `document.querySelector(".states .badge") && document.querySelectorAll(".lines li").length === 2 && document.querySelector(".file ins") && document.querySelector(".transitions")`)
	for _, selector := range []string{
		"#instance-title", ".named .badge", ".facts", ".chain [data-part=trouble]", ".chain [data-part=seen]", ".lines li:last-child",
		".file summary", ".file pre", ".values .file pre", ".transitions .to", ".transitions .event", ".transitions .reason",
	} {
		text := b.text(selector)
		if selector == ".values .file pre" {
			require.Contains(t, text, `onerror=\"window.hit=1\"`, "it is JSON")
			continue
		}
		assert.Contains(t, text, shown, selector)
	}
	assert.True(t, value[bool](b, "window.hit === undefined"))
	assert.Equal(t, 0, value[int](b, `document.querySelectorAll("main img, main script").length`))
	control := `/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\u{e0001}/u`
	assert.False(t, value[bool](b, control+`.test(document.body.textContent) || `+control+`.test(document.title)`), "nothing of it is left")
}
