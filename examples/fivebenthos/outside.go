package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is an entry of the process table, read from outside of everything
// that this program keeps.
type process struct {
	pid int
	exe string
	cwd string
}

// supervises reports whether it is one of s6's own and not what they run.
func (p process) supervises() bool { return strings.HasPrefix(filepath.Base(p.exe), "s6-") }

// processes returns all processes whose working directory lies in dir. Those
// that end meanwhile, or may not be looked into, are left out.
func processes(dir string) ([]process, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if err != nil || cwd != dir && !strings.HasPrefix(cwd, dir+"/") {
			continue
		}
		exe, _ := os.Readlink(filepath.Join("/proc", e.Name(), "exe")) // empty for one that is ending
		found = append(found, process{pid, exe, cwd})
	}
	return found, nil
}

// benthosOf returns the process ids of an instance's Benthos processes.
func (v *verification) benthosOf(p *proof) ([]int, error) {
	dir, err := filepath.EvalSymlinks(v.tree.Layout().Service(p.name))
	if err != nil {
		return nil, err
	}
	all, err := processes(dir)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, process := range all {
		if process.cwd == dir && !process.supervises() {
			pids = append(pids, process.pid)
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

// post sends an instance a message of its own kind and notes it if it was
// answered with 200. A delay has the stream hold it back for so long.
func (v *verification) post(ctx context.Context, p *proof, delay time.Duration) (message string, err error) {
	p.mu.Lock()
	p.posted++
	message = fmt.Sprintf(`{"test":"message","instance":%q,"number":%d,"run":%d}`, p.name, p.posted, os.Getpid())
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second+delay)
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

// get asks an instance's endpoint and returns the status and the beginning of
// the answer.
func (v *verification) get(ctx context.Context, p *proof, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
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
