// Command benthos-redpanda runs Evenkeel instances on Redpanda's lineage of
// Benthos: the MIT licensed github.com/redpanda-data/benthos/v4 with the io and
// pure components. It has no Prometheus exporter, so it refuses a metrics
// section of that type and its HTTP endpoint has no /metrics.
//
// The version it prints and serves on /version is that of the engine module.
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func main() {
	service.RunCLI(context.Background(), service.CLIOptSetBinaryName("benthos-redpanda"))
}
