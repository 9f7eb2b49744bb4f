// Package ports tells who listens where on this machine, whether an address is
// free, and gives names ports of their own.
//
// [HolderOf] and [Listens] only read: the kernel's list of listening sockets and
// the descriptors of processes. [Check] binds a socket for a moment. [Allocator]
// keeps books and touches nothing. All of it is TCP, in the network namespace of
// the calling process.
package ports
