package fsm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// TestRandomLivesOfParents has lamps suffer at random on which rooms are built,
// then lets calm return: each room must come to what was asked of it last, with
// a lamp that fits it.
func TestRandomLivesOfParents(t *testing.T) {
	for seed := range uint64(60) {
		fakeTime(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			h, tr := newHouse(), newTrouble()
			lamps := flickering(t, h)
			lamps.Discover = h.discover
			h.put("c", bulb{There: true, Power: true, Glows: true, Watts: 10}, lit(10))
			h.put("d", bulb{There: true, Power: true, Glows: true, Watts: -1}, lit(-1))
			h.hook(tr.hook)
			m := rooms(t, lamps, fsm.Config{Parallel: 2, PassTimeout: time.Second, Backoff: fsm.Backoff{Jitter: -1}})
			t.Cleanup(tr.calm)
			want := map[string]roomDesired{}
			require.NoError(t, m.Apply(t.Context(), want))
			var story []string
			for range 120 {
				name := modelNames[random.IntN(4)]
				switch random.IntN(8) {
				case 0, 1:
					d := roomDesired{State: roomBright, Spec: &room{watts(random.IntN(4)*20 - 20)}}
					if random.IntN(3) == 0 {
						d.State = roomDark
					}
					err := m.Set(t.Context(), name, d)
					story = append(story, fmt.Sprintf("set %s %s %d: %v", name, d.State, d.Spec.Watts, err))
					if d.Spec.Watts < 0 {
						require.Error(t, err)
						break
					}
					require.NoError(t, err)
					want[name] = d
				case 2:
					story = append(story, fmt.Sprintf("remove %s: %v", name, m.Remove(t.Context(), name)))
					delete(want, name)
				case 3, 4:
					story = append(story, name+" "+tr.befall(random, name))
				case 5:
					h.cut(name)
					story = append(story, name+" goes dark")
				case 6:
					_ = m.Retry(name)
					story = append(story, name+" is retried")
				case 7:
					short, cancel := context.WithTimeout(t.Context(), time.Second)
					story = append(story, fmt.Sprintf("restart %s: %v", name, m.Restart(short, name)))
					cancel()
				}
				time.Sleep(time.Duration(random.Int64N(int64(time.Second))))
			}
			tr.calm()
			for _, name := range modelNames {
				_ = m.Retry(name)
			}
			elapse(2 * time.Minute)
			checkRooms(t, h, m, want)
			if t.Failed() {
				t.Logf("what happened: %s", strings.Join(story, "\n"))
			}
		})
	}
}

func checkRooms(t *testing.T, h *house, m *roomManager, want map[string]roomDesired) {
	t.Helper()
	assert.Len(t, m.Snapshot(), len(want))
	for name, d := range want {
		s, _ := m.Instance(name)
		require.NotNil(t, s, name)
		assert.Equal(t, d.State, s.State, "%s: %s %v", name, s.Reason, s.Err)
		assert.True(t, s.Settled, "%s: %s %v", name, s.Reason, s.Err)
		lamp, _, _ := h.look(name)
		assert.Equal(t, d.State == roomBright, lamp.Glows, name)
		if lamp.Glows {
			assert.Equal(t, d.Spec.Watts, lamp.Watts, name)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, open := range h.opened {
		_, listed := want[name]
		assert.Equal(t, listed, open == 1, "drivers of %s that are open: %d", name, open)
		assert.Equal(t, listed, h.lamps[name] != nil, name)
	}
	assert.Empty(t, h.twice)
}
