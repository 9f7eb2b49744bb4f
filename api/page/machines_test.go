package page

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api/page/internal/machine"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

func TestMachinesAreDrawnAsTheyAre(t *testing.T) {
	tables := map[string]func() (*fsm.Table, error){s6.KindName: s6.NewTable, benthos.KindName: benthos.NewTable}
	for kind, newTable := range tables {
		table, err := newTable()
		require.NoError(t, err)
		text, err := static.ReadFile("static/machines/" + kind + ".json")
		require.NoError(t, err)
		var drawn machine.Drawing
		require.NoError(t, json.Unmarshal(text, &drawn))
		assert.NoError(t, drawn.Shows(table), "%s is drawn as it was before: run go generate ./api/page", kind)
		for _, s := range drawn.States {
			inside := s.X-s.Width/2 >= 0 && s.Y-s.Height/2 >= 0 && s.X+s.Width/2 <= drawn.Width+1 && s.Y+s.Height/2 <= drawn.Height+1
			assert.True(t, inside, "%s of %s", s.Name, kind)
		}
	}
	drawn, err := static.ReadDir("static/machines")
	require.NoError(t, err)
	assert.Len(t, drawn, len(tables))
}
