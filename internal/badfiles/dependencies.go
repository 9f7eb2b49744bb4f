package badfiles

// Dependencies returns files of which all but the services whose names begin with
// bad can be taken, for what they depend on.
func Dependencies() Group {
	return Group{
		Good: service(goodService),
		Runs: []string{"good", "bad"},
		Files: []File{
			{"a dependency of a text", service("dependsOn: good\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:18: dependsOn is a text, and must be a list`},
			{"a dependency of nothing", service("dependsOn: ['']\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: dependsOn.0 must be the name of an entry, or {name: NAME, is: ready, running or done}`},
			{"a dependency without a name", service("dependsOn: [{is: ready}]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: dependsOn.0 must be the name of an entry, or {name: NAME, is: ready, running or done}`},
			{"a key of a dependency", service("dependsOn: [{name: good, state: ready}]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:32: there is no dependsOn.0.state: there are is, name`},
			{"a dependency that is up", service("dependsOn: [{name: good, is: up}]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:36: dependsOn.0.is is "up", and must be ready, running or done`},
			{"an unknown dependency", service("dependsOn: [database]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: dependsOn.0: there is no entry "database"`},
			{"a dependency misspelt", service("dependsOn: [god]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: dependsOn.0: there is no entry "god": did you mean good?`},
			{"a dependency on itself", service("dependsOn: [bad]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: dependsOn.0: an entry cannot depend on itself`},
			{"a dependency twice", service("dependsOn: [good, {name: good, is: running}]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:25: dependsOn.1: good is there already`},
			{"a dependency that is never done", service("dependsOn: [{name: good, is: done}]\ns6ServiceConfig: {command: [a]}"), `f.yaml:6:19: dependsOn.0: good is never done, for it is always restarted: give it restart: on-failure or never, or wait for it to be ready`},
			{"a circle", service("dependsOn: [bad2]\ns6ServiceConfig: {command: [a]}") + "    - {name: bad2, dependsOn: [bad3], s6ServiceConfig: {command: [b]}}\n    - {name: bad3, dependsOn: [bad, good], s6ServiceConfig: {command: [c]}}\n", `f.yaml:6:19: dependsOn.0: a circle: bad needs bad2 needs bad3 needs bad
f.yaml:8:32: dependsOn.0: a circle: bad needs bad2 needs bad3 needs bad
f.yaml:9:32: dependsOn.0: a circle: bad needs bad2 needs bad3 needs bad`},
			{"a dependency that cannot be taken", service("dependsOn: [bad2]\ns6ServiceConfig: {command: [a]}") + "    - {name: bad2}\n", `f.yaml:6:19: dependsOn.0: bad2 cannot be taken, and so this cannot
f.yaml:8:7: s6ServiceConfig.command: it must name a program`},
		},
	}
}
