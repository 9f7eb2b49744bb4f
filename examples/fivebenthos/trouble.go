package main

import "time"

// problem returns why an instance makes no progress, nil if it does. Such an
// instance makes no transitions.
func problem(s *snapshot) error {
	if service := s.Observed.Service; s.Err == nil && service != nil {
		return service.Err
	}
	return s.Err
}

// troubles holds what was told of each instance that makes no progress. What is
// over by the next look is not told.
type troubles map[string]string

// trouble is a problem as data.
type trouble struct {
	Instance string    `json:"instance"`
	State    string    `json:"state"`
	Problem  string    `json:"problem"`
	At       time.Time `json:"at"`
}

// look returns what is to be told of an instance, "" for nothing: its problem,
// once, when it has had that problem for two looks.
func (all troubles) look(s *snapshot) string {
	why := problem(s)
	if why == nil {
		delete(all, s.Name)
		return ""
	}
	told, before := all[s.Name]
	if !before {
		all[s.Name] = ""
		return ""
	}
	if told == why.Error() {
		return ""
	}
	all[s.Name] = why.Error()
	return why.Error()
}

// problems prints the problems of instances that make no progress.
func (d *display) problems(p *program) {
	for _, s := range p.instances.Snapshot() {
		switch why := d.told.look(s); {
		case why == "":
		case d.settings.json:
			d.json(trouble{s.Name, string(s.State), why, time.Now()})
		default:
			d.printf("%s %s %s: %s\n", time.Now().Format("15:04:05.000"), s.Name, s.State, why)
		}
	}
}
