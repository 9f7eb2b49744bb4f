//go:build integration

package page

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/integration/harness"
)

// What would break the policy of the page does nothing, and no test would miss it.
func TestThePolicyHolds(t *testing.T) {
	w := newWorld(t, api.Access{})
	w.fill()
	b := newTab(t, 1000, 800)
	b.allowed = []string{"Content Security Policy", "TrustedHTML", "TrustedScript"}
	w.open(b, "")
	for _, breach := range []struct{ part, script string }{
		{"script-src", `document.body.append(Object.assign(document.createElement("a"), { href: "javascript:window.hit = 1" })); document.body.lastChild.click()`},
		{"TrustedHTML", `document.body.innerHTML = "<b>hit</b>"`},
		{"style-src", `document.body.setAttribute("style", "color: red")`},
		{"connect-src", `fetch("https://elsewhere.example/").catch(() => {})`},
		{"TrustedScript", `setTimeout("window.hit = 1", 0)`},
	} {
		assert.False(t, b.heardOf(breach.part), breach.part)
		b.run(`try { ` + breach.script + ` } catch (e) { console.warn(e.message) }`)
		harness.Eventually(t, "the browser complains by "+breach.part, func() bool { return b.heardOf(breach.part) })
	}
	assert.True(t, value[bool](b, `window.hit === undefined && document.body.style.color === "" && !document.querySelector("body > b")`))
}

// heardOf reports whether the browser has said something of the page with that in it.
func (b *tab) heardOf(part string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.heard, func(said string) bool { return strings.Contains(said, part) })
}
