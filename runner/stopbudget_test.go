package runner

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStopBudgetLeavesEachItsTime(t *testing.T) {
	steps := []time.Duration{EngineTime, killTime, HaltTime, programTime, programTime + scanTime, containerTime, dockerTime}
	assert.IsIncreasing(t, steps)
	assert.Less(t, programTime+overlayTime, dockerTime, "under s6-overlay")
}

// The numbers of the container are in files that Go does not read.
func TestStopBudgetIsTheContainers(t *testing.T) {
	for _, number := range []struct {
		file, pattern, unit string
		want                time.Duration
	}{
		{"container/service/timeout-kill", `^(\d+)\n$`, "ms", programTime},
		{"container/s6-rc.d/PROGRAM/timeout-kill", `^(\d+)\n$`, "ms", programTime},
		{"container/programs/evenkeel", ` --stop-timeout (\S+)s `, "s", HaltTime},
		{"container/end", `\n\tsleep (\S+)\n.*kill -KILL -1\n`, "s", containerTime},
		{"container/end", `\nsleep (\S+)\ns6-svscanctl -t `, "s", scanTime},
		{"container/end", `\ns6-svscanctl -t \S+\nsleep (\S+)\n`, "s", orderTime},
		{"container/run.sh", `docker stop -t (\d+) `, "s", dockerTime},
		{"docker-compose.yml", `stop_grace_period: (\d+)s\n`, "s", dockerTime},
		{"Dockerfile", `S6_KILL_GRACETIME=(\d+)`, "ms", overlayTime},
	} {
		text, err := os.ReadFile("../" + number.file)
		require.NoError(t, err)
		found := regexp.MustCompile(number.pattern).FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, found, "%s has no %s", number.file, number.pattern)
		for _, match := range found {
			got, err := time.ParseDuration(match[1] + number.unit)
			require.NoError(t, err, number.file)
			assert.Equal(t, number.want, got, "%s: runner/stopbudget.go has another number: change both", number.file)
		}
	}
}
