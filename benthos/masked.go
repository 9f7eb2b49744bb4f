package benthos

import (
	"encoding/json"
	"log/slog"
	"slices"

	"github.com/evenkeel/evenkeel/fsm"
)

var (
	_ fsm.Masker[*Config]  = (*Config)(nil)
	_ fsm.Masker[Observed] = (*Observed)(nil)
)

// Masked implements fsm.Masker: it returns a Config to show, not to run.
// Everything below a key with an fsm.SecretName is masked, other texts as by
// fsm.MaskText and lists as by fsm.MaskArgs. ${NAME}, which the engine
// replaces, is shown.
func (c *Config) Masked() *Config {
	if c == nil {
		return nil
	}
	shown := c.converted(maskedValue)
	shown.MetricsMapping = fsm.MaskText(c.MetricsMapping)
	shown.Note = fsm.MaskSecret(c.Note)
	return &shown
}

func maskedValue(at place, v any) any {
	n, err := classify(v)
	secret := slices.ContainsFunc(at.path, fsm.SecretName)
	switch {
	case err != nil, n.shape == shapeMap, n.shape == shapeList:
		return fsm.Mask // it has no place in a configuration
	case n.shape == shapeNull, n.shape == shapeBool, !secret && n.shape != shapeString:
		return v
	case n.shape != shapeString:
		return fsm.Mask
	case secret:
		return fsm.MaskSecret(n.s)
	}
	if before, ok := textOf(at.before); ok {
		return fsm.MaskArgs([]string{before, n.s})[1]
	}
	return fsm.MaskText(n.s)
}

// String returns the JSON of Masked, so that a Config can be printed. The JSON
// of the Config itself is not masked.
func (c Config) String() string {
	text, err := json.Marshal(c.Masked())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// LogValue implements slog.LogValuer: the JSON of Masked.
func (c Config) LogValue() slog.Value { return slog.AnyValue(json.RawMessage(c.String())) }

// Masked implements fsm.Masker: the Service is masked, and texts as by
// fsm.MaskText.
func (o *Observed) Masked() Observed {
	shown := *o
	shown.Service = o.Service.Masked()
	for _, text := range []*string{
		&shown.PortTaken, &shown.AnnounceProblem, &shown.LogProblem,
		&shown.Health.Problem, &shown.Health.PortTaken, &shown.Health.MetricsProblem,
	} {
		*text = fsm.MaskText(*text)
	}
	return shown
}
