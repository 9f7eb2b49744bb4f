package benthos

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/s6"
)

// processes are those of instances.
type processes struct {
	tree    s6.Tree
	pids    []int
	gone    []string // instances whose directories no process holds
	unknown error    // why it cannot be told whose a port is
}

// processesOf returns those of the named instances.
func processesOf(tree s6.Tree, names []string) *processes {
	all := &processes{tree: tree}
	for _, name := range names {
		process, err := tree.Process(tree.Layout().Service(name))
		switch {
		case err != nil:
			all.unknown = err
		case !process.Held:
			all.gone = append(all.gone, name)
		case process.PID == 0:
			all.unknown = fmt.Errorf("the process of %q is in another PID namespace", name)
		}
		all.pids = append(all.pids, process.PID)
	}
	return all
}

// taken says who else listens somewhere, "" for nobody. What is left of service
// directories that were deleted is no one else's; it is looked for where somebody
// does.
func (o *processes) taken(prober Prober, l Listen) (problem string) {
	problem = portProblem(prober, l, o.pids)
	if problem == "" || len(o.gone) == 0 {
		return problem
	}
	for _, name := range o.gone {
		left, err := o.tree.Remains(o.tree.Layout().Service(name), s6.Sighting{}, time.Now())
		if err != nil {
			o.unknown = err
		}
		for _, r := range left {
			o.pids = append(o.pids, r.PID)
		}
	}
	o.gone = nil
	return portProblem(prober, l, o.pids)
}
