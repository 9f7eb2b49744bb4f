package benthos_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

const planted = "s3cr3t"

// secretive is a configuration with secrets in every place.
func secretive() *benthos.Config {
	return &benthos.Config{
		MetricsPort: 9080,
		Input: m{"http_client": m{
			"url":        "https://u:" + planted + "@h/x?token=" + planted,
			"headers":    m{"Authorization": "Bearer " + planted, "X-Api-Key": planted, "Accept": "text/plain"},
			"basic_auth": m{"enabled": true, "username": "u", "password": planted},
			"oauth":      m{"consumer_key": planted, "access_token_secret": planted},
		}},
		Pipeline: m{"processors": []any{
			m{"command": m{"name": "x", "args": []any{"--token", planted, "--secret=" + planted + " " + planted, "-v"}}},
			m{"bloblang": "root.password = \"" + planted + " " + planted + "\"\nroot.a = this.a"},
			m{"aws_lambda": m{"credentials": m{"id": planted, "from": []any{planted, m{"pin": 123456}}, "role": nil}}},
			m{"refers": m{"password": "${PASSWORD}", "sasl": map[any]any{"Password": planted}}},
		}},
		Buffer:             m{"sqlite": m{"PassPhrase": planted}},
		Output:             m{"sql_insert": m{"dsn": "u:" + planted + "@tcp(h:3306)/db", "urls": []string{"redis://:" + planted + "@h"}}},
		CacheResources:     []map[string]any{{"label": "c", "redis": m{"url": "redis://:" + planted + "@h"}}},
		RateLimitResources: []map[string]any{{"label": "r", "redis": m{"api-key": planted}}},
		OutputResources:    []map[string]any{{"label": "o", "redis_list": m{"url": "redis://:" + planted + "@h"}}},
		Tracer:             m{"jaeger": m{"collector_url": "http://u:" + planted + "@h"}},
		HTTP:               m{"cors": m{"secret": planted}},
		Logger:             m{"static_fields": m{"token": planted}},
		MetricsMapping:     "root.password = \"" + planted + "\"",
		Note:               "of a parent: " + planted,
	}
}

func TestMaskedConfig(t *testing.T) {
	c := secretive()
	shown := c.Masked()
	assert.Equal(t, &benthos.Config{
		MetricsPort: 9080,
		Input: m{"http_client": m{
			"url":        "https://u:***@h/x?token=***",
			"headers":    m{"Authorization": "***", "X-Api-Key": "***", "Accept": "text/plain"},
			"basic_auth": m{"enabled": true, "username": "u", "password": "***"},
			"oauth":      m{"consumer_key": "***", "access_token_secret": "***"},
		}},
		Pipeline: m{"processors": []any{
			m{"command": m{"name": "x", "args": []any{"--token", "***", "--secret=***", "-v"}}},
			m{"bloblang": "root.password = \"***\"\nroot.a = this.a"},
			m{"aws_lambda": m{"credentials": m{"id": "***", "from": []any{"***", m{"pin": "***"}}, "role": nil}}},
			m{"refers": m{"password": "${PASSWORD}", "sasl": m{"Password": "***"}}},
		}},
		Buffer:             m{"sqlite": m{"PassPhrase": "***"}},
		Output:             m{"sql_insert": m{"dsn": "***", "urls": []any{"redis://:***@h"}}},
		CacheResources:     []map[string]any{{"label": "c", "redis": m{"url": "redis://:***@h"}}},
		RateLimitResources: []map[string]any{{"label": "r", "redis": m{"api-key": "***"}}},
		OutputResources:    []map[string]any{{"label": "o", "redis_list": m{"url": "redis://:***@h"}}},
		Tracer:             m{"jaeger": m{"collector_url": "http://u:***@h"}},
		HTTP:               m{"cors": m{"secret": "***"}},
		Logger:             m{"static_fields": m{"token": "***"}},
		MetricsMapping:     `root.password = "***"`,
		Note:               "***",
	}, shown)
	assert.Equal(t, secretive(), c, "what is masked stays as it was")
	assert.Equal(t, shown, shown.Masked())
	assert.Nil(t, (*benthos.Config)(nil).Masked())
	assert.Equal(t, &benthos.Config{}, new(benthos.Config).Masked())
}

// What Validate would refuse can be shown all the same.
func TestMaskedConfigThatIsNotValid(t *testing.T) {
	endless := m{"password": planted}
	endless["again"] = endless
	c := &benthos.Config{Input: m{"a": make(chan int), "b": []byte(planted), "c": math.NaN(), "d": endless}}
	text, err := json.Marshal(c.Masked())
	require.NoError(t, err)
	assert.Contains(t, string(text), `{"a":"***","b":"***","c":"***",`)
	assert.NotContains(t, string(text), planted)
}

func TestConfigIsPrintedWithoutSecrets(t *testing.T) {
	var out bytes.Buffer
	asked := fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: secretive()}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("declared", "config", secretive(), "copy", *secretive(), "desired", asked)
	}
	fmt.Fprintf(&out, "%v %v %+v %s %v", secretive(), *secretive(), secretive(), secretive(), asked)
	assert.NotContains(t, out.String(), planted)
	assert.Equal(t, 11, strings.Count(out.String(), "https://u:***@h"))
}

func TestInstanceSnapshotJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := newMemory(t)
		world.options.Env = map[string]string{"PASSWORD": planted}
		world.tree.Install("/usr/bin/benthos", s6test.Program{
			ReadyAfter: s6test.Never,
			Prints:     []string{`level=error msg="Failed to connect to https://u:` + planted + `@h" @service=benthos`},
		})
		kind, err := benthos.NewKind(world.tree, world.options)
		require.NoError(t, err)
		story := fsmtest.NewStory(t, kind, "a")
		all := []*fsm.Snapshot[*benthos.Config, benthos.Observed]{story.Snapshot()}
		ask := func(state fsm.State, c *benthos.Config, e benthostest.Endpoint) *fsm.Snapshot[*benthos.Config, benthos.Observed] {
			world.prober.Set(endpoint, e)
			story.Ask(fsm.Desired[*benthos.Config]{State: state, Spec: c})
			story.Watch(15 * time.Second)
			all = append(all, story.Snapshot())
			return story.Snapshot()
		}
		troubled := ask(benthos.Active, secretive(), benthostest.Endpoint{NotReady: "https://u:" + planted + "@h is gone"})
		require.Contains(t, troubled.Observed.LogProblem, planted)
		require.Contains(t, troubled.Observed.Health.Problem, planted)
		require.Contains(t, troubled.Reason.Evidence, planted)
		require.Equal(t, benthos.StateIdle, ask(benthos.Active, secretive(), benthostest.Endpoint{}).State)
		ask(benthos.Stopped, secretive(), benthostest.Endpoint{})

		fsmtest.RoundTripJSON(t, all...)
		for _, s := range all {
			text, err := json.Marshal(s)
			require.NoError(t, err)
			assert.NotContains(t, string(text), planted)
			assert.LessOrEqual(t, strings.Count(string(text), "text/plain"), 1, "the configuration is there once")
		}
		text, err := json.Marshal(troubled)
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(string(text), "text/plain"))
		assert.Regexp(t, `"configFiles":\{"benthos.yaml":"\d+ bytes, SHA-256 [0-9a-f]{64}"\}`, string(text))
	})
}
