package s6test_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// A program's view of the tree lets every operation of s6.Tree fail that can:
// one that an injector does not see is one that no campaign tries. Claim is the
// program's own affair.
func TestEveryOperationOfATreeCanFail(t *testing.T) {
	tree := s6test.New(s6test.Config{})
	defer tree.Close()
	broken := errors.New("broken")
	view := reflect.ValueOf(s6test.Inject(tree, filesystemtest.Fail(broken)))
	operations := reflect.TypeFor[s6.Tree]()
	for n := range operations.NumMethod() {
		name := operations.Method(n).Name
		method := view.MethodByName(name)
		results := method.Type().NumOut()
		if name == "Claim" || method.Type().Out(results-1) != reflect.TypeFor[error]() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			args := make([]reflect.Value, method.Type().NumIn())
			for a := range args {
				args[a] = reflect.Zero(method.Type().In(a))
			}
			if method.Type().IsVariadic() {
				args = args[:len(args)-1]
			}
			err, _ := method.Call(args)[results-1].Interface().(error)
			assert.ErrorIs(t, err, broken)
		})
	}
}
