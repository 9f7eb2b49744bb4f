// Package s6test has an s6 supervision tree in memory, for tests of what is
// built on package s6: no process is forked, nothing is written to disk, and in
// a testing/synctest bubble no time passes.
//
// A [Tree] is an s6.Tree on a memfs.FS. Behind it are an s6-svscan, an
// s6-supervise for each service and each logger, and the processes that these
// start. Seen from outside they do what the real ones do: the same files in the
// same bytes, the same events in the same order, the same delays. Service
// directories are read when the real ones read them. A run script is followed
// through the chain of s6's programs that package s6 writes. What the command
// does is up to a [Program]:
//
//	tree := s6test.New(s6test.Config{})
//	defer tree.Close()
//	tree.Install("sleep", s6test.Program{})
//	services, err := s6.NewManager(tree, fsm.Config{})
//
// Tests then do to it what happens to real trees: [Tree.Kill],
// [Tree.KillSupervisor], [Tree.KillSvscan], [Tree.SetClock]. [Tree.Processes] is the process
// table. The tree itself checks that no service ever has two processes at work
// and that nothing is deleted under a live process: see [Tree.Violations].
// [Config.OnProcess] is told of each process as it comes and goes.
package s6test
