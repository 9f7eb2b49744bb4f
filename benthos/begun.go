package benthos

import "github.com/evenkeel/evenkeel/s6"

// Begun reports whether the service of the named instance has been started, as
// s6.Begun does, with a configuration.
func Begun(tree s6.Tree, options Options, name string, c *Config) (bool, error) {
	o, err := options.defaults(tree.OnHost())
	if err != nil {
		return false, err
	}
	doc, err := o.documents.of(c)
	if err != nil {
		return false, err
	}
	return s6.Begun(tree, name, doc.service)
}
