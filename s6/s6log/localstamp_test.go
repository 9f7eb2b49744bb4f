package s6log

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseLocalStamp(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	for _, test := range []struct {
		stamp string
		loc   *time.Location
		want  time.Time
	}{
		{"2026-11-23 04:44:49.377639411", time.UTC, time.Date(2026, 11, 23, 4, 44, 49, 377639411, time.UTC)},
		{"2026-11-23 13:44:49.386563003", tokyo, time.Date(2026, 11, 23, 4, 44, 49, 386563003, time.UTC)},
		{"2028-02-29 00:00:00.000000000", time.UTC, time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"2016-12-31 23:59:60.500000000", time.UTC, time.Date(2017, 1, 1, 0, 0, 0, 500000000, time.UTC)},
	} {
		got, ok := parseLocalStamp([]byte(test.stamp), test.loc)
		require.True(t, ok, test.stamp)
		assert.Equal(t, test.want, got, test.stamp)
	}
	for _, stamp := range []string{
		"",
		"2026-11-23 04:44:49.37763941",
		"2026-11-23 04:44:49.3776394111",
		"2026-11-23T04:44:49.377639411",
		"2026-11-23 04:44:49,377639411",
		"2026-11-2x 04:44:49.377639411",
		"2026-13-01 04:44:49.377639411",
		"2026-02-29 04:44:49.377639411",
		"2026-11-00 04:44:49.377639411",
		"2026-11-23 24:00:00.000000000",
		"2026-11-23 04:60:49.377639411",
		"2026-11-23 04:44:61.377639411",
	} {
		_, ok := parseLocalStamp([]byte(stamp), time.UTC)
		assert.False(t, ok, stamp)
	}
}

func FuzzLocalStamp(f *testing.F) {
	f.Add("2026-11-23 04:44:49.377639411")
	f.Fuzz(func(t *testing.T, stamp string) {
		if at, ok := parseLocalStamp([]byte(stamp), time.UTC); ok && !strings.Contains(stamp, ":60.") {
			assert.Equal(t, stamp, at.Format("2006-01-02 15:04:05.000000000"))
		}
	})
}
