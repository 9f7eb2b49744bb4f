package runner

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
)

func streams(names ...string) string {
	var b strings.Builder
	b.WriteString("benthos:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - {name: %s, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}\n", name)
	}
	return b.String()
}

// TestStreamsWithoutAPort get one that nobody else has, and keep it.
func TestStreamsWithoutAPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		taken := map[uint16]bool{20000: true}
		h.Free = func(port uint16) error {
			if taken[port] {
				return errors.New("it is taken")
			}
			return nil
		}
		ports := func() map[string]uint16 {
			all := make(map[string]uint16)
			for name, d := range h.applied.Streams() {
				all[name] = d.Spec.MetricsPort
			}
			return all
		}
		h.write(file, streams("b")+"  - {name: x, benthosServiceConfig: {metrics_port: 20001, input: {http_server: {address: ':20002'}}, output: {drop: {}}}}\n")
		h.load()
		assert.Equal(t, map[string]uint16{"benthos-b": 20003, "benthos-x": 20001}, ports())
		// What listens there now is the stream itself.
		maps.Copy(taken, map[uint16]bool{20001: true, 20002: true, 20003: true})
		h.write(file, streams("a", "b", "c"))
		next := h.restarted()
		next.Free = h.Free
		h = next
		h.load()
		assert.Equal(t, map[string]uint16{"benthos-a": 20004, "benthos-b": 20003, "benthos-c": 20005}, ports())
		h.write(file, streams("c"))
		h.load()
		h.write(file, streams("a", "c"))
		h.load()
		assert.Equal(t, map[string]uint16{"benthos-a": 20004, "benthos-c": 20005}, ports(), "it was freed")

		h.Free = func(uint16) error { return errors.New("it is taken") }
		h.write(file, streams("a", "c", "d"))
		h.load()
		assert.Len(t, h.applied.Entries, 2)
		assert.Regexp(t, `^/etc/evenkeel/f\.yaml:4:\d+: it has no port for its endpoint: .*no free port`, h.told[len(h.told)-1])
		assert.Equal(t, benthos.Active, h.applied.Streams()["benthos-a"].State)
	})
}

// TestWhatIsRefusedIsNotInForce: its port goes to nobody, and what is taken back
// is as it was.
func TestWhatIsRefusedIsNotInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		ports := func() map[string]uint16 {
			all := make(map[string]uint16)
			for name, d := range h.last.Streams() {
				all[name] = d.Spec.MetricsPort
			}
			return all
		}
		h.write(file, streams("a", "b"))
		h.load()
		before := ports()
		b := config.Key{Kind: config.KindStream, Name: "benthos-b"}
		h.refused = map[config.Key]error{b: errors.New("port 20000 is that of \"benthos-a\" already")}
		h.write(file, streams("a")+"  - {name: b, benthosServiceConfig: {metrics_port: 20000, input: {stdin: {}}, output: {drop: {}}}}\n")
		h.load()
		assert.EqualValues(t, 20000, h.applied.Streams()["benthos-a"].Spec.MetricsPort, "the one that has it keeps it")
		h.write(file, streams("a")+"  - {name: b, essential: true, dependsOn: [benthos-a], benthosServiceConfig: {metrics_port: 20000, input: {stdin: {}}, output: {drop: {}}}}\n")
		h.load()
		has := h.last.Entries[b]
		assert.Equal(t, before["benthos-b"], has.Stream.MetricsPort)
		assert.True(t, has.Essential && len(has.DependsOn) == 1, "these are not refused")
		h.refused = nil
		h.write(file, streams("a", "b"))
		h.load()
		assert.Equal(t, before, ports())

		h.write(file, streams("c")+"  - {name: a, benthosServiceConfig: {inptu: {}}}\n  - {name: b, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}\n")
		h.load()
		h.write(file, streams("a", "b", "c"))
		h.load()
		now := ports()
		assert.EqualValues(t, 20002, now["benthos-c"])
		delete(now, "benthos-c")
		assert.Equal(t, before, now, "nor does a mistake give its port away")
	})
}
