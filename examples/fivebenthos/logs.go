package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// rotate makes every logger begin a new file while messages come in. s6-log
// does so on SIGALRM.
func (v *verification) rotate(ctx context.Context) ([]string, error) {
	const around = 10
	total := 0
	_, err := v.each(func(p *proof) (string, error) {
		before, err := v.archives(p)
		if err != nil {
			return "", err
		}
		rotated := func(name string) bool { return !slices.Contains(before, name) }
		for n := range 2 * around {
			if _, err := v.post(ctx, p, 0); err != nil {
				return "", err
			}
			if n != around {
				continue
			}
			logger := path.Join(v.Tree.Layout().Service(p.name), "log")
			if err := v.Tree.Control(logger, supervise.CommandAlarm); err != nil {
				return "", err
			}
		}
		return "", v.eventually(ctx, func() error {
			after, err := v.archives(p)
			if err == nil && !slices.ContainsFunc(after, rotated) {
				err = fmt.Errorf("there is no rotated file besides the %d that were there", len(before))
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("rotation: %w", err)
	}
	for _, p := range v.proofs {
		files, err := v.archives(p)
		if err != nil {
			return nil, err
		}
		total += len(files)
	}
	return []string{fmt.Sprintf("every logger rotated when told to, under load: %d rotated files", total)}, nil
}

// messageOf returns the message that a line begins with, empty for none. The
// engine writes a message and the end of its line apart: what it logs meanwhile
// follows the message.
func messageOf(line string) string {
	var message json.RawMessage
	if err := json.NewDecoder(strings.NewReader(line)).Decode(&message); err != nil {
		return ""
	}
	return string(message)
}

// archives lists an instance's rotated log files, of which s6-log keeps ten.
func (v *verification) archives(p *proof) ([]string, error) {
	return filepath.Glob(filepath.Join(v.Tree.Layout().Log(p.name), "@*"))
}

// logs: each instance has its files. Every message of this run that was
// answered with 200 is in them exactly once, through kills, rotation and the
// end.
func (v *verification) logs(context.Context) ([]string, error) {
	return v.each(func(p *proof) (string, error) {
		current := filepath.Join(v.Tree.Layout().Log(p.name), "current")
		if _, err := os.Stat(current); err != nil {
			return "", err
		}
		if p.log == nil {
			return "", errors.New("it never ran")
		}
		times := make(map[string]int)
		for {
			lines, err := p.log.Read(1000)
			if err != nil {
				return "", err
			}
			if len(lines) == 0 {
				break
			}
			for _, line := range lines {
				if line.Gap {
					return "", errors.New("lines may be missing: they were trimmed before they were read, or a logger was killed")
				}
				times[messageOf(line.Text)]++
			}
		}
		for _, message := range p.accepted {
			if times[message] != 1 {
				return "", fmt.Errorf("%s was answered with 200 and is in the log %d times", message, times[message])
			}
		}
		return fmt.Sprintf("%s: all %d messages that were answered with 200 are in the log, each once", p.name, len(p.accepted)), nil
	})
}
