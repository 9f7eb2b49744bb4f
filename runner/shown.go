package runner

import (
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/s6"
)

// shownFiles returns the files of an instance's service as they may be shown, as they
// were written and as they are to be with an entry, which may have nothing in it.
func shownFiles(tree s6.Tree, streams benthos.Options, key config.Key, e config.Entry) (was, is []s6.ShownFile, err error) {
	if key.Kind == config.KindStream {
		return benthos.Show(tree, streams, key.Name, e.Stream)
	}
	return s6.Show(tree, s6.KindName, key.Name, e.Service, nil)
}

// Shown returns the files of an instance's service as they may be shown, as s6.Show
// does: as they were written, and as they are to be with what is asked of it now.
func (r *Runner) Shown(key config.Key) (was, is []s6.ShownFile, err error) {
	var e config.Entry
	if s, exists := r.Services.Instance(key.Name); exists && key.Kind == config.KindService {
		e.Service = s.Desired.Spec
	}
	if s, exists := r.Streams.Instance(key.Name); exists && key.Kind == config.KindStream {
		e.Stream = s.Desired.Spec
	}
	return shownFiles(r.Tree, r.options, key, e)
}
