// Package words puts what a program answers about instances into words, for those who
// read tables. What is said may hold texts of others, which fsm.EscapeLine makes fit
// for a terminal.
package words
