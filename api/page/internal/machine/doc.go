// Package machine says where the states and rows of a table are in a drawing.
package machine
