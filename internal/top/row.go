package top

import (
	"cmp"
	"math"
	"time"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// key is which instance is meant.
type key struct{ kind, name string }

// row is an instance in the table.
type row struct {
	api.Summary
	rank     rank
	trouble  time.Time // when something was wrong last
	in, sent series    // messages a second
}

// rank is how soon an instance is to be seen, the lowest first.
type rank int

const (
	isWrong  rank = iota // it is asked to run and does not, or what is asked of it fails; or it did lately
	isMoving             // it is on its way to what is asked of it
	isWell
)

// lately is for how long what was wrong is shown among what is, so that an instance
// that fails again and again has one place.
const lately = 10 * time.Second

func (r *row) key() key { return key{r.Kind, r.Name} }

// becomes has the row show what an instance is now.
func (r *row) becomes(s api.Summary, now time.Time) {
	r.Summary = s
	r.rank = isWell
	if s.Phase == fsm.PhaseDegraded || s.Phase == fsm.PhaseFailed || s.Error != "" || s.Held || s.Refused != "" {
		r.trouble = now
	}
	switch {
	case now.Sub(r.trouble) < lately:
		r.rank = isWrong
	case s.Wrong() != "" || !s.Settled && s.Layer == "":
		r.rank = isMoving
	}
}

// sample adds what the instance does now to its rates.
func (r *row) sample() {
	in, sent := math.NaN(), math.NaN()
	if t := r.Traffic; t != nil {
		in, sent = t.ReceivedRate, t.SentRate
	}
	r.in.add(in)
	r.sent.add(sent)
}

// received and delivered are messages a second, -1 where nobody knows.
func (r *row) received() float64 {
	if r.Traffic == nil {
		return -1
	}
	return r.Traffic.ReceivedRate
}

func (r *row) delivered() float64 {
	if r.Traffic == nil {
		return -1
	}
	return r.Traffic.SentRate
}

// byName compares two rows by their names.
func byName(a, b *row) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind)) }

// byRank compares two rows by what is wrong with them.
func byRank(a, b *row) int { return cmp.Compare(a.rank, b.rank) }
