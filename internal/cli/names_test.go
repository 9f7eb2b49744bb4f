package cli

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindNames(t *testing.T) {
	known := []string{"benthos-both", "benthos-dataflow-both", "benthos-dataflow-flow", "benthos-hello", "hello", "web"}
	for _, test := range []struct {
		names, want []string
		err         string
	}{
		{},
		{[]string{"web", "flow", "web", "benthos-dataflow-flow"}, []string{"web", "benthos-dataflow-flow"}, ""},
		{[]string{"hello", "benthos-hello"}, []string{"hello", "benthos-hello"}, ""},
		{[]string{"both"}, nil, `several have the name "both": name the s6 service that is meant, benthos-both or benthos-dataflow-both`},
		{[]string{"flwo"}, nil, `there is no "flwo": did you mean flow? there are benthos-both, benthos-dataflow-both, benthos-dataflow-flow, benthos-hello, hello, web`},
		{[]string{"wbe", "quite-another"}, nil, "there is no \"wbe\": did you mean web? there are benthos-both, benthos-dataflow-both, benthos-dataflow-flow, benthos-hello, hello, web\n" +
			`there is no "quite-another": there are benthos-both, benthos-dataflow-both, benthos-dataflow-flow, benthos-hello, hello, web`},
	} {
		found, err := findNames(test.names, known)
		if test.err != "" {
			assert.EqualError(t, err, test.err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, test.want, found)
	}
	_, err := findNames([]string{"web"}, nil)
	assert.EqualError(t, err, `there is no "web", nor any other`)
	var many []string
	for n := range 25 {
		many = append(many, fmt.Sprintf("m%02d", n))
	}
	_, err = findNames([]string{"quite-another"}, many)
	assert.ErrorContains(t, err, "m18, m19 and 5 more")
}
