package fsm_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

// squeeze drops empty lines.
func squeeze(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestCheckName(t *testing.T) {
	tests := []struct{ name, rule string }{
		{"a", ""},
		{"benthos-1", ""},
		{"with space", ""},
		{"größe", ""},
		{"dots.in.it", ""},
		{"-dash", ""},
		{strings.Repeat("n", fsm.MaxName), ""},
		{"", "must not be empty"},
		{".", "begin with a dot"},
		{".hidden", "begin with a dot"},
		{"..", "begin with a dot"},
		{"a..b", "two dots in a row"},
		{"a/b", "a slash"},
		{"/etc", "a slash"},
		{"../x", "begin with a dot"},
		{"a\x00b", "NUL"},
		{"a\nb", "control character"},
		{"a\x7f", "control character"},
		{"a\u0085b", "control character"},
		{"a\xffb", "UTF-8"},
		{strings.Repeat("n", fsm.MaxName+1), "longer than 200 bytes"},
	}
	for _, tt := range tests {
		err := fsm.CheckName(tt.name)
		if tt.rule == "" {
			assert.NoError(t, err, "%q", tt.name)
			continue
		}
		assert.ErrorIs(t, err, fsm.ErrName, "%q", tt.name)
		assert.ErrorContains(t, err, tt.rule, "%q", tt.name)
	}
}

func FuzzCheckName(f *testing.F) {
	for _, name := range []string{"a", "..", "a/../b", "\x00", ".a"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if fsm.CheckName(name) != nil {
			return
		}
		assert.Equal(t, "dir/"+name, filepath.Join("dir", name), "an accepted name is one element of a path")
		assert.True(t, filepath.IsLocal(name))
	})
}

func TestBackoffStaysInBounds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		b := fsm.Backoff{
			Base:   time.Duration(random.Int64N(int64(time.Minute))),
			Cap:    time.Duration(random.Int64N(int64(time.Hour))),
			Jitter: random.Float64()*3 - 1,
		}
		calm := b
		calm.Jitter = -1
		failures := random.IntN(2000)
		d, full := b.Delay(failures), calm.Delay(failures)
		limit := b.Cap
		if limit == 0 {
			limit = 30 * time.Second
		}
		assert.LessOrEqual(t, full, limit, "%+v after %d", b, failures)
		assert.LessOrEqual(t, d, full, "%+v after %d", b, failures)
		assert.GreaterOrEqual(t, d, time.Duration(0), "%+v after %d", b, failures)
		assert.GreaterOrEqual(t, calm.Delay(failures+1), full, "it never shrinks: %+v after %d", b, failures)
	}
}

func TestBackoffDefaults(t *testing.T) {
	calm := fsm.Backoff{Jitter: -1}
	want := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}
	for failures, d := range want {
		assert.Equal(t, d, calm.Delay(failures))
	}
	assert.Equal(t, 30*time.Second, calm.Delay(10))
	assert.Equal(t, 30*time.Second, calm.Delay(1<<30))
	assert.Zero(t, calm.Delay(-1))
	for range 100 {
		d := fsm.Backoff{}.Delay(1)
		assert.GreaterOrEqual(t, d, 80*time.Millisecond)
		assert.LessOrEqual(t, d, 100*time.Millisecond)
	}
	assert.Equal(t, time.Second, fsm.Backoff{Base: time.Minute, Cap: time.Second, Jitter: -1}.Delay(1), "the cap holds for the first delay too")
}
