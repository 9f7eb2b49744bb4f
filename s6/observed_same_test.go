package s6_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/s6"
)

// Whatever is seen of a service makes a difference, unless it moves by itself.
func TestSame(t *testing.T) {
	moves := []string{"Late", "Check.At", "Check.Since"}
	var differs func(path string, whole *s6.Observed, at reflect.Value)
	differs = func(path string, whole *s6.Observed, at reflect.Value) {
		before := reflect.New(at.Type()).Elem()
		before.Set(at)
		defer at.Set(before)
		switch at.Interface().(type) {
		case time.Time:
			at.Set(reflect.ValueOf(time.Unix(1, 0)))
		default:
			switch at.Kind() {
			case reflect.Struct:
				for n := range at.NumField() {
					if field := at.Type().Field(n); field.IsExported() {
						differs(strings.TrimPrefix(path+"."+field.Name, "."), whole, at.Field(n))
					}
				}
				return
			case reflect.Bool:
				at.SetBool(true)
			case reflect.String:
				at.SetString("a")
			case reflect.Slice:
				at.Set(reflect.MakeSlice(at.Type(), 1, 1))
			case reflect.Float64:
				at.SetFloat(1)
			case reflect.Int, reflect.Int64:
				at.SetInt(1)
			default:
				at.SetUint(1)
			}
		}
		same := false
		for _, name := range moves {
			same = same || strings.HasPrefix(path+".", name+".")
		}
		zero := zero()
		assert.Equal(t, same, whole.Same(zero), path)
		assert.Equal(t, same, zero.Same(whole), path)
	}
	o := zero()
	assert.True(t, o.Same(zero()))
	differs("", o, reflect.ValueOf(o).Elem())

	o.LoggerProblem = "it has not run for 3 s"
	p := zero()
	p.LoggerProblem = "it has not run for 4 s"
	assert.True(t, o.Same(p))
}

func zero() *s6.Observed { return new(s6.Observed) }
