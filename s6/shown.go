package s6

import (
	"path"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
)

// ShownFile is a file of a service directory as it may be shown: without
// secrets.
type ShownFile struct {
	Name string // in the service directory
	Text string
}

// MaskFunc returns what is shown of a text at a place, as fsm.Masks does.
type MaskFunc func(place, text, masked string) string

// Show returns the files of the named service as they were written, and as they
// are to be: none for a service that is not there, and none for a nil spec.
// Everything that Spec.Masked masks is masked. A secret that is another one than
// before is fsm.MaskChanged in what is to be. Hashes, and what this package keeps
// for itself, are left out.
//
// configs returns what may be shown of the ConfigFiles of a spec, by their names;
// of others, and where it is nil, nothing is shown.
func Show(tree Tree, owner, name string, spec *Spec, configs func(*Spec, MaskFunc) map[string]string) (was, is []ShownFile, err error) {
	before, mine, err := lastAsked(tree, owner, name)
	if err != nil {
		return nil, nil, unowned(err)
	}
	var masks fsm.Masks
	show := func(spec *Spec, mask MaskFunc) ([]ShownFile, error) {
		var known map[string]string
		if configs != nil {
			known = configs(spec, mask)
		}
		return shownFiles(tree, owner, name, spec, mask, known)
	}
	if mine {
		if was, err = show(before.Spec, masks.Was); err != nil {
			return nil, nil, err
		}
	}
	if spec != nil {
		is, err = show(spec, masks.Is)
	}
	return was, is, err
}

// shownFiles returns the files of a spec as they are shown.
func shownFiles(tree Tree, owner, name string, spec *Spec, mask MaskFunc, configs map[string]string) ([]ShownFile, error) {
	s := spec.maskedBy(mask)
	for name := range s.ConfigFiles {
		if text, may := configs[name]; may {
			s.ConfigFiles[name] = text
		}
	}
	files, err := render(s, owner, tree.Layout().Log(name), tree.Tools())
	if err != nil {
		return nil, err
	}
	var all []ShownFile
	for _, f := range files {
		if f.name == fileHash || f.name == fileManifest {
			continue
		}
		all = append(all, ShownFile{f.name, strings.ReplaceAll(f.data, s.processHash(), "HASH")})
	}
	return all, nil
}

// maskedBy is Masked for what is shown beside another spec.
func (s *Spec) maskedBy(mask MaskFunc) *Spec {
	masked := s.Masked()
	masked.Note = ""
	args := func(of string, texts, shown []string) {
		before := ""
		for n, text := range texts {
			masked := shown[n]
			shown[n] = mask(path.Join(of, before), text, masked)
			before = masked
		}
	}
	args("command", s.Command, masked.Command)
	args("finish", s.Finish, masked.Finish)
	args("ready.check", s.Ready.Check, masked.Ready.Check)
	args("check.exec", s.Check.Exec, masked.Check.Exec)
	for name, text := range s.Env {
		masked.Env[name] = mask(path.Join(dirEnv, name), text, masked.Env[name])
	}
	for name, text := range s.ConfigFiles {
		masked.ConfigFiles[name] = mask(path.Join(dirConfig, name), text, fsm.Mask) + "\n"
	}
	return masked
}
