package benthos_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/benthos"
)

// Whatever is seen of an instance makes a difference, unless it moves by itself.
func TestSame(t *testing.T) {
	moves := []string{
		"Service.Kind", "Service.Name", "Service.Since", "Service.Generation", "Service.ObservedAt", "Service.Settled",
		"Service.Failures", "Service.NextTry", "Service.NextPass", "Service.History", "Service.Waits", "Service.HeldBy", "Service.Asked", "Service.Desired.Rejected",
		"Service.Observed.Late", "Service.Observed.Check.At", "Service.Observed.Check.Since", "Health.At", "LogTime",
		"Traffic.At", "Traffic.InputReceived", "Traffic.OutputSent", "Traffic.OutputErrors", "Traffic.InputRate", "Traffic.OutputRate", "Traffic.Quiet",
	}
	var differs func(path string, whole *benthos.Observed, at reflect.Value)
	differs = func(path string, whole *benthos.Observed, at reflect.Value) {
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
			case reflect.Pointer:
				if path == "Service" {
					differs(path, whole, at.Elem())
					return
				}
				at.Set(reflect.New(at.Type().Elem()))
			case reflect.Interface:
				at.Set(reflect.ValueOf(errors.New("broken")))
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
	o.Service = nil
	assert.False(t, o.Same(zero()))
	assert.True(t, o.Same(new(benthos.Observed)))
}

func zero() *benthos.Observed { return &benthos.Observed{Service: new(benthos.Service)} }
