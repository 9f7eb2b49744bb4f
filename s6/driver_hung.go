package s6

import (
	"path"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// readHung returns what is written down of restarts for the check, nothing where
// that is of another spec. The file is read once: nobody but this driver writes
// it.
func (d *driver) readHung() (hung, error) {
	if d.hungKey == "" {
		d.hungKey = d.spec.checkKey(d.wantProcess)
	}
	if !d.hungKnown {
		data, err := d.fs.ReadFile(path.Join(d.service, fileHung))
		if _, err := found(err); err != nil {
			return hung{}, err
		}
		d.hung, d.hungKnown = parseHung(string(data)), true
	}
	if d.hung.key != d.hungKey {
		return hung{}, nil
	}
	return d.hung, nil
}

// isHung reports whether a process was found not to answer its check, and is to
// be replaced for that.
func (d *driver) isHung(status *supervise.Status) (bool, error) {
	if d.spec == nil || !d.spec.Check.Restart {
		return false, nil
	}
	h, err := d.readHung()
	return h.restarts > 0 && h.of == identity(status), err
}

// forgetHung makes the next restart for the check the first in a row.
func (d *driver) forgetHung(spec *Spec) error {
	if spec == nil || !spec.Check.Restart {
		return nil
	}
	d.hung, d.hungKnown = hung{}, false
	_, err := found(d.fs.Remove(path.Join(d.service, fileHung)))
	return err
}
