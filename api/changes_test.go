package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// roll is a source that lists what it has.
type roll struct {
	Source
	kind string
	all  []Summary
	asks int
}

func (r *roll) Kind() string    { return r.kind }
func (r *roll) List() []Summary { r.asks++; return r.all }

// called is a roll of running instances with these names.
func called(names ...string) *roll {
	r := &roll{kind: "gate"}
	for _, name := range names {
		r.all = append(r.all, Summary{
			Kind: "gate", Name: name, State: "open", Phase: fsm.PhaseRunning, Since: time.Now(), Runs: true, Settled: true,
			Reason: fsm.Because("it is up").With("as was seen"), Figures: Figures{PID: 7, Up: time.Now(), Traffic: &Traffic{Sent: 1}},
		})
	}
	return r
}

func names(c Changes) (all []string) {
	for _, one := range c.Instances {
		all = append(all, one.Name)
	}
	return all
}

func TestOnlyWhatHasChangedIsListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := called("a", "b", "c")
		h := (&Server{Sources: []Source{r}, Feed: NewFeed()}).Handler(Access{Local: true})
		after := func(cursor int64) Changes {
			time.Sleep(time.Second)
			return read[Changes](t, h, fmt.Sprint("/api/changes?after=", cursor))
		}
		all := read[Changes](t, h, "/api/changes")
		assert.True(t, all.All)
		assert.Equal(t, []string{"a", "b", "c"}, names(all))
		assert.Less(t, all.Cursor, int64(1)<<53, "a number of JavaScript")
		none := after(all.Cursor)
		assert.Equal(t, Changes{Cursor: all.Cursor, Instances: []Summary{}, Last: none.Last}, none)

		r.all[0].NextPass = time.Now()
		assert.Empty(t, names(after(all.Cursor)), "that it is looked at is no change")
		r.all[1].Traffic = &Traffic{Sent: 1}
		assert.Empty(t, names(after(all.Cursor)), "the same figures")
		r.all[1].Traffic = &Traffic{Sent: 2}
		one := after(all.Cursor)
		assert.False(t, one.All)
		assert.Equal(t, []string{"b"}, names(one))
		r.all[2].State = "closed"
		assert.Equal(t, []string{"c"}, names(after(one.Cursor)))
		both := after(all.Cursor)
		assert.Equal(t, []string{"b", "c"}, names(both), "for those who did not look meanwhile")

		r.all = r.all[1:]
		gone := after(both.Cursor)
		assert.Equal(t, []Named{{"gate", "a"}}, gone.Gone)
		assert.Empty(t, gone.Instances)
		r.all = append(called("a").all, r.all...)
		back := after(both.Cursor)
		assert.Equal(t, []string{"a"}, names(back))
		assert.Empty(t, back.Gone)

		assert.True(t, after(back.Cursor+1000).All, "the cursor of another program")
		assert.True(t, after(all.Cursor-1000000).All)
	})
}

func TestThoseWhoLookAtOnceShareWhatIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := called("a")
		h := (&Server{Sources: []Source{r}, Feed: NewFeed()}).Handler(Access{Local: true})
		for range 10 {
			read[Changes](t, h, "/api/changes")
		}
		assert.Equal(t, 1, r.asks)
		time.Sleep(shareTime)
		read[Changes](t, h, "/api/changes")
		assert.Equal(t, 2, r.asks)
	})
}

// A ledger holds no more than so much of what is gone.
func TestWhatIsGoneIsForgotten(t *testing.T) {
	l, r, now := newLedger(), called(), time.Now()
	l.look(now, []Source{r})
	before := l.cursor
	for n := range goneSize + 1 {
		r.all = called(fmt.Sprint(n)).all
		now = now.Add(time.Minute)
		l.look(now, []Source{r})
	}
	assert.Len(t, l.gone, goneSize)
	assert.False(t, l.since(before).All, "all that is forgotten is one that came and went")
	r.all = nil
	l.look(now.Add(time.Minute), []Source{r})
	assert.True(t, l.since(before).All)
	assert.Len(t, l.all, 0)
}

func TestRightsAreThoseOfWhoAsks(t *testing.T) {
	for name, tt := range map[string]struct {
		access Access
		hands  Hands
		header []string
		writes string
	}{
		"nobody writes":     {Access{}, &hands{}, nil, "no"},
		"without hands":     {Access{Local: true}, nil, nil, "no"},
		"over a socket":     {Access{Local: true}, &hands{}, nil, "yes"},
		"without the token": {Access{Token: "t"}, &hands{}, nil, "token"},
		"another token":     {Access{Token: "t"}, &hands{}, []string{"Authorization", "Bearer u"}, "token"},
		"an empty token":    {Access{}, &hands{}, []string{"Authorization", "Bearer "}, "no"},
		"with the token":    {Access{Token: "t"}, &hands{}, []string{"Authorization", "Bearer t"}, "yes"},
	} {
		s, _, _ := shown(t, tt.hands)
		code, text := ask(t, s.Handler(tt.access), http.MethodGet, "http://127.0.0.1/api/rights", tt.header...)
		assert.Equal(t, http.StatusOK, code, name)
		assert.JSONEq(t, fmt.Sprintf(`{"version": "1.2.3", "writes": %q}`, tt.writes), text, name)
	}
}

func TestThePageIsServedBesideTheRest(t *testing.T) {
	s, _, _ := shown(t, nil)
	s.Page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page of "+r.URL.Path) })
	h := s.Handler(Access{})
	for _, path := range []string{"/", "/page/main.js"} {
		code, text := ask(t, h, http.MethodGet, "http://127.0.0.1"+path)
		assert.Equal(t, http.StatusOK, code)
		assert.Equal(t, "page of "+path, text)
	}
	code, _ := ask(t, h, http.MethodGet, "http://127.0.0.1/other")
	assert.Equal(t, http.StatusNotFound, code)
	code, _ = ask(t, h, http.MethodGet, "http://evil.example/")
	assert.Equal(t, http.StatusMisdirectedRequest, code)
	s.Page = nil
	code, _ = ask(t, s.Handler(Access{}), http.MethodGet, "http://127.0.0.1/")
	assert.Equal(t, http.StatusNotFound, code)
}

// BenchmarkWatchers reports what three pages that look at 1,000 instances cost the
// server, which ask every 5 s: in percent of a core.
func BenchmarkWatchers(b *testing.B) {
	const instances, watchers = 1000, 3
	for _, changing := range []int{0, 100, 1000} {
		b.Run(fmt.Sprintf("changing=%d", changing), func(b *testing.B) {
			r := called()
			for n := range instances {
				r.all = append(r.all, called(fmt.Sprintf("instance-%04d", n)).all...)
			}
			l := newLedger()
			h := (&Server{Sources: []Source{r}, Feed: NewFeed()}).Handler(Access{Local: true})
			body := read[Changes](b, h, "/api/changes")
			cursor, bytes := body.Cursor, 0
			now := time.Now()
			for b.Loop() {
				for n := range changing {
					r.all[n].Traffic = &Traffic{Sent: r.all[n].Traffic.Sent + 1}
				}
				now = now.Add(time.Minute)
				l.look(now, r.sources())
				text, err := shownJSON(l.since(cursor))
				require.NoError(b, err)
				cursor, bytes = l.cursor, len(text)
			}
			b.ReportMetric(float64(bytes), "B/answer")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)*watchers/float64(5*time.Second)*100, "%core")
		})
	}
	b.Run("first", func(b *testing.B) {
		r := called()
		for n := range instances {
			r.all = append(r.all, called(fmt.Sprintf("instance-%04d", n)).all...)
		}
		h := (&Server{Sources: []Source{r}, Feed: NewFeed()}).Handler(Access{Local: true})
		for b.Loop() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/changes", nil))
			require.False(b, strings.Contains(w.Body.String(), "detail"))
		}
	})
}

func (r *roll) sources() []Source { return []Source{r} }
