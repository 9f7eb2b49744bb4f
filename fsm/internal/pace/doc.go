// Package pace says when an instance is looked at next and what waits because
// it failed before. It is pure: time is a parameter of every function, so that
// what runs and what is simulated follow one rule.
package pace
