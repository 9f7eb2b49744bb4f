// Command benthos is the Benthos engine that Evenkeel instances run by default:
// the MIT licensed github.com/warpstreamlabs/bento with the io, pure and
// prometheus components, and none that needs a vendor's client library.
//
// The version it prints and serves on /version is that of the engine module.
package main

import (
	"context"

	_ "github.com/warpstreamlabs/bento/public/components/io"
	_ "github.com/warpstreamlabs/bento/public/components/prometheus"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	"github.com/warpstreamlabs/bento/public/service"
)

func main() {
	service.RunCLI(context.Background(), service.CLIOptSetBinaryName("benthos"))
}
