package metrics_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/metrics"
	"github.com/evenkeel/evenkeel/s6"
)

// served are all families that are served, by their names, with the labels that they
// have.
type served map[string]map[string]bool

// everything returns what is served of a program with all that there is to say of.
func everything(t *testing.T) served {
	t.Helper()
	all := make(served)
	inWorld(t, metrics.Config{}, func(t *testing.T, w *world) {
		checked := running("sleep", "1")
		checked.Spec.Check = s6.Check{TCP: "127.0.0.1:80"}
		require.NoError(t, w.services.Apply(t.Context(), services{"web": checked}))
		e, s := w.ran(t, metrics.StreamsConfig{}, "a")
		w.prober.Set(endpoint, benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: 7}})
		pass(10 * time.Second)
		for _, name := range []string{"http", "broker"} {
			text, err := os.ReadFile("../benthos/testdata/bento-1.10.0-" + name + ".metrics")
			require.NoError(t, err)
			e.says(9080, string(text), 0)
			all.add(t, scraped(t, s))
		}
		all.add(t, page(t, w.registry))
	})
	answer := httptest.NewRecorder()
	metrics.New(metrics.Config{}).Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	all.add(t, answer.Body.String())
	all["up"] = map[string]bool{} // which Prometheus makes of each scrape
	for _, labels := range all {
		labels["job"], labels["instance"] = true, true // which it adds
	}
	return all
}

func (all served) add(t *testing.T, text string) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	for name, f := range families {
		names := []string{name}
		extra := ""
		switch f.GetType() {
		case dto.MetricType_HISTOGRAM:
			names, extra = []string{name + "_bucket", name + "_sum", name + "_count"}, "le"
		case dto.MetricType_SUMMARY:
			names, extra = []string{name, name + "_sum", name + "_count"}, "quantile"
		}
		for _, name := range names {
			if all[name] == nil {
				all[name] = map[string]bool{extra: true}
			}
			for _, series := range f.Metric {
				for _, l := range series.Label {
					all[name][l.GetName()] = true
				}
			}
		}
	}
}

var (
	selector = regexp.MustCompile(`([a-zA-Z_:][\w:]*)?\s*\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"[^"]*"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	window   = regexp.MustCompile(`\[[^\]]*\]`)
	word     = regexp.MustCompile(`[a-zA-Z_:][\w:]*`)
	called   = regexp.MustCompile(`([a-zA-Z_]\w*)\s*\(`)
	keywords = []string{"and", "or", "unless", "offset", "bool"}
)

// uses returns which metrics an expression uses, and with which labels.
func uses(expr string) (of map[string][]string, grouped []string) {
	of = make(map[string][]string)
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			of[m[1]] = append(of[m[1]], l[1])
		}
	}
	expr = selector.ReplaceAllString(expr, "$1 ")
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		grouped = append(grouped, word.FindAllString(m[1], -1)...)
	}
	expr = grouping.ReplaceAllString(expr, " ")
	expr = window.ReplaceAllString(expr, " ")
	expr = called.ReplaceAllString(expr, "(")
	expr = regexp.MustCompile(`\b\d[\w.]*`).ReplaceAllString(expr, " ")
	for _, name := range word.FindAllString(expr, -1) {
		if _, known := of[name]; !known && !slices.Contains(keywords, name) {
			of[name] = nil
		}
	}
	return of, grouped
}

// holds asserts that an expression uses nothing that is not served.
func (all served) holds(t *testing.T, where, expr string) {
	t.Helper()
	of, grouped := uses(expr)
	assert.NotEmpty(t, of, "%s: %s", where, expr)
	labels := make(map[string]bool)
	for name, matched := range of {
		if !assert.Contains(t, all, name, "%s: nobody serves %s", where, name) {
			continue
		}
		maps.Copy(labels, all[name])
		for _, label := range matched {
			assert.True(t, all[name][label], "%s: %s has no label %s", where, name, label)
		}
	}
	for _, label := range grouped {
		assert.True(t, labels[label], "%s: there is no label %s in %s", where, label, expr)
	}
}

func TestUses(t *testing.T) {
	of, grouped := uses(`histogram_quantile(0.99, sum by (kind, le) (rate(a_bucket{x="y, z", kind=~"$k"}[$__rate_interval])))
		> 1e3 * (b offset 30m) and on (job) c{d!="f"} or absent(up{job="e"})`)
	assert.Equal(t, []string{"kind", "le", "job"}, grouped)
	assert.Equal(t, map[string][]string{"a_bucket": {"x", "kind"}, "b": nil, "c": {"d"}, "up": {"job"}}, of)
}

// dashboard is what is looked at of one of Grafana.
type dashboard struct {
	UID, Title string
	Panels     []struct {
		ID          int
		Type, Title string
		Description string
		Targets     []struct{ Expr, RefID string }
		GridPos     struct{ X, Y, W, H int }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

func TestDashboardShowsWhatIsServed(t *testing.T) {
	data, err := os.ReadFile("grafana/evenkeel.json")
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(data, &d))
	all := everything(t)
	ids, shown := make(map[int]bool), make(map[string]bool)
	for _, p := range d.Panels {
		assert.False(t, ids[p.ID], "%s: another panel has its id", p.Title)
		ids[p.ID] = true
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		if p.Type == "row" {
			continue
		}
		assert.NotEmpty(t, p.Description, p.Title)
		assert.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			all.holds(t, p.Title, target.Expr)
			of, _ := uses(target.Expr)
			for name := range of {
				shown[name] = true
			}
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			args := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.Definition)
			require.Len(t, args, 3, v.Definition)
			all.holds(t, v.Name, "sum by ("+args[2]+") ("+args[1]+")")
		}
	}
	for name := range all {
		base := strings.TrimSuffix(name, "_sum")
		if strings.HasPrefix(name, "evenkeel_") && !hidden(base) {
			assert.True(t, shown[name], "the dashboard does not show %s", name)
		}
	}
}

// hidden tells whether a metric needs no panel: it says the same as another, or is
// for those who look for the cause of something.
func hidden(name string) bool {
	return slices.Contains([]string{
		"evenkeel_instance_settled", "evenkeel_pass_duration_seconds", "evenkeel_process_ends_total",
		"evenkeel_stream_scrape_duration_seconds", "evenkeel_stream_scrape_dropped_samples",
	}, name)
}

// rule is one of Prometheus.
type rule struct {
	Alert, Expr string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) (all []rule) {
	t.Helper()
	data, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)
	var file struct{ Groups []struct{ Rules []rule } }
	require.NoError(t, yaml.Unmarshal(data, &file))
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

func TestAlertsAreOfWhatIsServed(t *testing.T) {
	tried, err := os.ReadFile("alerts_test.yml")
	require.NoError(t, err)
	all := everything(t)
	for _, a := range alerts(t) {
		all.holds(t, a.Alert, a.Expr)
		assert.Contains(t, []string{"warning", "critical"}, a.Labels["severity"], a.Alert)
		assert.NotEmpty(t, a.Annotations["summary"], a.Alert)
		assert.NotEmpty(t, a.Annotations["description"], a.Alert)
		assert.Contains(t, string(tried), `ALERTS{alertname="`+a.Alert+`"`, "no test shows that it fires")
	}
}

// The document has a row for each metric, and for no other.
func TestDocumentNamesWhatIsServed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "metrics.md"))
	require.NoError(t, err)
	rows := make(map[string][]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `((?:evenkeel|umh_core)_\\w+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = regexp.MustCompile(`\w+`).FindAllString(m[2], -1)
	}
	want := make(map[string][]string)
	add := func(all served) {
		for name, labels := range all {
			if name = strings.TrimSuffix(name, "_bucket"); !strings.HasPrefix(name, "evenkeel_") && !strings.HasPrefix(name, "umh_core_") ||
				strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count") {
				continue
			}
			want[name] = slices.DeleteFunc(slices.Sorted(maps.Keys(labels)), func(l string) bool { return l == "" || l == "le" || l == "job" || l == "instance" })
		}
	}
	add(everything(t))
	inWorld(t, metrics.Config{UMHCore: true}, func(t *testing.T, w *world) {
		require.NoError(t, w.services.Apply(t.Context(), services{"web": running("sleep", "1")}))
		pass(10 * time.Second)
		all := make(served)
		all.add(t, page(t, w.registry))
		add(all)
	})
	for name, labels := range want {
		got := slices.DeleteFunc(slices.Sorted(slices.Values(rows[name])), func(l string) bool { return l == "instance" })
		assert.ElementsMatch(t, labels, got, name)
	}
	for name := range rows {
		assert.Contains(t, want, name, "nobody serves it")
	}
}
