package machine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain is a drawing of the table of a gate, as Graphviz prints it.
const plain = `graph 1 2 4
node to_be_created 1 3.5 1 0.5 "to_be_created\n " rounded box black lightgrey
node creating 1 2.5 1 0.5 creating rounded box black lightgrey
node closed 1 1.5 0.5 0.25 closed rounded box black lightgrey
node removing 2 1 1 0.5 removing rounded box black lightgrey
node removed 2 0.5 1 0.5 removed rounded box black lightgrey
edge to_be_created creating 4 1 3.25 1 3 1 2.9 1 2.75 solid black
edge removed creating 4 2 0.75 2 1 1 2 1 2.25 solid black
edge creating closed 4 1 2.25 1 2 1 1.9 1 1.75 solid black
edge to_be_created removing 4 1 3 1 2 2 2 2 1 solid black
edge creating removing 4 1 2 1 1.5 2 1.5 2 1 solid black
edge closed removing 4 1 1 1.5 1 1.5 1 2 1 solid black
edge removing removed 4 2 1 2 0.9 2 0.8 2 0.7 solid black
stop
`

func gate(t *testing.T, name fsm.State) *fsm.Table {
	t.Helper()
	table, err := fsm.NewTable(fsm.TableSpec{
		Name: "gate", States: []fsm.StateSpec{{Name: name, Phase: fsm.PhaseStopped}}, Initial: name,
		Targets: []fsm.Target{{Name: name, Phase: fsm.PhaseStopped}},
	})
	require.NoError(t, err)
	return table
}

func TestRead(t *testing.T) {
	table := gate(t, "closed")
	d, err := Read(table, plain)
	require.NoError(t, err)
	assert.Equal(t, 144.0, d.Width)
	assert.Equal(t, 288.0, d.Height)
	assert.Equal(t, State{Name: "closed", Phase: fsm.PhaseStopped, Lines: []string{"closed"}, X: 72, Y: 180, Width: 36, Height: 18}, d.States[2])
	assert.Equal(t, Move{From: "creating", To: "closed", Events: []fsm.Event{"create_done"}, Path: "M72 126C72 144 72 151.2 72 162"}, d.Moves[2])
	assert.NoError(t, d.Shows(table))
	assert.ErrorContains(t, d.Shows(gate(t, "shut")), "has no state shut")
	for what, text := range map[string]string{
		"a state is missing":       strings.Replace(plain, "node closed 1 1.5 0.5 0.25 closed rounded box black lightgrey\n", "", 1),
		"a row is missing":         strings.Replace(plain, "edge creating closed 4 1 2.25 1 2 1 1.9 1 1.75 solid black\n", "", 1),
		"a state too many":         plain + "node open 1 1 1 1 open\n",
		"no number":                strings.Replace(plain, "node closed 1 1.5", "node closed 1 x", 1),
		"not so many points":       strings.Replace(plain, "edge creating closed 4", "edge creating closed 400", 1),
		"a size that is no number": strings.Replace(plain, "graph 1 2 4", "graph 1 2 x", 1),
	} {
		_, err := Read(table, text)
		assert.Error(t, err, what)
	}
}

func TestLines(t *testing.T) {
	for name, want := range map[fsm.State][]string{
		"running":                           {"running"},
		"starting_config_loading":           {"starting_config_", "loading"},
		"starting_waiting_for_healthchecks": {"starting_waiting_", "for_healthchecks"},
		"averyverylongwordwithoutanybreaks": {"averyverylongwordwithoutanybreaks"},
	} {
		assert.Equal(t, want, Lines(name))
	}
}
