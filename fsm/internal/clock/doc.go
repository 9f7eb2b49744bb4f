// Package clock carries the clock reading of a pass in the pass's context.
package clock
