package config_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm/order"
)

// needing returns a service by a name, a version that its command has, and what it
// depends on.
func needing(name, version string, on ...string) string {
	return fmt.Sprintf("  - {name: %s, dependsOn: [%s], s6ServiceConfig: {command: [%q]}}\n", name, strings.Join(on, ", "), version)
}

const dependencies = `
services:
  - {name: web, dependsOn: [db, {name: flow, is: running}, benthos-db, migrate, {name: migrate2, is: ready}], s6ServiceConfig: {command: [a]}}
  - {name: db, s6ServiceConfig: {command: [a]}}
  - {name: migrate, restart: never, s6ServiceConfig: {command: [a]}}
  - {name: migrate2, restart: never, s6ServiceConfig: {command: [a]}}
benthos:
  - {name: db, dependsOn: [db], benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}
dataFlow:
  - {name: flow, dependsOn: [{name: migrate, is: done}], dataFlowComponentConfig: {benthos: {input: {stdin: {}}, output: {drop: {}}}}}
`

// TestDependencies are found by the names that files have, across kinds.
func TestDependencies(t *testing.T) {
	d := readText(t, dependencies)
	d.Order(nil)
	require.Empty(t, problems(d))
	service := func(name string) order.ID { return order.ID{Kind: "service", Name: name} }
	stream := func(name string) order.ID { return order.ID{Kind: "stream", Name: name} }
	assert.Equal(t, []order.Need{
		{ID: service("db"), Is: order.Ready}, {ID: stream("benthos-dataflow-flow"), Is: order.Running},
		{ID: stream("benthos-db"), Is: order.Ready}, {ID: service("migrate"), Is: order.Done}, {ID: service("migrate2"), Is: order.Ready},
	}, d.Needs(config.Key{Kind: config.KindService, Name: "web"}))
	assert.Equal(t, []order.Need{{ID: service("db"), Is: order.Ready}}, d.Needs(config.Key{Kind: config.KindStream, Name: "benthos-db"}), "the service has it whole")

	d = readText(t, `
services: [{name: web, dependsOn: [db], s6ServiceConfig: {command: [a]}}]
benthos: [{name: db, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}]
dataFlow: [{name: db, dataFlowComponentConfig: {benthos: {input: {stdin: {}}, output: {drop: {}}}}}]
`)
	assert.Equal(t, `f.yaml:2:36: dependsOn.0: several entries have the name "db": name the s6 service that is meant, benthos-db or benthos-dataflow-db`, problems(d))
}

// TestOrder: an entry that depends on what cannot be had stays as it was declared
// last, and so does what it depended on then.
func TestOrder(t *testing.T) {
	last := "services:\n" + needing("a", "1", "b") + needing("b", "1", "c") + needing("c", "1")
	for name, test := range map[string]struct {
		now      string
		want     string // each entry and its version
		problems string
	}{
		"nothing":               {last, "a1 b1 c1", ""},
		"all changed":           {"services:\n" + needing("a", "2") + needing("b", "2", "a") + needing("c", "2", "b"), "a2 b2 c2", ""},
		"what it needs is gone": {"services:\n" + needing("a", "2", "b") + needing("b", "2", "c"), "a2 b1 c1", "f.yaml:3:27: dependsOn.0: there is no entry \"c\": did you mean a?\nf.yaml:4:5: c is not declared any more, and b depends on it, which stays as it was: so does this"},
		"a circle with what stays": {
			"services:\n" + needing("a", "2", "zzzzz") + needing("b", "2", "a"), "a1 b1 c1",
			"f.yaml:2:27: dependsOn.0: there is no entry \"zzzzz\"\n" +
				"f.yaml:3:27: dependsOn.0: a circle: a needs b needs a\n" +
				"f.yaml:4:5: c is not declared any more, and b depends on it, which stays as it was: so does this",
		},
		"a new one needs a new one that is wrong": {
			last + needing("d", "1", "e") + "  - {name: e}\n", "a1 b1 c1",
			"f.yaml:5:27: dependsOn.0: e cannot be taken, and so this cannot\nf.yaml:6:5: s6ServiceConfig.command: it must name a program",
		},
		"a new one needs one that stays": {
			"services:\n" + needing("a", "2", "b") + "  - {name: b}\n" + needing("c", "2") + needing("d", "1", "b"), "a2 b1 c2 d1",
			"f.yaml:3:5: s6ServiceConfig.command: it must name a program",
		},
		"a new circle of new ones": {
			last + needing("d", "1", "e") + needing("e", "1", "d"), "a1 b1 c1",
			"f.yaml:5:27: dependsOn.0: a circle: d needs e needs d\nf.yaml:6:27: dependsOn.0: a circle: d needs e needs d",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := readText(t, last)
			before.Order(nil)
			require.Empty(t, problems(before))
			d := readText(t, test.now)
			d.Keep(before)
			d.Order(before)
			var all []string
			for _, key := range slices.SortedFunc(maps.Keys(d.Entries), func(a, b config.Key) int { return strings.Compare(a.Name, b.Name) }) {
				all = append(all, key.Name+d.Entries[key].Service.Command[0])
				for _, on := range d.Entries[key].DependsOn {
					assert.Contains(t, d.Entries, on.Key())
				}
			}
			assert.Equal(t, test.want, strings.Join(all, " "))
			assert.Equal(t, test.problems, problems(d))
		})
	}
}

// TestDependencyThatWasNeverTaken is kept with the entry that is in force: what it
// depends on was refused when it was declared, and is wrong or gone by now.
func TestDependencyThatWasNeverTaken(t *testing.T) {
	for name, b := range map[string]string{"wrong": "  - {name: b}\n", "gone": ""} {
		t.Run(name, func(t *testing.T) {
			last := readText(t, "services:\n"+needing("a", "1", "b")+needing("b", "1"))
			delete(last.Entries, config.Key{Kind: config.KindService, Name: "b"})
			d := readText(t, "services:\n"+needing("a", "2", "b")+b)
			d.Keep(last)
			d.Order(last)
			assert.Equal(t, last.Entries, d.Entries)
			assert.NotEmpty(t, problems(d))
		})
	}
}

// TestServiceNames are those that an entry has in each list.
func TestServiceNames(t *testing.T) {
	d := readText(t, `
services: [{name: s, s6ServiceConfig: {command: [a]}}]
benthos: [{name: s, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}]
dataFlow: [{name: s, dataFlowComponentConfig: {benthos: {input: {stdin: {}}, output: {drop: {}}}}}]
`)
	var names []string
	for key := range d.Entries {
		names = append(names, key.Name)
	}
	assert.ElementsMatch(t, names, config.ServiceNames("s"))
}
