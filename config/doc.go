// Package config reads what is to run from YAML files.
//
// A file has services and Benthos streams. Its schema is UMH Core's, so that its
// files are read as they are, with a few more keys for each entry:
//
//	internal:
//	  services:
//	    - name: printer
//	      desiredState: running
//	      s6ServiceConfig:
//	        command: [/usr/bin/printer, -v]
//	        env: {SPEED: "5"}
//	        configFiles: {printer.conf: "paper: a4\n"}
//	      stopTimeout: 5s
//	dataFlow:
//	  - name: bridge
//	    desiredState: active
//	    dataFlowComponentConfig:
//	      benthos:
//	        input: {generate: {mapping: root = "hello", interval: 1s}}
//	        output: {stdout: {}}
//
// [Read] takes files and directories, and returns a [Declaration]: what each
// entry asks for, and every [Problem] with the place where it is. One entry that
// cannot be taken keeps no other from being taken.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - position.go: where something is in a file, and what is wrong there
//   - schema.go: what a file may say
//   - parse.go: a text as nodes of YAML
//   - strict.go: nodes that the schema does not allow
//   - secret.go: values that are in other files or in the environment
//   - entry.go: an entry of a file
//   - declaration.go: what a file declares, entry by entry
//   - depend.go: what entries depend on
//   - read.go: files and directories
//   - stored.go: how a declaration is written down
//   - jsonschema.go: the schema for editors
//   - lint.go: what engines say of streams, and the ports of several
package config
