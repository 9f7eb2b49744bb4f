package s6

// commandProblem says why the command cannot be started, "" if there is no
// reason.
func (d *driver) commandProblem(spec *Spec) (string, error) {
	_, problem, err := spec.lookUp(d.fs, d.service, spec.Command[0])
	return problem, err
}
