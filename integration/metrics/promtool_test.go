//go:build integration

package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// files is where the rules and the dashboard are.
const files = "../../metrics"

// promtool runs it, and returns what it says.
func promtool(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	require.NoError(t, err, "sh scripts/require.sh promtool installs it")
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Each alert fires when it is to, and not before, and none does where all is well.
func TestAlerts(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", files + "/alerts.yml"}, {"test", "rules", files + "/alerts_test.yml"}} {
		said, err := promtool(t, "", args...)
		assert.NoError(t, err, said)
	}
}

// A test of an alert that does not fire any more fails.
func TestTestsOfAlertsCanFail(t *testing.T) {
	dir := t.TempDir()
	rules, err := os.ReadFile(filepath.Join(files, "alerts.yml"))
	require.NoError(t, err)
	tests, err := os.ReadFile(filepath.Join(files, "alerts_test.yml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "alerts_test.yml"), tests, 0o600))
	blocks := strings.Split(string(rules), "      - alert: ")
	require.Greater(t, len(blocks), 2)
	for n := 1; n < len(blocks); n++ {
		others := append(append([]string{}, blocks[:n]...), blocks[n+1:]...)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "alerts.yml"), []byte(strings.Join(others, "      - alert: ")), 0o600))
		_, err := promtool(t, "", "test", "rules", filepath.Join(dir, "alerts_test.yml"))
		name, _, _ := strings.Cut(blocks[n], "\n")
		assert.Error(t, err, "nothing fails without %s", name)
	}
}

// Prometheus takes every expression of the dashboard, once Grafana has put something
// in place of its variables.
func TestDashboardIsUnderstood(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(files, "grafana", "evenkeel.json"))
	require.NoError(t, err)
	var d struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &d))
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var all []rule
	variables := strings.NewReplacer("$__rate_interval", "1m", "$instance", "a|b", "$name", ".*")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, rule{fmt.Sprintf("panel:%d", len(all)), variables.Replace(target.Expr)})
		}
	}
	require.NotEmpty(t, all)
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": all}}})
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "dashboard.yml")
	require.NoError(t, os.WriteFile(name, text, 0o600))
	said, err := promtool(t, "", "check", "rules", name)
	assert.NoError(t, err, said)
	assert.Contains(t, said, fmt.Sprintf("%d rules found", len(all)))
}
