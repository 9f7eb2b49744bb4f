package benthostest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
)

func TestLinterRefusesWhatItIsToldTo(t *testing.T) {
	docs := map[string][]byte{"a": []byte("input: {}"), "b": []byte("nonsense: {}"), "c": nil}
	refused, err := benthostest.Linter(nil).Lint(t.Context(), docs)
	assert.NoError(t, err)
	assert.Empty(t, refused)

	byName, byText := errors.New("not this one"), errors.New("field nonsense not recognised")
	refused, err = benthostest.Linter(func(name string, doc []byte) error {
		switch {
		case name == "a":
			return byName
		case bytes.Contains(doc, []byte("nonsense")):
			return byText
		}
		return nil
	}).Lint(t.Context(), docs)
	assert.NoError(t, err)
	assert.Equal(t, map[string]error{"a": byName, "b": byText}, refused)
}

func TestLinterWithoutAVerdict(t *testing.T) {
	missing := &benthos.LinterError{Path: "benthos", Err: benthos.ErrNoEngine}
	refused, err := benthostest.Linter(func(string, []byte) error { return missing }).Lint(t.Context(), map[string][]byte{"a": nil})
	assert.ErrorIs(t, err, benthos.ErrNoEngine)
	assert.Nil(t, refused)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = benthostest.Linter(nil).Lint(ended, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func ExampleLinter() {
	linter := benthostest.Linter(func(name string, _ []byte) error {
		if name == "b" {
			return errors.New("line 3: field nonsense not recognised")
		}
		return nil
	})
	fmt.Println(linter.Lint(context.Background(), map[string][]byte{"a": nil, "b": nil}))
	// Output: map[b:line 3: field nonsense not recognised] <nil>
}
