// Package filesystemtest tests filesystems and what is built on them.
//
// [TestFS] checks that a [filesystem.FS] keeps the contract of that interface.
//
// [Inject] wraps a filesystem so that chosen operations fail: the n-th, all on
// one path, those of one kind, a write torn half way, everything after a
// crash. With it a test sweeps a fault over every operation of the code it
// tests, and finds the one that leaves a mess:
//
//	for n := 1; ; n++ {
//		disk := memfs.New()
//		faulty := filesystemtest.Inject(disk, filesystemtest.Crash(n))
//		save(faulty)
//		// disk is what a restart would find: check it.
//		if faulty.Count() < n {
//			break // save was done before the n-th operation
//		}
//	}
package filesystemtest
