// Package spell tells for how long something has been so, for all who wait and
// see before they act on it.
package spell
