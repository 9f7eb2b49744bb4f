//go:build integration

package page

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/integration/harness"
)

var pictures = flag.String("pictures", "", "the directory for pictures of the page; none means that none are made")

// browser is the one that all tests have a tab of.
var browser struct {
	sync.Once
	context.Context
	end func()
	err error
}

// running ends the browser before anybody looks for what is left.
type withBrowser struct{ *testing.M }

func (r withBrowser) Run() int {
	code := r.M.Run()
	if browser.end != nil {
		browser.end()
	}
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(withBrowser{m}) }

// start starts the browser.
func start() {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		browser.err = fmt.Errorf("there is no Chromium in PATH: sh scripts/require.sh chromium installs it")
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocated, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	browser.Context = ctx
	browser.end = func() {
		_ = chromedp.Cancel(ctx) // it is killed with what it was allocated with
		cancel()
		free()
	}
	browser.err = chromedp.Do(ctx)
}

// tab is a tab of the browser. What goes wrong in it fails its test.
type tab struct {
	context.Context
	t  testing.TB
	mu sync.Mutex // guards both
	// heard is what the browser says of the page: errors, warnings, and violations
	// of its policy. Complaints are what of that fails the test.
	heard, complaints []string
	allowed           []string // texts in what is no complaint, set before anything is said
}

// newTab opens a tab of a size in CSS pixels.
func newTab(t testing.TB, width, height int64) *tab {
	t.Helper()
	browser.Do(start)
	require.NoError(t, browser.err)
	b := &tab{t: t}
	ctx, cancel := chromedp.NewContext(browser.Context, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	b.Context = ctx
	t.Cleanup(func() {
		b.mu.Lock()
		assert.Empty(t, b.complaints, "the browser complains")
		b.mu.Unlock()
		cancel()
	})
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height))) // in no time of its own: that of the tab would end with it
	_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	return b
}

func (b *tab) hear(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text + " " + description(e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		for _, a := range e.Args {
			text += string(e.Type) + ": " + string(a.Value) + description(a)
		}
	case *log.EventEntryAdded:
		text = string(e.Entry.Source) + ": " + e.Entry.Text + " " + e.Entry.URL
	}
	if text == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, text)
	if !slices.ContainsFunc(b.allowed, func(part string) bool { return strings.Contains(text, part) }) {
		b.complaints = append(b.complaints, text)
	}
}

func description(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	return o.Description
}

// do does something in the tab.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, harness.Patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

// value returns what an expression of JavaScript is.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, harness.Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	first, _, _ := strings.Cut(expression, "\n")
	require.NoError(b.t, err, first)
	return v
}

// run runs JavaScript.
func (b *tab) run(script string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](script))
}

// click clicks the first element of a CSS selector.
func (b *tab) click(selector chromedp.CSS) {
	b.t.Helper()
	b.do(chromedp.Click(selector))
}

// becomes waits until an expression is true.
func (b *tab) becomes(what, expression string) {
	b.t.Helper()
	harness.Eventually(b.t, what, func() bool { return value[bool](b, "!!("+expression+")") })
}
