package s6

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"
)

// renderFinish returns what s6-supervise runs after each end of the process and
// before it starts another one. It ends what the process has left running: the
// rest of its process group. Then it prints a border, and does what the spec says
// about the end of a process.
//
// The group is the one that s6-supervise names, from 2.13 on, and else that of the
// process that is written down with its supervisor. Where that is another
// supervisor, nothing is ended: the id is that of an earlier process, and may be
// somebody else's by now. What the program has written down, where the record of
// run was lost, may be late: it counts if a process of the group is older than the
// moment until which its leader was seen. As long as a process of a group has not
// been reaped, the kernel gives the group's id to no other process. A process that
// has ended and that nobody reaps is not left running.
func renderFinish(spec *Spec, tools Tools) string {
	signal := cmp.Or(strings.TrimPrefix(spec.StopSignal, "SIG"), "TERM")
	end := fmt.Sprintf(endGroup, fileStarted, statStarted, signal, centiseconds(spec.groupTimeout()), centiseconds(killedPatience))
	end += fmt.Sprintf("timeout %.0f %s", borderTimeout.Seconds(), printBorder)
	if len(spec.Finish) == 0 { // what the command prints is text, too: run prints another border
		end += " && echo 1 2>/dev/null 1<>./" + fileBorder
	}
	if !spec.policed() {
		return "#!/bin/sh\nexec 2>&1\n" + end + "\nexit 0\n"
	}
	script := "#!/bin/sh\nexec 2>&1\n" + recallStarted
	if spec.Judges() {
		script += judge(spec, tools) + "evenkeel=$?\n"
	} else {
		script += "evenkeel=0\n"
	}
	script += "(\n" + end + "\n)\n"
	if spec.Judges() {
		script += "[ $evenkeel != 126 ] || exit 125\n"
	}
	if len(spec.Finish) > 0 {
		script += finishCommand(spec, tools)
	}
	return script + "exit $evenkeel\n"
}

// finishScriptTimeout is how long all of a finish script may take.
func finishScriptTimeout(spec *Spec) time.Duration {
	if !spec.policed() {
		return spec.finishTimeout()
	}
	all := spec.groupTimeout() + killedPatience + borderTimeout + scriptTime
	if len(spec.Finish) > 0 {
		all += time.Duration(math.Ceil(spec.finishTimeout().Seconds())) * time.Second
	}
	return all
}

// endGroup is the part of the finish script that ends a process group. Signals are
// written as "kill -TERM -1234", which all shells take: busybox takes no "--", and
// dash needs one after "-s".
const endGroup = `read -r hash group by seen rest 2>/dev/null <./%[1]s || by=
read -r stat <"/proc/$PPID/stat"
started() { [ "$by" = "$PPID.${%[2]d}" ]; }
member() { [ "$3" = "$group" ] && [ "$1" != Z ]; }
older() { member "$@" && [ "${%[2]d}" -lt "$seen" ]; }
any() {
	for file in /proc/[0-9]*/stat; do
		read -r stat 2>/dev/null <"$file" && "$1" ${stat##*) } && return
	done
	return 1
}
clock() { read -r now rest </proc/uptime && now=${now%%%%.*}${now#*.}; }
# end SIGNAL CENTISECONDS
end() {
	kill "-$1" "-$group" 2>/dev/null && kill -CONT "-$group" 2>/dev/null
	clock
	over=$((now + $2))
	short=10
	while any member; do
		clock
		if [ "$now" -ge "$over" ]; then return 1; fi
		short=$((short - 1))
		if [ $short -ge 0 ]; then sleep 0.01; else sleep 0.1; fi || return 1
	done
}
case ${4:-0} in
0 | 1 | *[!0-9]*) started ${stat##*) } || group= ;;
*) group=$4 seen= ;;
esac
same() { [ -z "$seen" ] || any older 2>/dev/null; }
if [ "$group" ]; then
	if ! kill -0 "-$group" 2>/dev/null || ! any member || { same && { end %[3]s %[4]d || end KILL %[5]d; }; }; then
		# Another process may have begun if the supervisor was killed.
		read -r hash now by 2>/dev/null <./%[1]s || now=
		if [ "$now" = "$group" ]; then echo "$hash 0" 1<>./%[1]s; fi
	fi
fi
`

// renderStarted returns the lines of run that write down what the process is
// made from, its id, and its supervisor, by its id and the time at which it
// started. They write into an existing file, for which there is room on a full
// disk. An earlier process that no finish script has seen to, because its
// supervisor was killed, is kept in another file for the program. The one
// variable has a name that no environment has.
func renderStarted(spec *Spec) string {
	return fmt.Sprintf(`read -r evenkeel <"/proc/$PPID/stat"
set -- ${evenkeel##*) }
set -- "$PPID.${%d}"
read -r evenkeel 2>/dev/null <./%[2]s
set -- "$1" $evenkeel
[ "${3:-0}" = 0 ] || echo "$3" >>./%[3]s
echo "%[4]s $$ $1" 1<>./%[2]s
`, statStarted, fileStarted, fileUnfinished, spec.processHash())
}

// statStarted is where /proc/PID/stat has the time at which a process started,
// counted from its state, which is the first word after its name.
const statStarted = 20
