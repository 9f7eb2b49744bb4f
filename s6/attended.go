package s6

import (
	"maps"
	"path"
	"slices"
)

// Attended is a directory, and what a Watch that attends to a service tells of it.
type Attended struct {
	Path string
	// Names are those in it of which it is told that they are made, written to,
	// replaced or gone, or that who had them open to write to them closes them; nil
	// means all. Of the directory itself it is told that it is gone.
	Names []string
	// Gone: of the names it is told that they are gone, and nothing else.
	Gone bool
}

// Attended returns where something happens to a service that a pass over it may see.
// files are those that make it up, in its directory. A lock is closed when its holder
// ends, and a supervisor replaces its status.
func (l Layout) Attended(name string, files []string) (dirs []Attended) {
	supervisor := []string{path.Base(fileSuperviseLock), "status"}
	in := map[string][]string{ // names in directories of the service
		".":                            {fileDown, dirEvent, dirData, path.Dir(fileSuperviseLock)},
		dirData:                        nil, // all
		path.Dir(fileSuperviseLock):    supervisor,
		path.Dir(fileLogSuperviseLock): supervisor,
		dirLog:                         {path.Dir(fileSuperviseLock)},
	}
	for _, f := range files {
		for ; f != "."; f = path.Dir(f) {
			if dir := path.Dir(f); dir != dirData && !slices.Contains(in[dir], path.Base(f)) {
				in[dir] = append(in[dir], path.Base(f))
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(in)) {
		// What is in config/ may be the process's to change.
		dirs = append(dirs, Attended{Path: path.Join(l.Service(name), dir), Names: in[dir], Gone: dir == dirConfig})
	}
	return append(dirs,
		Attended{Path: l.Log(name), Names: []string{path.Base(l.logLock(name))}},
		Attended{Path: l.ScanDir, Names: []string{name}},
		Attended{Path: l.ServicesDir, Names: []string{name}},
		Attended{Path: l.LogsDir, Names: []string{name}},
	)
}
