package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/filesystem"
)

// Reader reads files. The zero value reads the real ones.
type Reader struct {
	// FS is where the files are; nil means the filesystem of this machine.
	FS filesystem.FS
	// LookupEnv is os.LookupEnv where it is nil: {env: NAME} is looked up there.
	LookupEnv func(name string) (value string, ok bool)
}

// Read is Reader.Read of the zero Reader.
func Read(paths ...string) *Declaration { return Reader{}.Read(paths...) }

// Read returns what files declare together. A path that is a directory stands
// for its files *.yaml, but for those whose names begin with a dot. It does not
// fail: what cannot be read, parsed or taken is among the Problems.
func (r Reader) Read(paths ...string) *Declaration {
	r.FS = r.fs()
	if r.LookupEnv == nil {
		r.LookupEnv = os.LookupEnv
	}
	d := &Declaration{Entries: make(map[Key]Entry)}
	var all []named
	read := make(map[string]bool)
	for _, p := range paths {
		files, err := r.files(p)
		if err != nil {
			d.Problems = append(d.Problems, unreadable(p, err))
		}
		for _, name := range files {
			if read[name] {
				continue // it is given twice
			}
			read[name] = true
			d.note(r, name)
			text, err := r.FS.ReadFile(name)
			if err != nil {
				d.Problems = append(d.Problems, unreadable(name, err))
				continue
			}
			f := fileReader{walker: walker{file: name}, sources: sources{r.FS, r.LookupEnv, func(file string) { d.note(r, file) }}, entries: make(map[Key]Entry)}
			f.read(text)
			d.take(&f)
			all = append(all, f.named...)
		}
	}
	d.settle(all)
	d.resolve(all)
	return d
}

func (d *Declaration) note(r Reader, name string) {
	d.Files = append(d.Files, File{name, r.Look(name)})
}

// Look returns what can be seen of a file without reading it: something else
// after each change of it, as far as sizes and times tell.
func (r Reader) Look(name string) string {
	info, err := r.fs().Stat(name)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}

func (r Reader) fs() filesystem.FS {
	if r.FS == nil {
		return filesystem.OS{}
	}
	return r.FS
}

// files returns the files that a path stands for.
func (r Reader) files(p string) ([]string, error) {
	info, err := r.FS.Stat(p)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{p}, nil
	}
	entries, err := r.FS.ReadDir(p)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yaml") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, path.Join(p, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, errors.New("there is no *.yaml in it")
	}
	slices.Sort(files)
	return files, nil
}

func unreadable(name string, err error) Problem {
	// The position says which file.
	if of := new(fs.PathError); errors.As(err, &of) {
		err = of.Err
	}
	return Problem{At: Position{File: name}, What: "it cannot be read: " + err.Error()}
}

// fileReader reads one file.
type fileReader struct {
	walker
	sources
	entries map[Key]Entry
	notRun  []Section
	named   []named
}

// take takes what a file declares, unless there is a problem with it that is
// not about one entry.
func (d *Declaration) take(f *fileReader) {
	d.Problems = append(d.Problems, f.problems...)
	d.NotRun = append(d.NotRun, f.notRun...)
	if !slices.ContainsFunc(f.problems, func(p Problem) bool { return p.Entry == Key{} }) {
		maps.Copy(d.Entries, f.entries)
	}
}

func (f *fileReader) read(text []byte) {
	root, problem := parse(f.file, text)
	switch {
	case problem != nil:
		f.problems = append(f.problems, *problem)
		return
	case root == nil, !f.isA(yaml.MappingNode, root, resolved(root), "the file"):
		return
	}
	known := fieldsOf(reflect.TypeFor[file]())
	for key, v := range f.each(resolved(root), "") {
		switch key.Value {
		case "services":
			f.list(v, services, "services")
		case "benthos":
			f.list(v, streams, "benthos")
		case "dataFlow":
			f.list(v, flows, "dataFlow")
		case "internal":
			f.internal(v)
		default:
			f.section(key, "", known, notRun)
		}
	}
}

func (f *fileReader) internal(n *yaml.Node) {
	in := resolved(n)
	if in.ShortTag() == nullTag || !f.isA(yaml.MappingNode, n, in, "internal") {
		return
	}
	known := fieldsOf(reflect.TypeFor[internal]())
	for key, v := range f.each(in, "internal") {
		switch key.Value {
		case "services":
			f.list(v, services, "internal.services")
		case "benthos":
			f.list(v, streams, "internal.benthos")
		default:
			f.section(key, "internal", known, notRunInside)
		}
	}
}

// section notes a section that is not run. Another one may have been meant to be
// one that is.
func (f *fileReader) section(key *yaml.Node, path string, known map[string]reflect.Type, skipped []string) {
	if slices.Contains(skipped, key.Value) {
		f.notRun = append(f.notRun, Section{Position{f.file, key.Line, key.Column}, below(path, key.Value)})
		return
	}
	all := maps.Clone(known)
	for _, name := range skipped {
		all[name] = nil
	}
	f.unknown(key, path, all)
}

// list reads the entries of a list.
func (f *fileReader) list(n *yaml.Node, s sort, path string) {
	list := resolved(n)
	if list.ShortTag() == nullTag || !f.isA(yaml.SequenceNode, n, list, path) {
		return
	}
	for i, node := range list.Content {
		key, ok := keyOf(&f.walker, node, s, path+"."+strconv.Itoa(i))
		if !ok {
			continue
		}
		at := Position{f.file, node.Line, node.Column}
		f.named = append(f.named, named{key, strings.TrimPrefix(key.Name, s.prefix), at})
		r := &entryReader{walker: walker{file: f.file, entry: key}, sources: f.sources, node: node}
		r.walk(node, s.schema, "")
		e := s.read(r)
		if len(r.problems) > 0 {
			f.problems = append(f.problems, r.problems...)
			continue
		}
		e.At, e.node = at, node
		f.entries[key] = e
	}
}
