package config_test

import (
	"fmt"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

func ExampleReader_Read() {
	files := memfs.New()
	err := files.WriteFile("evenkeel.yaml", []byte(`
services:
  - name: printer
    s6ServiceConfig: {command: [/usr/bin/printer]}
  - name: scanner
    s6ServiceConfig: {comand: [/usr/bin/scanner]}
`), 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	declared := config.Reader{FS: files}.Read("evenkeel.yaml")
	for name, asked := range declared.Services() {
		fmt.Println(name, "is to be", asked.State)
	}
	for _, problem := range declared.Problems {
		fmt.Println(problem)
	}
	// Output:
	// printer is to be running
	// evenkeel.yaml:6:23: there is no s6ServiceConfig.comand: did you mean command?
}
