package order

import (
	"sync"
	"time"
)

// Config says how an Order sees instances.
type Config struct {
	// Look returns what is seen of an instance. It returns at once.
	Look func(ID) View
	// Begun reports whether an instance was started by an earlier run of the
	// program: it runs, or has come to its end. It may take time. Where that is not
	// known, begun is what it is taken for until it is asked again.
	Begun func(ID) (begun, known bool)
	// Wake has an instance looked at.
	Wake func(ID)
}

// stopSlack is what instances get beyond the time that their stop may take before
// what they need stops nevertheless.
const stopSlack = 10 * time.Second

// Order keeps instances waiting for one another. Its methods may be called from
// any goroutine.
type Order struct {
	config Config

	mu       sync.Mutex // guards all below
	members  map[ID]Member
	leaving  map[ID]Member // those that are not declared any more, and may still run, or wait to
	users    map[ID][]ID   // by whom each is needed of those that are to stop
	applying int
	release  time.Time // when nothing waits any more with its stop; zero for never
	begun    map[ID]answer
	through  map[ID]bool        // those that may start by what is declared
	waiting  map[ID]map[ID]View // what each one that is held was seen to wait for
	stays    map[ID]time.Time   // until when each one that is to stop goes on at most
}

// answer says whether an instance was started that its manager does not see started:
// by an earlier run of the program, or by a start that failed half-way. One that is
// not sure is asked for again.
type answer struct {
	begun, sure bool
	stops       bool // it is asked to stop, and was not seen stopped yet
}

// New returns an Order of nothing.
func New(config Config) *Order {
	return &Order{
		config: config, members: make(map[ID]Member), leaving: make(map[ID]Member),
		begun: make(map[ID]answer), through: make(map[ID]bool), waiting: make(map[ID]map[ID]View), stays: make(map[ID]time.Time),
	}
}
