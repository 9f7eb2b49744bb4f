package cli

import "strconv"

// exit is a command's result that has been told already.
type exit int

// exitProblems is for files that cannot be taken, and all other trouble.
const exitProblems exit = 1

// exitChanges is for a plan of changes, all of which can be made.
const exitChanges exit = 2

// exitWrong is for instances of which one is to run and does not.
const exitWrong exit = 2

// Error implements error.
func (e exit) Error() string { return "exit status " + strconv.Itoa(int(e)) }
