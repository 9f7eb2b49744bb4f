package fsm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestSecretName(t *testing.T) {
	for _, name := range []string{
		"password", "PASSWORD", "db_password", "sasl.password", "secret", "client_secret", "token", "AccessToken", "SAS_TOKEN",
		"key", "apiKey", "APIKey", "api_key", "X-Api-Key", "x_api_keys", "MQTTKey", "s3Key", "private_key", "--api-key",
		"credentials", "Credential", "Authorization", "proxy-authorization", "passphrase", "pass", "DB_PASS", "pwd", "dsn",
		"connection_string", "ConnectionString", "Cookie", "jwt", "-token",
	} {
		assert.True(t, fsm.SecretName(name), name)
	}
	for _, name := range []string{
		"", "address", "keyboard", "keepalive", "monkey", "passing", "bypass", "path", "user", "username", "author", "stock", "dsnot", "interval", "_",
	} {
		assert.False(t, fsm.SecretName(name), name)
	}
}

func TestMaskText(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"connection refused":         "connection refused",
		"dial tcp 127.0.0.1:9080: x": "dial tcp 127.0.0.1:9080: x",

		"postgres://u:s3cr3t@h:5432/db?x=y":           "postgres://u:***@h:5432/db?x=y",
		`cannot reach "amqp://u:s3:c@r3t@h/": why`:    `cannot reach "amqp://u:***@h/": why`,
		"nats://s3cr3t@h:4222,nats://u:s3cr3t@i:4222": "nats://***@h:4222,nats://u:***@i:4222",
		"nats://h:4222,u:s3cr3t@i:4222":               "nats://h:***@i:4222",
		"redis://:s3/cr3t@h:1":                        "redis://:***@h:1",
		"http://h:80/a@b http://h/a@b http://h":       "http://h:80/a@b http://h/a@b http://h",
		"http://u:${PASS}@h":                          "http://u:${PASS}@h",
		"http://u:@h":                                 "http://u:@h",

		"token=s3cr3t next":                          "token=*** next",
		"?a=b&api_key=s3cr3t&c=d":                    "?a=b&api_key=***",
		`level=error msg="got token=s3cr3t"`:         `level=error msg="got token=***`,
		`msg="{\"password\":\"s3 cr3t\",\"a\":1}"`:   `msg="{\"password\":\"***\",\"a\":1}"`,
		`{"password": "s3\"cr3t", "key":12345}`:      `{"password": "***", "key":***`,
		`root.password = "s3 cr3t" # x`:              `root.password = "***" # x`,
		`root.token = """s3 "cr3t""" + x`:            `root.token = """***""" + x`,
		"let secret = 's3 cr3t'\nlet a = 1":          "let secret = '***'\nlet a = 1",
		`if this.token == "s3 cr3t" { a }`:           `if this.token == "***" { a }`,
		"DefaultEndpoints=x;AccountKey=s3cr3t==;a=b": "DefaultEndpoints=x;AccountKey=***",
		"password=${PASSWORD} x":                     "password=${PASSWORD} x",
		"password=$ecret x":                          "password=*** x",
		"password=":                                  "password=",
		`password="s3 cr3t`:                          `password="***`,

		"curl -H 'Authorization: Bearer s3 cr3t'\nexit": "curl -H 'Authorization: ***\nexit",
		"X-Api-Key: s3cr3t":                             "X-Api-Key: ***",
		"Authorization = Bearer s3cr3t x":               "Authorization = *** x",
		"prog --token s3cr3t --verbose":                 "prog --token *** --verbose",
		"prog --token --verbose":                        "prog --token --verbose",

		"output.http.password: is not text":     "output.http.password: is not text",
		"input.headers.X-Api-Key: is not text":  "input.headers.X-Api-Key: is not text",
		"cannot read secret: permission denied": "cannot read secret: permission denied",
		"the token is missing":                  "the token is missing",
	} {
		got := fsm.MaskText(text)
		assert.Equal(t, want, got)
		assert.Equal(t, got, fsm.MaskText(got), "what is masked stays as it is")
	}
}

func TestMaskArgs(t *testing.T) {
	assert.Nil(t, fsm.MaskArgs(nil))
	args := []string{
		"prog", "--token", "s3 cr3t", "--password=s3 cr3t", "TOKEN=s3 cr3t", "--api-key", "--verbose", "-x", "y",
		"http://u:s3cr3t@h?token=s3cr3t", "--password", "${PASSWORD}", "--url=http://u:s3cr3t@h", "-H", "X-Token: s3 cr3t",
	}
	want := []string{
		"prog", "--token", "***", "--password=***", "TOKEN=***", "--api-key", "***", "-x", "y",
		"http://u:***@h?token=***", "--password", "${PASSWORD}", "--url=http://u:***@h", "-H", "X-Token: ***",
	}
	assert.Equal(t, want, fsm.MaskArgs(args))
	assert.Equal(t, want, fsm.MaskArgs(want))
	assert.Equal(t, "s3 cr3t", args[2], "what was given stays as it was")
}

// FuzzMaskText holds that what is given to a secret name never comes through.
func FuzzMaskText(f *testing.F) {
	f.Add("a b", " c")
	f.Add(`"`, `\`)
	f.Fuzz(func(t *testing.T, before, after string) {
		before, after = strings.ReplaceAll(before, "s3", ""), strings.ReplaceAll(after, "s3", "")
		const secret = "s3cr3t"
		for _, text := range []string{
			before + " password=" + secret + " " + after,
			before + ` "token":"` + secret + `" ` + after,
			before + " http://u:" + secret + "@h " + after,
		} {
			got := fsm.MaskText(text)
			assert.NotContains(t, got, secret)
		}
	})
}
