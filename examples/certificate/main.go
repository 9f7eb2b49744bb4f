// Certificate keeps a self-signed certificate of one minute fresh in web.pem,
// in the working directory: try "rm web.pem". It can be ended at any time.
package main

import (
	"context"
	"log"
	"log/slog"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
)

func main() {
	kind, err := NewKind(filesystem.OS{}, ".")
	if err != nil {
		log.Fatal(err)
	}
	certificates, err := fsm.NewManager(kind, fsm.Config{Logger: slog.Default()})
	if err != nil {
		log.Fatal(err)
	}
	if err := certificates.Apply(context.Background(), map[string]fsm.Desired[*Spec]{
		"web": {State: Valid, Spec: &Spec{Host: "localhost", Life: time.Minute}},
	}); err != nil {
		log.Fatal(err)
	}
	log.Fatal(certificates.Run(context.Background()))
}
