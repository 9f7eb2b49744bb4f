package s6

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

func (d *driver) observeFiles(now time.Time, o *Observed) (err error) {
	if o.Linked, err = d.linked(); err != nil {
		return err
	}
	if o.Hash, err = d.readHash(); err != nil {
		return err
	}
	if o.Exists = o.Hash != ""; !o.Exists {
		_, err = d.fs.Lstat(d.service)
		if o.Exists, err = found(err); err != nil || !o.Exists {
			d.examined, d.foreign, d.damage = false, "", ""
			return err
		}
	}
	// If there is none, opening it costs less than Lstat.
	_, err = d.fs.ReadRange(d.paths.down, nil, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if o.AskedDown, err = found(err); err != nil {
		return err
	}
	if err := d.observeIntact(now); err != nil {
		return err
	}
	o.Intact, o.Owner, o.Damage, o.made = d.intact, d.foreign, d.damage, d.made
	o.Watched = d.watch != nil && d.watch.Linked()
	return nil
}

// observeIntact finds out whether the files are as they were written. It compares
// them once, and then looks now and then whether each is still there.
func (d *driver) observeIntact(now time.Time) (err error) {
	if d.examined && d.intact && d.foreign == "" && now.Sub(d.lookedAt) >= filesEvery {
		if d.damage, err = d.looksDamaged(); err != nil {
			return err
		}
		d.lookedAt, d.intact = now, d.damage == ""
	}
	if !d.examined || d.foreign != "" { // which may have changed hands
		if d.intact, err = d.examine(); err != nil {
			return err
		}
		d.examined, d.lookedAt = true, now
	}
	return nil
}

// keep remembers the files of the service directory.
func (d *driver) keep(files []file) {
	d.attending = false // to these
	d.files = make([]keptFile, len(files))
	for n, f := range files {
		d.files[n] = keptFile{f.name, path.Join(d.service, f.name), int64(len(f.data)), f.mode}
	}
}

// looksDamaged says which of the files is missing, or cannot be what it was,
// without reading them; "" for none. What is in config/ may be the process's to
// change.
func (d *driver) looksDamaged() (damage string, err error) {
	for _, f := range d.files {
		info, err := d.fs.Lstat(f.path)
		switch there, err := found(err); {
		case err != nil && !errors.Is(err, syscall.ENOTDIR):
			return "", err
		case !there:
			return f.name + " is missing", nil
		case !info.Mode().IsRegular():
			return f.name + " is no file", nil
		case f.mode&0o100 != 0 && info.Mode()&0o100 == 0:
			return f.name + " is not executable", nil
		case info.Size() != f.size && path.Dir(f.name) != dirConfig:
			return fmt.Sprintf("%s has %d bytes and not %d", f.name, info.Size(), f.size), nil
		}
	}
	return "", nil
}

// leftover reports whether there are parts of a service directory under the
// names that are used to build and to delete it.
func (d *driver) leftover() (bool, error) {
	for _, prefix := range []string{asideNew, asideGone} {
		_, err := d.fs.Lstat(d.aside(prefix))
		if ok, err := found(err); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// linked reports whether the scan directory leads to the service. Anything else
// with its name there belongs to somebody else.
func (d *driver) linked() (bool, error) {
	link := d.paths.link
	target, err := d.fs.Readlink(link)
	switch ok, err := found(err); {
	case errors.Is(err, fs.ErrInvalid):
		return false, fmt.Errorf("%s is not a link: another service has the name %q in the scan directory", link, d.name)
	case !ok:
		return false, err
	case target != d.service:
		return false, fmt.Errorf("%s leads to %s: another service has the name %q in the scan directory", link, target, d.name)
	}
	return true, nil
}

// readHash returns what the service directory was written from, "" if the file
// is missing or cut short.
func (d *driver) readHash() (string, error) {
	hash := d.buf[:hashSize]
	if n, err := d.readStart(d.paths.hash, hash); n < hashSize {
		return "", err
	}
	return d.known(hash), nil
}

// readStarted returns what the running process was started from, "" if its start
// has not said so: the file may still speak of an earlier process. A mark of the
// process comes before that if a restart was asked for, and else after it.
func (d *driver) readStarted(status *supervise.Status) (string, error) {
	d.unrecorded = false // as far as nothing depends on it
	if !status.Up() {
		return "", nil
	}
	if hung, err := d.isHung(status); hung || err != nil {
		return startedHung, err
	}
	marked, err := d.readMarked(status)
	if marked == startedReplaced || marked == startedWaiting || err != nil {
		return marked, err
	}
	if started, err := d.readOwnStart(status); started != "" || err != nil {
		return started, err
	}
	return marked, nil
}

// parseRecord returns what the start of a process has written down. whole: its id
// and its supervisor are there as well. The id is 0 where it cannot be read.
func parseRecord(text []byte) (hash []byte, pid int, whole bool) {
	line, _, ended := bytes.Cut(text, []byte("\n"))
	hash, rest, _ := bytes.Cut(line, []byte(" "))
	id, by, _ := bytes.Cut(rest, []byte(" "))
	pid, err := strconv.Atoi(string(id))
	if err != nil {
		return hash, 0, false
	}
	return hash, pid, ended && len(by) > 0
}

// readOwnStart returns what a running process was started from, as its start has
// said, "" where that is not known, and notes whether it is written down which
// process it is.
func (d *driver) readOwnStart(status *supervise.Status) (string, error) {
	n, err := d.readStart(d.paths.started, d.buf[:])
	if err != nil {
		return "", err
	}
	hash, pid, whole := parseRecord(d.buf[:n])
	d.unrecorded = pid != status.PID || !whole
	if pid != status.PID || len(hash) != hashSize {
		return "", nil
	}
	if of := &d.startOf; of.pid != pid || !of.stamp.Equal(status.Stamp) || of.hash != string(hash) {
		d.startOf = startOf{pid, status.Stamp, d.known(hash)}
	}
	return d.startOf.hash, nil
}

// readMarked returns what a running process was marked as, "" if it was not. The
// file is read once: nobody but this driver writes it.
func (d *driver) readMarked(status *supervise.Status) (string, error) {
	if !d.marks.known {
		n, err := d.readStart(d.paths.marked, d.buf[:])
		if err != nil {
			return "", err
		}
		d.marks = marks{known: true}
		if n >= hashSize {
			of, _, _ := bytes.Cut(d.buf[hashSize:n], []byte("\n"))
			d.marks.as, d.marks.of = string(d.buf[:hashSize]), string(bytes.TrimSpace(of))
		}
	}
	if d.marks.of == "" || d.marks.of != identity(status) {
		return "", nil
	}
	return d.marks.as, nil
}

// readRecord returns the words that the start of the last process has written
// down: what it was started from, its id, 0 once what it has left running was
// ended, and its supervisor.
func (d *driver) readRecord() ([]string, error) {
	data, err := d.fs.ReadFile(d.paths.started)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil // the name, or data, is a file of somebody else's
	}
	if ok, err := found(err); err != nil || !ok {
		return nil, err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.Fields(line), nil
}

// readUnfinished returns the processes that no finish script has seen to: the
// one that was started last, and those that the starts of others have found.
func (d *driver) readUnfinished() (pids []int, err error) {
	record, err := d.readRecord()
	if err != nil {
		return nil, err
	}
	data, err := d.fs.ReadFile(path.Join(d.service, fileUnfinished))
	if errors.Is(err, syscall.ENOTDIR) {
		err = nil // as above
	}
	if _, err := found(err); err != nil {
		return nil, err
	}
	words := strings.Fields(string(data))
	if len(record) > 1 {
		words = append(words, record[1])
	}
	for _, word := range words {
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// readStart reads the beginning of a file, nothing if there is no file.
func (d *driver) readStart(file string, p []byte) (n int, err error) {
	n, err = d.fs.ReadRange(file, p, 0)
	if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		n = 0
	}
	return n, err
}

// known returns a hash as a string, without allocating if it is the wanted one.
func (d *driver) known(hash []byte) string {
	if string(hash) == d.wantHash {
		return d.wantHash
	}
	if string(hash) == d.wantProcess {
		return d.wantProcess
	}
	return string(hash)
}

// unknownOwner stands for the owner that a manifest of another version names.
const unknownOwner = "a program of another version"

// examine compares the files of the service directory with those that its
// manifest calls for, unless the directory is another owner's.
func (d *driver) examine() (intact bool, err error) {
	d.damage, d.files = "", nil
	m, err := untorn(readManifest(d.fs, d.service))
	if errors.Is(err, ErrVersion) {
		d.foreign = unknownOwner
		return false, nil
	}
	if err != nil {
		return false, err // which says nothing of whose it is
	}
	d.foreign = ""
	if m == nil {
		d.damage = fileManifest + " says nothing"
		return false, nil
	}
	if m.Kind != d.owner {
		d.foreign = m.Kind
		return false, nil
	}
	files, err := d.render(m.Spec)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		data, err := d.fs.ReadFile(path.Join(d.service, f.name))
		if ok, err := found(err); err != nil || !ok {
			d.damage = f.name + " is missing"
			return false, err
		}
		if string(data) != f.data {
			d.damage = f.name + " is not as it was written"
			return false, nil
		}
	}
	d.keep(files)
	d.made = m.Spec.processHash()
	d.damage, err = d.looksDamaged()
	return d.damage == "", err
}

func (d *driver) render(spec *Spec) ([]file, error) {
	return render(spec, d.owner, d.tree.Layout().Log(d.name), d.tree.Tools())
}

// written turns a status that is not there, or that says nothing, into a value;
// every other error stays one. s6-supervise writes the status anew with each
// change, so that a torn one, as a loss of power leaves it, is no reason to wait.
func written(err error) (bool, error) {
	if torn(err) {
		return false, nil
	}
	return found(err)
}

// torn reports whether there is a status that is none.
func torn(err error) bool {
	if err == nil {
		return false // at no cost: it is asked in every pass
	}
	return errors.As(err, new(*supervise.StatusSizeError)) || errors.As(err, new(*supervise.StatusFieldError))
}
