package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/fsm/order"
)

// needs are what each instance starts after, and stops before.
type needs map[string][]order.Need

// anyNeeds returns what the instances of a seed need: nothing in three of four
// seeds, and no circle in the others.
func anyNeeds(seed uint64) needs {
	if seed%4 != 1 {
		return nil
	}
	random, all := rand.New(rand.NewPCG(seed, 11)), names()
	random.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	n := make(needs)
	for at, name := range all {
		for _, other := range all[:at] {
			if at == 1 || random.IntN(2) == 0 {
				n[name] = append(n[name], order.Need{ID: idOf(other), Is: pick(random, order.Ready, order.Ready, order.Ready, order.Running, order.Running, order.Done)})
			}
		}
	}
	return n
}

// users returns who needs an instance.
func (n needs) users(name string) (all []string) {
	for _, user := range names() {
		if slices.ContainsFunc(n[user], func(need order.Need) bool { return need.Name == name }) {
			all = append(all, user)
		}
	}
	return all
}

func (n needs) String() string {
	var all []string
	for _, user := range names() {
		for _, need := range n[user] {
			all = append(all, fmt.Sprintf("%s needs %s to be %s", user, need.Name, need.Is))
		}
	}
	return strings.Join(all, ", ")
}

func idOf(name string) order.ID {
	if isStream(name) {
		return order.ID{Kind: "stream", Name: name}
	}
	return order.ID{Kind: "service", Name: name}
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }
