package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"sync"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// checkHealth returns an error if the fivebenthos that runs elsewhere with the
// same settings does not run or makes no passes, or an instance of it is not
// ready. It looks at locks, status files, the beat and endpoints, and changes
// nothing.
func checkHealth(s settings) error {
	ctx, cancel := context.WithTimeout(context.Background(), runner.HealthTime)
	defer cancel()
	services, err := filepath.Abs(filepath.Join(s.dir, "services"))
	if err != nil {
		return err
	}
	client := benthos.NewClient(benthos.ClientConfig{})
	defer client.Close()
	errs := make([]error, s.instances+1)
	var all sync.WaitGroup
	all.Go(func() { errs[0] = runner.CheckHealth(ctx, "fivebenthos", s.dir, s.beatFile()) })
	for n := range s.instances {
		all.Go(func() {
			addr := reachable(s.listen, s.metricsPort+n)
			if err := healthy(ctx, client, path.Join(services, name(n)), addr); err != nil {
				errs[n+1] = fmt.Errorf("%s is not healthy: %w", name(n), err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// healthy returns an error if a service is not supervised, is down, or its
// engine is not ready.
func healthy(ctx context.Context, client *benthos.Client, service, addr string) error {
	supervisor, err := supervise.LockHolder(path.Join(service, "supervise", "lock"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !supervisor.Held {
		return supervise.ErrNotSupervised
	}
	if err != nil {
		return err
	}
	status, err := supervise.ReadStatus(filesystem.OS{}, service)
	if err != nil {
		return err
	}
	if !status.Up() {
		return errors.New("it is down")
	}
	state, err := client.Ready(ctx, addr)
	if err == nil && !state.Ready {
		err = errors.New(state.Reason)
	}
	return err
}
