package s6

import (
	"cmp"
	"fmt"
)

// renderPolicy returns what a finish script does last: it says what is to follow
// on the end of a process, and runs the spec's finish command. What is not to
// run again gets a file named down, so that a tree that starts does not run it,
// and the code by which s6-supervise gives it up.
func renderPolicy(spec *Spec, tools Tools) string {
	script := ":\n"
	if spec.Judges() {
		from, to := spec.Backoff.pauses()
		script = fmt.Sprintf(policy, fileCourse, quote([]string{tools.path("s6-svstat")}), fileMarked, startedReplaced) +
			fmt.Sprintf("policy %s %d %d %d %d \"$1\" \"$4\" \"$5\"\n)\n", cmp.Or(spec.Restart, RestartAlways),
				centiseconds(from), centiseconds(to), spec.GiveUpAfter, centiseconds(spec.longRun()))
	}
	if len(spec.Finish) == 0 {
		return script
	}
	// The finish command gets the environment as it is: a variable of the script
	// may have the name of one. If it does not end, s6-supervise kills it all, and
	// must not run another process then. From 2.13 on s6 also passes the process
	// group.
	return script + fmt.Sprintf(`evenkeel=$?
[ $evenkeel != 125 ] || %s -O .
(exec %s "$1" "$2" "$3")
[ $? != 125 ] || { echo "%s 0 0 0 $4" 1<>./%s; evenkeel=125; : >./%s; }
exit $evenkeel
`, quote([]string{tools.path("s6-svc")}), quote(spec.Finish), courseRefused, fileCourse, fileDown)
}

// recallStarted has a finish script know what the process was started from, and
// its id, before the end of the process group is written down.
const recallStarted = `read -r evenkeel 2>/dev/null <./` + fileStarted + `
set -- "$1" "$2" "$3" $evenkeel
`

// policy is that part of the script. A process that was told to go down, or that
// another one is to replace, has not ended by itself.
const policy = `(
course() { echo "$*" 1<>./%[1]s; }
over() { course "$@"; : >./` + fileDown + `; return 125; }
# policy RESTART FROM TO LIMIT LONG CODE HASH PID
policy() {
	[ "$(%[2]s -o wantedup . 2>/dev/null)" = true ] || return 0
	read -r as of rest 2>/dev/null <./%[3]s
	if [ "$as" = %[4]s ] && [ "$of" = "$8" ]; then
		course ` + courseNone + ` 0 0 0 -
		return 0
	fi
	if [ "$6" = 0 ] && [ "$1" != always ]; then
		over ` + courseDone + ` 0 0 0 "$7"
		return
	fi
	read -r state failures since rest 2>/dev/null <./%[1]s
	read -r now rest </proc/uptime
	now=${now%%.*}${now#*.}
	case $state in
	` + courseWaits + `) ;;
	` + courseRuns + `) [ $((now - since)) -lt "$5" ] || failures=0 ;;
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

// holdBack has a process wait until the pause is over, and writes down that it
// begins. The variables have names that no environment has.
const holdBack = `if read -r evenkeel evenkeel_n evenkeel_at evenkeel_for evenkeel_x 2>/dev/null <./` + fileCourse + `; then
	read -r evenkeel_now evenkeel_x </proc/uptime
	evenkeel_at=$((evenkeel_at - ${evenkeel_now%.*}${evenkeel_now#*.}))
	if [ "$evenkeel" = ` + courseWaits + ` ] && [ $evenkeel_at -gt 0 ] && [ $evenkeel_at -le "$evenkeel_for" ]; then
		sleep $((evenkeel_at / 100)).$((evenkeel_at / 10 % 10))$((evenkeel_at % 10)) || exit 111
		read -r evenkeel_now evenkeel_x </proc/uptime
	fi
	echo "` + courseRuns + ` $evenkeel_n ${evenkeel_now%.*}${evenkeel_now#*.} 0 -" 2>/dev/null 1<>./` + fileCourse + `
fi
`
