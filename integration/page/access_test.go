//go:build integration

package page

import (
	_ "embed"

	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
)

//go:embed access.js
var accessScript string

// views are how the page is looked at.
var views = []struct {
	name          string
	width, height int64
	scheme        string
}{
	{"light", 1280, 800, "light"},
	{"dark", 1280, 800, "dark"},
	{"phone", 360, 780, "light"},
	{"phone-dark", 360, 780, "dark"},
}

// accessible holds that people can read and use what is seen now.
func (b *tab) accessible(what string) {
	b.t.Helper()
	result := value[struct {
		Found []string `json:"found"`
		Texts int      `json:"texts"`
	}](b, accessScript)
	assert.Empty(b.t, result.Found, what)
	assert.Greater(b.t, result.Texts, 3, "%s: contrasts are computed", what)
	b.named(what)
}

// named holds that whatever can be used has a name, as the browser computes it.
func (b *tab) named(what string) {
	b.t.Helper()
	tree, err := chromedp.Call(b.Context, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(b.t, err)
	uses := 0
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		switch role {
		case "button", "link", "textbox", "searchbox", "checkbox", "dialog", "table", "columnheader", "DisclosureTriangle":
			uses++
			named := n.Name != nil && strings.Trim(string(n.Name.Value), `" `) != ""
			assert.True(b.t, named, "%s: a %s has no name: node %d", what, role, n.BackendDOMNodeID)
		}
	}
	assert.GreaterOrEqual(b.t, uses, 3, what)
}

// stops are the elements that the tab key comes to, of which each has to show that
// it has the focus.
func (b *tab) stops(most int) (all []string) {
	b.t.Helper()
	b.run(`document.querySelector("#skip").focus({ focusVisible: true })`)
	for n := range most {
		if n > 0 {
			b.do(chromedp.KeyEvent(kb.Tab))
		}
		at := value[struct {
			Name   string `json:"name"`
			Marked bool   `json:"marked"`
			Before bool   `json:"before"`
		}](b, `(() => {
			const e = document.activeElement, style = getComputedStyle(e);
			const name = e === document.body ? "" : e.id || e.dataset.verb || e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent;
			const before = window.before && (e.compareDocumentPosition(window.before) & Node.DOCUMENT_POSITION_FOLLOWING) > 0;
			window.before = e;
			return { name, marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2, before };
		})()`)
		if at.Name == "" {
			break
		}
		assert.True(b.t, at.Marked || at.Name == "skip", "nobody sees that %s has the focus", at.Name)
		assert.False(b.t, at.Before, "the focus goes back to %s", at.Name)
		all = append(all, at.Name)
	}
	b.run("window.before = undefined")
	return all
}

func TestEverybodyCanUseIt(t *testing.T) {
	for _, view := range views {
		t.Run(view.name, func(t *testing.T) {
			w := newWorld(t, api.Access{Token: "the token of this test"})
			w.fill()
			w.story(told)
			b := newTab(t, view.width, view.height)
			b.feature("prefers-color-scheme", view.scheme)
			w.open(b, "")
			b.becomes("it is live", `document.querySelector("#connection").dataset.is === "live"`)
			b.accessible("the list")
			stops := b.stops(20)
			assert.Equal(t, []string{"skip", "evenkeel", "unlock"}, stops[:3])
			filtered, sorted, first := slices.Index(stops, "filter"), slices.Index(stops, "Reason"), slices.Index(stops, value[[]string](b, rows)[0])
			assert.True(t, 2 < filtered && filtered < sorted && sorted < first, "from the filter over the headers to the rows: %q", stops)
			b.do(chromedp.KeyEvent(kb.Home))

			b.click("#unlock")
			b.becomes("it asks", `document.querySelector("#token").open`)
			b.accessible("the token")
			assert.Equal(t, "token-value", value[string](b, "document.activeElement.id"))
			b.do(chromedp.SendKeys(chromedp.CSS("#token-value"), "the token of this test"+kb.Enter))
			b.becomes("it is taken", `!document.querySelector("#token").open`)

			w.open(b, linkTo(w.streams, told))
			b.becomes("all of it is there", `document.querySelector(".drawing .now") && document.querySelector(".lines li") && document.querySelector(".file ins") && document.querySelector(".acts button")`)
			assert.True(t, value[bool](b, `(() => {
				const [at, box] = [".drawing .now", ".drawing"].map((s) => document.querySelector(s).getBoundingClientRect());
				return at.left >= box.left && at.right <= box.right;
			})()`), "the state that it is in is seen")
			b.run(`for (const e of document.querySelectorAll("details")) e.open = true`)
			b.accessible("an instance")
			assert.Subset(t, b.stops(12), []string{"retry", "restart", "stop", "Lines of the log, the newest last", "State machine, which can be scrolled"})
			b.click(`[data-verb="restart"]`)
			b.becomes("it asks", `document.querySelector("#confirm").open`)
			b.accessible("what asks")
		})
	}
}

// Nothing moves for those who want that nothing does.
func TestNothingMovesUnwanted(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1000, 800)
	moves := `[...document.querySelectorAll("*")].filter((e) => ["transitionDuration", "animationDuration"].some((p) => getComputedStyle(e)[p].split(",").some((d) => parseFloat(d) > 0))).length`
	for preference, want := range map[string]bool{"reduce": false, "no-preference": true} {
		b.feature("prefers-reduced-motion", preference)
		w.open(b, "")
		assert.Equal(t, want, value[int](b, moves) > 0, preference)
	}
}

// Without JavaScript there is a sentence that says what to use.
func TestWithoutJavaScriptThePageSaysWhatToUse(t *testing.T) {
	w := newWorld(t, api.Access{})
	b := newTab(t, 360, 780)
	_, err := chromedp.Call(b.Context, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(t, err)
	w.open(b, "#")
	text, err := chromedp.Run(b.Context, chromedp.Text(chromedp.CSS("body")))
	require.NoError(t, err)
	assert.Contains(t, text, "evenkeel status")
}
