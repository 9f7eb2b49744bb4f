package benthos

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Show returns the files of the named instance's service as they were written,
// and as they are to be with a configuration, nil for none: as s6.Show, with the
// document of the engine as Config.Masked shows it.
func Show(tree s6.Tree, options Options, name string, c *Config) (was, is []s6.ShownFile, err error) {
	o, err := options.defaults(tree.OnHost())
	if err != nil {
		return nil, nil, err
	}
	var spec *s6.Spec
	if c != nil {
		doc, err := o.documents.of(c)
		if err != nil {
			return nil, nil, err
		}
		spec = doc.service
	}
	return s6.Show(tree, o.Owner, name, spec, func(spec *s6.Spec, mask s6.MaskFunc) map[string]string {
		c, err := readNote(spec.Note)
		if err != nil {
			return nil // it is not known what may be shown
		}
		shown := c.maskedBy(mask)
		sections, err := shown.sectionsText()
		if err != nil {
			return nil
		}
		text, err := shown.render(sections)
		if err != nil {
			return nil
		}
		return map[string]string{configFile: string(text)}
	})
}

// maskedBy is Masked for what is shown beside another configuration.
func (c Config) maskedBy(mask s6.MaskFunc) Config {
	shown := c.converted(func(at place, v any) any {
		masked, ok := textOf(maskedValue(at, v))
		if !ok {
			return v // what is masked is a text
		}
		text, ok := textOf(v)
		if !ok {
			text = fmt.Sprint(v)
		}
		if text == masked {
			return v
		}
		return mask(strings.Join(at.path, "."), text, masked)
	})
	shown.MetricsMapping = mask("metrics.mapping", c.MetricsMapping, fsm.MaskText(c.MetricsMapping))
	return shown
}
