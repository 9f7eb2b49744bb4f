// Evenkeel keeps services and Benthos streams as YAML files declare them.
package main

import (
	"os"

	"github.com/evenkeel/evenkeel/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
