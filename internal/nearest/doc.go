// Package nearest finds the known word that an unknown one was meant to be, for
// all who refuse a name.
package nearest
