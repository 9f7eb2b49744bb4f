package s6

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6log"
)

// notificationFD is the descriptor for readiness where the spec names none.
const notificationFD = 3

// file is a file of a service directory to be.
type file struct {
	name string
	data string
	mode fs.FileMode
}

// render returns the files of a service directory in the order in which they
// are to be written. The hash is last: where it is, the others are.
func render(spec *Spec, kind, logDir string, tools Tools) ([]file, error) {
	m, err := json.MarshalIndent(manifest{manifestVersion, kind, spec.Hash(), spec}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot write down the spec: %w", err)
	}
	const script, public, secret fs.FileMode = 0o700, 0o644, 0o600
	files := []file{
		{fileTimeoutKill, milliseconds(spec.manner().patience) + "\n", public},
		{fileTimeoutFinish, milliseconds(finishScriptTimeout(spec)) + "\n", public},
		{fileFinish, renderFinish(spec, tools), script},
		{fileLogRun, renderLogRun(spec.Log, logDir, tools), script},
		{fileLogNotificationFD, strconv.Itoa(notificationFD) + "\n", public},
		{fileLogTimeoutKill, milliseconds(defaultStopTimeout) + "\n", public},
		{fileManifest, string(m) + "\n", secret},
	}
	if s := strings.TrimPrefix(spec.StopSignal, "SIG"); s != "" && s != "TERM" {
		files = append(files, file{fileDownSignal, "SIG" + s + "\n", public})
	}
	if spec.Ready.required() {
		files = append(files, file{fileNotificationFD, strconv.Itoa(cmp.Or(spec.Ready.FD, notificationFD)) + "\n", public})
	}
	if len(spec.Ready.Check) > 0 {
		check := asUser(spec, tools, spec.Ready.Check)
		files = append(files, file{fileCheck, "#!/bin/sh\nexec " + quote(inDir(spec, tools, check)) + "\n", script})
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		// s6-envdir -fL removes one newline at the end, and takes an empty file
		// for an unset variable.
		files = append(files, file{path.Join(dirEnv, name), spec.Env[name] + "\n", secret})
	}
	for _, name := range slices.Sorted(maps.Keys(spec.ConfigFiles)) {
		files = append(files, file{path.Join(dirConfig, name), spec.ConfigFiles[name], secret})
	}
	return append(files,
		file{fileRun, renderRun(spec, tools), script},
		file{fileHash, spec.Hash(), public},
	), nil
}

// renderRun returns a chain of programs. Each changes one thing about the
// process and becomes the next; the last is the command.
func renderRun(spec *Spec, tools Tools) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\nexec 2>&1\n")
	b.WriteString(renderStarted(spec))
	b.WriteString(holdPipe(spec))
	if spec.User != "" && len(spec.ConfigFiles) > 0 {
		fmt.Fprintf(&b, "chown -R %s ./%s\n", quote([]string{spec.User}), dirConfig)
	}
	// Whatever ran before has ended once the lock is held.
	chain := []string{tools.path("s6-setlock"), "./" + fileInstanceLock, "/bin/sh", "-c", separate(spec, tools), "run"}
	if len(spec.Env) > 0 {
		chain = append(chain, tools.path("s6-envdir"), "-fL", "./"+dirEnv)
	}
	if limits := renderLimits(spec.Limits); len(limits) > 0 {
		chain = append(append(chain, tools.path("s6-softlimit")), limits...)
	}
	if len(spec.Ready.Check) > 0 {
		// It finds ./data/check and ./event where it was started.
		chain = append(chain, tools.path("s6-notifyoncheck"), "-d", "-3", strconv.Itoa(notificationFD), "-n", "0", "-w", milliseconds(checkEvery), "-t", milliseconds(checkTimeout))
	}
	chain = append(chain, inDir(spec, tools, asUser(spec, tools, spec.Command))...)
	b.WriteString("exec " + quote(chain) + "\n")
	return b.String()
}

// inDir returns a command that begins in the spec's working directory. The
// environment is set again, for a shell drops variables whose names it cannot
// have.
func inDir(spec *Spec, tools Tools, command []string) []string {
	if spec.Dir == "" {
		return command
	}
	script := `cd "$0" || exit 111; exec "$@"`
	if len(spec.Env) > 0 {
		script = `here=$PWD; cd "$0" || exit 111; exec ` + quote([]string{tools.path("s6-envdir")}) + ` -fL "$here/` + dirEnv + `" "$@"`
	}
	return append([]string{"/bin/sh", "-c", script, spec.Dir}, command...)
}

func renderLimits(l Limits) (args []string) {
	for _, limit := range []struct {
		option string
		value  int64
	}{{"-d", l.Memory}, {"-o", l.OpenFiles}, {"-p", l.Processes}, {"-f", l.FileSize}} {
		if limit.value > 0 {
			args = append(args, limit.option, strconv.FormatInt(limit.value, 10))
		}
	}
	return args
}

func renderLogRun(l Log, dir string, tools Tools) string {
	const not = "-^" + s6log.Border + "$" // a border after a whole line is not kept
	args := []string{
		tools.path("s6-log"), "-d", strconv.Itoa(notificationFD), "-l", strconv.Itoa(s6log.MaxText), "--",
		"n" + strconv.Itoa(l.Kept()),
		"s" + strconv.FormatInt(cmp.Or(l.FileSize, defaultLogSize), 10),
		not, "t", // a label, which needs no time zone; this package reads it
	}
	if !l.TAI64N {
		args = append(args, "T") // local time, for people
	}
	args = append(args, dir)
	return "#!/bin/sh\nexec 2>&1\n" + followPipe + "exec " + quote(args) + "\n"
}

func asUser(spec *Spec, tools Tools, command []string) []string {
	if spec.User == "" {
		return command
	}
	return append([]string{tools.path("s6-setuidgid"), spec.User}, command...)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
