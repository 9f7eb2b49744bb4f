package s6

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// What is done about the end of a process is in two scripts. finish judges it
// before it does anything else that may take time, so that what is not to run
// again does not if finish itself is killed: it gets a file named down, and its
// s6-supervise is told not to want it up. run waits out a pause, and begins
// nothing that is not to run again, whoever wants it up.

// judge returns the part of a finish script that says what is to follow on the end
// of a process. Its exit code is 125 where nothing is. $5 and $6 are what the
// process was started from, and its id. A process that was told to go down, or
// that another one is to replace, has not ended by itself, nor has one that was
// ended during its pause failed. Where it was lost which process that is, a mark
// is taken to be of it.
func judge(spec *Spec, tools Tools) string {
	from, to := spec.Backoff.pauses()
	return fmt.Sprintf(policyScript, fileCourse, quote([]string{tools.path("s6-svstat")}), quote([]string{tools.path("s6-svc")}), fileMarked, startedReplaced, fileDown) +
		fmt.Sprintf("policy %s %d %d %d %d \"$1\" \"$5\" \"$6\"\n)\n", cmp.Or(spec.Restart, RestartAlways),
			centiseconds(from), centiseconds(to), spec.GiveUpAfter, centiseconds(spec.longRun()))
}

// recallStarted has a finish script know what the process was started from, and
// its id, before the end of the process group is written down. $4 is that group,
// or empty. The variable has a name that no environment has, as have those of all
// parts of scripts that run before a command of the user's.
const recallStarted = `read -r evenkeel 2>/dev/null <./` + fileStarted + `
set -- "$1" "$2" "$3" "$4" $evenkeel
`

// uptime is how scripts read the clock: without zeros in front, which would make
// the number octal.
const uptime = `uptime() {
	read -r now rest </proc/uptime
	now=${now%%.*}${now#*.}
	now=${now#"${now%%%%[!0]*}"}
	now=${now:-0}
}
`

const policyScript = `(
` + uptime + `course() { echo "$*" 2>/dev/null 1<>./%[1]s; }
over() {
	course "$@"
	{ true >./%[6]s; } 2>/dev/null
	%[3]s -O . 2>/dev/null
	return 125
}
# policy RESTART FROM TO LIMIT LONG CODE HASH PID
policy() {
	read -r state failures since pause hash 2>/dev/null <./%[1]s
	case $state in ` + courseDone + ` | ` + courseFailed + ` | ` + courseRefused + `)
		[ "$hash" != "$7" ] || return 126 # it has not begun
		;;
	esac
	read -r as of rest 2>/dev/null <./%[4]s
	if [ "$as" = %[5]s ] && [ "$of" = "${8:-$of}" ]; then
		echo - 2>/dev/null 1<>./%[4]s # the id may come again
		course ` + courseNone + ` 0 0 0 -
		return 0
	fi
	if [ "$(%[2]s -o wantedup . 2>/dev/null)" != true ]; then
		course ` + courseNone + ` 0 0 0 -
		return 0
	fi
	uptime
	if [ "$state" = ` + courseWaits + ` ] && [ "$since" -gt "$now" ] && [ $((since - now)) -le "$pause" ]; then
		return 0
	fi
	if [ "$6" = 0 ] && [ "$1" != always ]; then
		over ` + courseDone + ` 0 0 0 "$7"
		return
	fi
	case $state in
	` + courseWaits + `) ;;
	` + courseRuns + `) [ "$since" -le "$now" ] && [ $((now - since)) -lt "$5" ] || failures=0 ;;
	*) failures=0 ;;
	esac
	failures=$((failures + 1))
	if [ "$1" = never ] || [ "$4" -gt 0 ] && [ $failures -ge "$4" ]; then
		over ` + courseFailed + ` $failures 0 0 "$7"
		return
	fi
	pause=$2
	n=1
	while [ $n -lt $failures ] && [ $pause -lt "$3" ]; do
		pause=$((pause * 2))
		n=$((n + 1))
	done
	[ $pause -le "$3" ] || pause=$3
	course ` + courseWaits + ` $failures $((now + pause)) $pause -
}
`

// finishCommand is how a finish script runs the spec's finish command, for as long
// as that may take, and the last that it does. The command gets the environment as
// it is. From 2.13 on s6 also passes the process group.
func finishCommand(spec *Spec, tools Tools) string {
	const refuses = 99 // nothing else is of interest, and timeout has codes of its own
	return fmt.Sprintf(`timeout -s KILL %.0f /bin/sh -c '"$@"; [ $? != 125 ] || exit %d' finish %s "$1" "$2" "$3"
[ $? != %[2]d ] || {
	echo "%[4]s 0 0 0 $5" 2>/dev/null 1<>./%[5]s
	{ true >./%[6]s; } 2>/dev/null
	%[7]s -O . 2>/dev/null
	evenkeel=125
}
`, math.Ceil(spec.finishTimeout().Seconds()), refuses, quote(spec.Finish), courseRefused, fileCourse, fileDown, quote([]string{tools.path("s6-svc")}))
}

// scriptTime is how long a finish script may take besides what it waits for.
const scriptTime = 5 * time.Second

// holdBack has a process wait until its pause is over, and writes down that it
// begins. What is not to run again does not, nor does what is to run once and may
// have: the process before has ended, and no finish script has seen how.
func holdBack(spec *Spec, tools Tools) string {
	lost := ""
	if spec.Restart == RestartNever {
		lost = fmt.Sprintf(`	if [ "$evenkeel" = %s ]; then
		echo "%s 0 0 0 $evenkeel_is" 2>/dev/null 1<>./%s
		evenkeel=%[2]s
		evenkeel_of=$evenkeel_is
	fi
`, courseRuns, courseFailed, fileCourse)
	}
	return fmt.Sprintf(`evenkeel_now() {
	read -r evenkeel_now evenkeel_x </proc/uptime
	evenkeel_now=${evenkeel_now%%.*}${evenkeel_now#*.}
	evenkeel_now=${evenkeel_now#"${evenkeel_now%%%%[!0]*}"}
	evenkeel_now=${evenkeel_now:-0}
}
if read -r evenkeel evenkeel_n evenkeel_at evenkeel_for evenkeel_of 2>/dev/null <./%[1]s; then
	read -r evenkeel_is evenkeel_x 2>/dev/null <./%[2]s
%[3]s	case $evenkeel in `+courseDone+` | `+courseFailed+` | `+courseRefused+`)
		if [ "$evenkeel_of" = "$evenkeel_is" ]; then
			{ true >./%[4]s; } 2>/dev/null
			%[5]s -O . 2>/dev/null
			exit 125
		fi
		;;
	esac
	evenkeel_now
	case $evenkeel in
	`+courseWaits+`)
		echo $$ 2>/dev/null >./%[7]s
		read -r evenkeel evenkeel_x evenkeel_at evenkeel_for evenkeel_of 2>/dev/null <./%[1]s
		;;
	esac
	case $evenkeel in
	`+courseWaits+`)
		evenkeel_at=$((evenkeel_at - evenkeel_now))
		if [ $evenkeel_at -gt 0 ] && [ $evenkeel_at -le "$evenkeel_for" ]; then
			trap 'kill $!; exit 111' HUP INT QUIT TERM
			sleep $((evenkeel_at / 100)).$((evenkeel_at / 10 %% 10))$((evenkeel_at %% 10)) &
			wait $! || exit 111
			trap - HUP INT QUIT TERM
			evenkeel_now
		fi
		;;
	`+courseRuns+`) [ "$evenkeel_at" -le "$evenkeel_now" ] && [ $((evenkeel_now - evenkeel_at)) -lt %[6]d ] || evenkeel_n=0 ;;
	*) evenkeel_n=0 ;;
	esac
	echo "`+courseRuns+` $evenkeel_n $evenkeel_now 0 -" 2>/dev/null 1<>./%[1]s
fi
`, fileCourse, fileStarted, lost, fileDown, quote([]string{tools.path("s6-svc")}), centiseconds(spec.longRun()), filePauses)
}
