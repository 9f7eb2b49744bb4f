// Evenkeel checks YAML files that declare services and Benthos streams.
package main

import (
	"os"

	"github.com/evenkeel/evenkeel/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
