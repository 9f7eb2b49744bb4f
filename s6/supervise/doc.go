// Package supervise reads and writes what s6-supervise and s6-svscan read and
// write, without forking any of s6's tools.
//
// Of a service directory these are the status file ([ReadStatus]), the death
// tally ([ReadTally]), the control FIFO ([WriteControl]), the lock that tells
// whether a supervisor is alive ([LockHolder]) and the event directory
// ([Subscribe]); of a scan directory the control FIFO. Time stamps are TAI64N
// labels ([ParseTAI64N]). [AcquireLock] takes a lock of one's own.
//
// Decoders and their inverses know every layout that s6 2.11 to 2.15 write.
// Nothing here keeps state, starts a process, or blocks on one that does not
// answer. Package s6 is built on it.
package supervise
