package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/internal/proc"
)

// benthosOf returns the process ids of an instance's Benthos processes.
func (v *verification) benthosOf(p *proof) ([]int, error) {
	dir, err := filepath.EvalSymlinks(v.Tree.Layout().Service(p.name))
	if err != nil {
		return nil, err
	}
	all, err := proc.System.Under(dir)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, process := range all {
		if process.Dir == dir && !process.OfS6() {
			pids = append(pids, process.PID)
		}
	}
	return pids, nil
}

// only returns the process id of an instance that has exactly one process.
func (v *verification) only(p *proof) (int, error) {
	pids, err := v.benthosOf(p)
	if err != nil {
		return 0, err
	}
	if len(pids) != 1 {
		return 0, fmt.Errorf("%s has the processes %v and not one", p.name, pids)
	}
	return pids[0], nil
}

// post sends an instance a message of its own, and remembers the message if it
// was answered with 200. A delay makes the stream hold the message for that
// long.
func (v *verification) post(ctx context.Context, p *proof, delay time.Duration) (message string, err error) {
	p.mu.Lock()
	p.posted++
	message = fmt.Sprintf(`{"test":"message","instance":%q,"number":%d,"run":%d}`, p.name, p.posted, os.Getpid())
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, v.settings.patience+delay)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url(p.n), strings.NewReader(message))
	if err != nil {
		return "", err
	}
	if delay > 0 {
		req.Header.Set("Delay", delay.String())
	}
	answer, err := v.client.Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("POST %s was answered with %s", v.url(p.n), answer.Status)
	}
	p.mu.Lock()
	p.accepted = append(p.accepted, message)
	p.mu.Unlock()
	return message, nil
}

// received returns how many messages an instance reports to have taken, 0 if it
// reports none.
func (v *verification) received(ctx context.Context, p *proof) uint64 {
	client := benthos.NewClient(benthos.ClientConfig{Timeout: v.settings.patience})
	defer client.Close()
	m, err := client.Metrics(ctx, reachable(v.listen, v.metricsPort+p.n))
	if err != nil {
		return 0
	}
	return m.InputReceived
}

// get asks an instance's endpoint and returns the status and the beginning of
// the answer.
func (v *verification) get(ctx context.Context, p *proof, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, v.settings.patience)
	defer cancel()
	url := "http://" + reachable(v.listen, v.metricsPort+p.n) + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	answer, err := v.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(data), err
}
