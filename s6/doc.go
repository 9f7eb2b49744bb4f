// Package s6 keeps processes in the state that was asked for by means of the
// s6 supervision suite, without forking any of its tools.
//
// A [Spec] says what is to run. [NewManager] manages services that are made
// from specs in a scan directory: a service is a kind of instance for package
// fsm. Everything touches a live tree through one interface, [Tree]: [Attach]
// opens the tree of an s6-svscan that runs already, [StartPrivate] starts one,
// and package s6test has one in memory.
//
// What s6-supervise and s6-svscan read and write is in package supervise, what
// s6-log writes in package s6log.
//
// A service's processes belong to s6. They go on when the program that asked
// for them ends, however it ends, and are adopted when it comes back.
//
// # Words
//
// Each means one thing in this package and its documents.
//
//   - supervisor: an s6-supervise. A service has two, its own and that of its
//     logger.
//   - link: the symbolic link in the scan directory by which s6-svscan knows a
//     service. One whose target is gone is dangling.
//   - instance lock: data/lock in the service directory. The service's process
//     holds it, and a second copy waits for it.
//   - stray: a process of a service that holds the instance lock and has lost
//     its supervisor. It has to end before the supervised copy can begin.
//   - left: what a process of a service has started and that runs on when the
//     process itself has ended: the rest of its process group. It is ended, too.
//   - remnant: a process, or a supervisor, that was started from a service
//     directory which has been deleted since. It has to end before the
//     directory is built anew.
//   - orphan: a supervisor that has lost its s6-svscan. It serves its service
//     until that ends.
//   - owed: a supervisor that s6-svscan has to start for a linked service, and
//     has not started yet.
//   - nudge: to show s6-svscan a service that runs nothing, so that it starts
//     what it owes.
//   - keeper: what replaces the s6-svscan of a private tree that was killed.
//   - foreign: a service of another owner. Nothing is done to it.
//   - whole: everything is in place for the service to run. Current: its files
//     are those of the desired spec.
//   - asked down: the service directory has a file down, so that the service
//     does not start with the tree.
//   - told: this program has told the process to end. It is told once, for s6
//     counts its time to end from the last telling.
//   - stale: the process was started from another spec than the desired one.
//   - outgoing: another process has to take its place, because it is stale or
//     was told.
//   - hung: the process has failed its check for long enough, and another has to
//     take its place.
//   - lagging: the status names another process than the one that the
//     supervisor runs, as it does on a full disk.
//   - aside: under another name beside the service directories, where one is
//     built or deleted.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
// What is, in names and values:
//
//   - layout.go: where everything is, and what it is called there
//   - attended.go: where something happens that concerns a service
//   - timing.go: all times, with what they have to do with each other
//   - tools.go: where s6's programs are
//   - limits.go: how many services an s6-svscan takes
//   - policy.go: what may follow on the end of a process
//   - check.go: how it is found out whether a process still does its work
//   - spec.go: what a service is made from
//   - program.go: which file a command of it is
//   - course.go: what has followed
//   - checked.go: what checks have said, and what has followed on that
//   - manifest.go: what is kept of that in the service directory
//   - quote.go: words for a shell
//   - render_policy.go: what scripts do about the end of a process
//   - render_pipe.go: what scripts do about the pipe to the logger
//   - render_finish.go: what ends with a process
//   - render.go: the files of a service directory
//   - observed.go: what is seen of a service, and what follows from it
//   - observed_same.go: whether two passes saw the same
//   - masked.go: what is shown of spec and observation where there are secrets
//   - ending.go: who was told to end, and what is due for them
//   - leaders.go: which processes lead groups
//   - remnant.go: what is left of a deleted service directory, and what is due for it
//   - deaths.go: what is concluded from the death tally
//   - words.go: what a process printed last, out of its log
//
// What is to be done, decided from these alone:
//
//   - table.go: states and events
//   - decide_actions.go: what can be done
//   - decide_reasons.go: what is said about it
//   - decide_check.go: what follows on checks
//   - decide_parts.go: what is done in several states
//   - decide_over.go: what follows on the end of a process
//   - decide.go: what is to be done in each state
//   - compare.go: what would be done, all in all
//
// A live tree:
//
//   - tree.go: the interface by which all the rest touches one
//   - owners.go: whose services are whose
//   - room.go: for how many services there is room
//   - tree_background.go: what goes on beside the callers of a tree
//   - tree_checkexec.go: checks by a command
//   - shortage.go: who was ended for want of memory
//   - tree_system.go: services and their supervisors in the real one
//   - tree_attend.go: what happens to the files of services
//   - tree_start.go: what keeps s6-supervise from starting a service
//   - tree_group.go: what the processes of services have started
//   - tree_remains.go: what is left of deleted service directories
//   - tree_join.go: scans that are asked for at once
//   - tree_scan.go: its s6-svscan
//   - tree_bury.go: what is left of deleted service directories that no manager asks for
//   - tree_logger.go: how far its loggers have got
//   - tree_pairs.go: the supervisors of all its services
//   - tree_check.go: checks of all sorts
//   - tree_announce.go: readiness on behalf of a process
//   - tree_ending.go: how all its supervisors are told to end
//   - tree_nudge.go: an s6-svscan that forgets what it owes
//   - tree_trust.go: whether others may write where it is
//   - tree_limits.go: how many services it takes, and is made to take
//   - tree_private.go: an s6-svscan of its own
//   - tree_keeper.go: another where that was killed
//   - tree_sweep.go: what a program that was killed has left
//   - tree_shutdown.go: the end of the tree
//   - tree_open.go: how one is opened and closed
//   - tree_look.go: one that is only looked at
//
// One service in a tree:
//
//   - checking.go: how its process is checked, beside the passes
//   - driver.go: what is remembered of a service between two passes
//   - driver_hung.go: what is written down of restarts for its check
//   - driver_read.go: what its files say
//   - driver_record.go: whether it is written down which process runs
//   - driver_course.go: what its scripts have made of an end
//   - driver_command.go: whether its command can be started
//   - driver_group.go: what its processes have left running
//   - driver_check.go: what its checks have found out
//   - driver_since.go: what counts once it has been so for a while
//   - driver_remains.go: whether something is left of a deleted directory
//   - driver_words.go: what a process printed last that ended by itself
//   - driver_hear.go: whether all that happens to it is heard
//   - driver_observe.go: how all this is seen in a pass
//   - driver_watch.go: its events
//   - driver_write.go: how files in use are changed
//   - driver_create.go: how it is put in place
//   - driver_ending.go: how its process is told to end
//   - driver_remove.go: how it is taken away
//   - driver_act.go: how all this is done in a pass
//   - explain.go: what is said to whoever asks why
//   - kind.go: the kind of instance that it is
//   - shown.go: its files, as they may be shown
//   - restarts.go: how it was restarted
//   - begun.go: whether it has been started
package s6
