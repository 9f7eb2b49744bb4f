package badfiles

import "strings"

// Services returns files of which all but the service bad can be taken.
func Services() Group {
	return Group{
		Good: service(goodService),
		Runs: []string{"good", "bad"},
		Files: []File{
			{"a key misspelt", service("s6ServiceConfg: {}"), `f.yaml:6:7: there is no s6ServiceConfg: did you mean s6ServiceConfig?`},
			{"a key inside misspelt", service("s6ServiceConfig: {comand: [a]}"), `f.yaml:6:25: there is no s6ServiceConfig.comand: did you mean command?`},
			{"a key of nothing", service("colour: red"), `f.yaml:6:7: there is no colour: there are backoff, check, dependsOn, desiredState, dir, essential, finish, finishTimeout, giveUpAfter, limits, log, name, ready, restart, s6ServiceConfig, startTimeout, stopSignal, stopTimeout, user`},
			{"no command", service("desiredState: running"), `f.yaml:5:7: s6ServiceConfig.command: it must name a program`},
			{"a command of one text", service("s6ServiceConfig: {command: sleep 1}"), `f.yaml:6:34: s6ServiceConfig.command is a text, and must be a list`},
			{"a key twice", service("user: a\nuser: b"), `f.yaml:7:7: user is given twice: it is on line 6 already`},
			{"another state", service("desiredState: active\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:21: desiredState is "active", and must be running or stopped`},
			{"a time without a unit", service("stopTimeout: 5\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:20: stopTimeout is "5", and must be a duration with a unit, such as 500ms, 5s or 1m30s`},
			{"a time of no unit", service("stopTimeout: 0\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:20: stopTimeout is "0", and must be a duration with a unit, such as 500ms, 5s or 1m30s`},
			{"a key twice beside an alias", service("user: &u a\nuser: *u"), `f.yaml:7:7: user is given twice: it is on line 6 already`},
			{"a password for a mapping", service("s6ServiceConfig: {command: [a], env: 'PASSWORD: hunter2'}"), `f.yaml:6:44: s6ServiceConfig.env is a text, and must be a mapping`},
			{"a password for a number", service("s6ServiceConfig: {command: [a], env: {P: !!int hunter2}}"), `f.yaml:6:48: s6ServiceConfig.env.P must be a text, {file: PATH} or {env: NAME}`},
			{"a password that is an anchor", service("s6ServiceConfig: {command: [a], env: {P: &hunter2 }}"), `f.yaml:6:48: s6ServiceConfig.env.P must be a text, {file: PATH} or {env: NAME}`},
			{"a time that is too long", service("stopTimeout: 25h\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:20: stopTimeout: 25h0m0s must be from 1ms to 24h`},
			{"a signal of nothing", service("stopSignal: STOP\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: stopSignal: "STOP" must be one of [TERM INT HUP QUIT KILL USR1 USR2 ALRM ABRT]`},
			{"a relative directory", service("dir: tmp\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:12: dir: "tmp" must be an absolute path`},
			{"memory of a text", service("s6ServiceConfig: {command: [a], memoryLimit: 5M}"), `f.yaml:6:52: s6ServiceConfig.memoryLimit is "5M", and must be a whole number`},
			{"memory below nothing", service("s6ServiceConfig: {command: [a], memoryLimit: -1}"), `f.yaml:6:52: s6ServiceConfig.memoryLimit: -1 must not be negative`},
			{"memory twice", service("limits: {memory: 1}\ns6ServiceConfig: {command: [a], memoryLimit: 1}"), `f.yaml:7:52: s6ServiceConfig.memoryLimit and limits.memory are one setting: give one of them`},
			{"a small log", service("s6ServiceConfig: {command: [a], logFilesize: 1}"), `f.yaml:6:52: s6ServiceConfig.logFilesize: 1 must be from 4096 to 268435455`},
			{"a config file of a list", service("s6ServiceConfig: {command: [a], configFiles: {c: [1]}}"), `f.yaml:6:56: s6ServiceConfig.configFiles.c is a list, and must be a text`},
			{"a path for a config file", service("s6ServiceConfig: {command: [a], configFiles: {../c: x}}"), `f.yaml:6:52: s6ServiceConfig.configFiles: name "../c": not a valid instance name: it must not begin with a dot`},
			{"a secret of two sources", service("s6ServiceConfig: {command: [a], env: {P: {file: a, env: B}}}"), `f.yaml:6:48: s6ServiceConfig.env.P must be a text, {file: PATH} or {env: NAME}`},
			{"a secret of no file", service("s6ServiceConfig: {command: [a], env: {P: {file: /run/secrets/p}}}"), `f.yaml:6:48: s6ServiceConfig.env.P cannot be read: open /run/secrets/p: file does not exist`},
			{"a secret of no variable", service("s6ServiceConfig: {command: [a], env: {P: {env: NOWHERE}}}"), `f.yaml:6:48: s6ServiceConfig.env.P cannot be read: the environment of this program has no NOWHERE`},
			{"another restart", service("restart: sometimes\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:16: restart: "sometimes" must be one of ["always" "on-failure" "never"]`},
			{"a pause that shrinks", service("backoff: {from: 2m, to: 1m}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:23: backoff.from: 2m0s must not be more than backoff.to, 1m0s`},
			{"a short pause", service("backoff: {from: 1ms}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:23: backoff.from: 1ms must be from 10ms to 24h`},
			{"never and again", service("restart: never\ngiveUpAfter: 3\ns6ServiceConfig: {command: [a]}"), `f.yaml:7:20: giveUpAfter: it has no meaning with restart: never`},
			{"a key of a pause", service("backoff: {max: 1m}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:17: there is no backoff.max: there are from, to`},
			{"two things to check", service("check: {http: 'http://127.0.0.1:80/', tcp: '127.0.0.1:80'}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:14: check: one of http, tcp and exec must be given`},
			{"nothing to check", service("check: {every: 5s}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:14: check: one of http, tcp and exec must be given`},
			{"a check by https", service("check: {http: 'https://127.0.0.1/'}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:21: check.http: https is not spoken: give http, or a client such as curl to exec`},
			{"a password in a check", service("check: {http: 'http://u:hunter2@127.0.0.1/'}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:21: check.http: it must be without a user and a password: give a client such as curl to exec`},
			{"a port alone to check", service("check: {tcp: ':5432'}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:20: check.tcp: ":5432" must be host:port`},
			{"a check of one text", service("check: {exec: pg_isready -q}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:21: check.exec is a text, and must be a list`},
			{"a check that takes too long", service("check: {tcp: 'a:1', every: 1s, timeout: 2s}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:47: check.timeout: 2s must not be more than check.every, 1s`},
			{"a check too often", service("check: {tcp: 'a:1', every: 1ms}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:34: check.every: 1ms must be from 100ms to 24h`},
			{"a key of a check", service("check: {url: a}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:15: there is no check.url: there are every, exec, failures, http, restart, tcp, timeout`},
			{"a restart by a check, and never", service("check: {tcp: 'a:1', restart: true}\nrestart: never\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:36: check.restart: it has no meaning with restart: never`},
			{"two ways to be ready", service("ready: {fd: 3, check: [a]}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:14: ready: only one of stays, fd, check and announced can be set`},
			{"a descriptor of nothing", service("ready: {fd: 1}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: ready.fd: 1 must be from 3 to 255`},
			{"true for a number", service("ready: {fd: true}\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: ready.fd is "true", and must be a whole number`},
			{"one name twice", service("s6ServiceConfig: {command: [a]}") + "    - name: bad\n      s6ServiceConfig: {command: [b]}\n", `f.yaml:7:7: there are two entries for the s6 service bad: the other is at f.yaml:5:7`},
			{"one name thrice", service("s6ServiceConfig: {command: [a]}") + strings.Repeat("    - {name: bad, s6ServiceConfig: {command: [b]}}\n", 2), `f.yaml:7:7: there are two entries for the s6 service bad: the other is at f.yaml:5:7
f.yaml:8:7: there are two entries for the s6 service bad: the other is at f.yaml:5:7`},
		},
	}
}

// Streams returns files of which all but the stream bad can be taken.
func Streams() Group {
	return Group{
		Good: stream(goodStream),
		Runs: []string{"good", "benthos-bad"},
		Files: []File{
			{"no input", stream("output: {drop: {}}"), `f.yaml:8:9: benthosServiceConfig.input is missing`},
			{"no stream", Good + "  benthos:\n    - name: bad\n", `f.yaml:6:7: benthosServiceConfig.input is missing
f.yaml:6:7: benthosServiceConfig.output is missing`},
			{"an input of a text", stream("input: stdin\noutput: {drop: {}}"), `f.yaml:8:16: benthosServiceConfig.input is a text, and must be a mapping`},
			{"a section of a stream", stream("inputs: {stdin: {}}\noutput: {drop: {}}"), `f.yaml:8:9: there is no benthosServiceConfig.inputs: did you mean input?`},
			{"a port of nothing", stream("metrics_port: 70000\ninput: {stdin: {}}\noutput: {drop: {}}"), `f.yaml:8:23: benthosServiceConfig.metrics_port is "70000", and must be from 0 to 65535`},
			{"another exporter", stream("metrics: {statsd: {}}\ninput: {stdin: {}}\noutput: {drop: {}}"), "f.yaml:6:7: it cannot be read: metrics.statsd cannot be given: only mapping can, and one of prometheus: {} and none: {}"},
			{"an address of http", stream("http: {address: ':80'}\ninput: {stdin: {}}\noutput: {drop: {}}"), "f.yaml:8:25: benthosServiceConfig.http.address cannot be given: it is made of host and metrics_port"},
			{"a key of an input twice", stream("input:\n  stdin: {}\n  stdin: {}\noutput: {drop: {}}"), `f.yaml:10:11: benthosServiceConfig.input.stdin is given twice: it is on line 9 already`},
			{"yes for true", stream("debug_level: sure\ninput: {stdin: {}}\noutput: {drop: {}}"), `f.yaml:8:22: benthosServiceConfig.debug_level is "sure", and must be true or false`},
			{"running for a stream", Good + "  benthos:\n    - name: bad\n      desiredState: running\n      benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:21: desiredState is "running", and must be active or stopped`},
			{"a restart of a stream", Good + "  benthos:\n    - name: bad\n      restart: at-times\n      benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:16: restart "at-times" must be one of ["always" "on-failure" "never"]`},
			{"traffic each moment", Good + "  benthos:\n    - name: bad\n      expectTraffic: 10ms\n      benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:22: expectTraffic is 10ms, and must be from 1s to 24h`},
			{"traffic that is not counted", Good + "  benthos:\n    - name: bad\n      expectTraffic: 5m\n      benthosServiceConfig: {metrics: none, input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:22: expectTraffic cannot be told without metrics: take metrics: none away, or this`},
			{"traffic of a number", Good + "  benthos:\n    - name: bad\n      expectTraffic: 5\n      benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:22: expectTraffic is "5", and must be a duration with a unit, such as 500ms, 5s or 1m30s`},
			{"traffic inside", Good + "  benthos:\n    - name: bad\n      benthosServiceConfig: {expectTraffic: 5m, input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:30: there is no benthosServiceConfig.expectTraffic: it stands beside benthosServiceConfig`},
			{"a check of a stream", Good + "  benthos:\n    - name: bad\n      check: {tcp: 'a:1'}\n      benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:7:7: there is no check: a stream is asked itself whether it is ready, and its metrics say what it does`},
			{"one name of two kinds", Good + "    - name: benthos-bad\n      s6ServiceConfig: {command: [a]}\n  benthos:\n    - name: bad\n      benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}\n", `f.yaml:5:7: there are two entries for the s6 service benthos-bad: the other is at f.yaml:8:7
f.yaml:8:7: there are two entries for the s6 service benthos-bad: the other is at f.yaml:5:7`},
		},
	}
}
