package s6

import (
	"fmt"
	"time"
)

// The pipe between a service and its logger is made by s6-svscan, and s6-svscan
// is the only one to hold both of its ends. These scripts make it survive
// s6-svscan and any logger:
//
//   - The process holds an end to read from, too. So it gets no SIGPIPE while no
//     logger lives: what it prints waits in the pipe.
//   - run has written down which supervisor started it, and a logger reads the
//     pipe that this supervisor writes to, or its process: a supervisor that was
//     told to exit after its process has let go of the pipe. After s6-svscan was
//     killed it is not the one that the new s6-svscan gives to the logger.
//   - Between the texts of two processes is a border. It ends a last line that
//     has no newline, and the logger drops it where there is none. finish writes
//     it when the process ends. run does where that is missing, once no other
//     process is left: after its supervisor was killed, or if the pipe was full.

// pipeFD is the descriptor by which a process holds its pipe. A shell knows only
// those below 10.
const pipeFD = 7

// holdPipe makes the process hold the pipe.
func holdPipe(spec *Spec) string {
	fd := pipeFD
	if spec.Ready.FD == fd {
		fd++
	}
	return fmt.Sprintf("[ -p /proc/self/fd/1 ] && [ -r /proc/self/fd/1 ] && exec %d</proc/self/fd/1\n", fd)
}

// followPipe makes a logger read what the service's supervisor writes to, or its
// only child. The process of that id is the supervisor if it is in the service's
// directory. It may let go of the pipe just when that is opened.
const followPipe = `read -r hash process supervisor 2>/dev/null <../` + fileStarted + `
supervisor=${supervisor%.*}
if [ "$supervisor" ] && [ "/proc/$supervisor/cwd" -ef .. ]; then
	read -r process rest 2>/dev/null <"/proc/$supervisor/task/$supervisor/children"
	for pid in "$supervisor" $process; do
		pipe=/proc/$pid/fd/1
		[ -p "$pipe" ] && [ -r "$pipe" ] && exec <"$pipe" && [ -p /proc/self/fd/0 ] && break
	done
fi
`

// printBorder prints s6log.Border and a newline. Of itself it waits for as long
// as the pipe is full.
const printBorder = `printf '\003\004\n'`

// borderTimeout is how long is waited for room in the pipe.
const borderTimeout = time.Second

// separate returns what begins the text of a process: a border, unless one is
// known to end the text before it, and what its policy says. The file is there,
// but for a service directory of an earlier version.
func separate(spec *Spec, tools Tools) string {
	script := fmt.Sprintf(`read -r evenkeel 2>/dev/null <./%s
[ "$evenkeel" = 1 ] || timeout %.0f %s
echo 0 2>/dev/null 1<>./%[1]s
`, fileBorder, borderTimeout.Seconds(), printBorder)
	if spec.Judges() {
		script += holdBack(spec, tools)
	}
	return script + `exec "$@"`
}
