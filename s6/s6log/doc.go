// Package s6log reads what s6-log writes.
//
// A [Reader] follows the directory of an s6-log line by line, through all
// rotations between two reads, and says where lines may be missing; [Past] says
// how far back it begins. A [Tail] reads what was written lately, as evidence for
// an end. [ParseLine] splits one line with either of s6-log's time stamps.
package s6log
