// Package conform says what s6 does, in a form that can be put to the test: a
// list of scenarios, each of which does something to a service directory and
// says what has to be seen of it. They are played on an s6test.Tree, in fake
// time, and on real s6. Where the two differ, s6test is wrong.
//
// A scenario that holds in some versions of s6 only says so.
package conform
