package s6

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/proc"
)

// usageTime bounds how long s6-svscan takes to say how it is used.
const usageTime = 2 * time.Second

// scanOptions asks the installed s6-svscan once which options it has. It forks.
func (t *SystemTree) scanOptions() scanOptions {
	t.asksOptions.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), usageTime)
		defer cancel()
		// An option that it refuses has it print its usage. It could serve no
		// such directory.
		usage, _ := exec.CommandContext(ctx, t.tools.path("s6-svscan"), "-h", "/dev/null").CombinedOutput()
		t.options = optionsIn(usage)
	})
	return t.options
}

// Of each service s6-svscan holds both ends of the pipe to its logger, and has
// a few descriptors of its own.
const (
	descriptorsPerLogger = 2
	descriptorsOfItsOwn  = 24
)

// descriptorsOfProgram is how many files a program may need beside those of its
// services: what it reads in passes, what listens, who asks it.
const descriptorsOfProgram = 128

// raiseFiles is a shell script that raises the soft limit on open files, which
// all processes of the tree inherit, to its first argument, or as far as may
// be, and becomes the command in the others. A limit is never lowered.
//
// It also takes from others what the umask might give them: s6 writes its status,
// its tallies and the logs as the umask says, and who can write these tells lies.
const raiseFiles = `want=$1; shift
umask o-w
now=$(ulimit -Sn)
[ "$now" = unlimited ] || [ "$now" -ge "$want" ] || ulimit -Sn "$want" 2>/dev/null || ulimit -Sn "$(ulimit -Hn)"
exec "$@"`

// scanCommand is the command line of the s6-svscan of a private tree.
func (t *SystemTree) scanCommand() []string {
	files := strconv.Itoa(descriptorsPerLogger*mostServices + descriptorsOfItsOwn)
	command := []string{"/bin/sh", "-c", raiseFiles, "sh", files, t.tools.path("s6-svscan")}
	return append(append(command, t.scanOptions().raised()...), t.layout.ScanDir)
}

// Limits implements Tree. It reads the command line and the limits of the
// s6-svscan; where those cannot be read no limit is known. The last is that of this
// program.
func (t *SystemTree) Limits() ([]Limit, error) {
	scanner, err := t.scanner()
	if err != nil || scanner.PID == 0 {
		return nil, err
	}
	process, err := proc.System.Read(scanner.PID)
	if err != nil {
		return nil, nil // it has ended, or is not to be looked into
	}
	who := fmt.Sprintf("s6-svscan (pid %d) on %s", scanner.PID, t.layout.ScanDir)
	options := t.scanOptions()
	limit := servicesLimit(process.Args, options)
	limit.Name = who + " takes " + limit.Name
	limit.Remedy = t.remedy(strings.Join(options.raised(), " "))
	limits := []Limit{limit}
	if files, err := proc.System.Limits(scanner.PID); err == nil && files.OpenFiles < 1<<30 {
		limits = append(limits, Limit{
			Most: int(files.OpenFiles) - descriptorsOfItsOwn, PerLogger: descriptorsPerLogger,
			Name:   fmt.Sprintf("%s may open %d files, two for each logger", who, files.OpenFiles),
			Remedy: t.remedy("a higher limit on open files (ulimit -n)"),
		})
	}
	if files, err := proc.System.Limits(os.Getpid()); err == nil && files.OpenFiles < 1<<30 {
		limits = append(limits, programLimit(int(files.OpenFiles)))
	}
	return limits, nil
}

// programLimit is the limit that this program has by the files that it may open.
// It hears of the events of each service by one, and has others besides.
func programLimit(files int) Limit {
	return Limit{
		Most: files - descriptorsOfProgram, PerService: 1,
		Name:   fmt.Sprintf("this program may open %d files, one for each service and %d for all else", files, descriptorsOfProgram),
		Remedy: "start it with a higher limit on open files (ulimit -n)",
	}
}

// remedy says how a limit of the s6-svscan is raised.
func (t *SystemTree) remedy(with string) string {
	if t.keeper != nil {
		return "shut the tree down and start it again, which raises the limit as far as may be"
	}
	return "start that s6-svscan with " + with
}
