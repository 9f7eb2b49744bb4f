package ports_test

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/evenkeel/evenkeel/ports"
)

// A port that is taken is refused with the process that has it.
func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	addr := l.Addr().String()

	holder, found, err := ports.HolderOf(addr)
	fmt.Println(found, holder.PID == os.Getpid(), err)
	own, err := ports.Listens(os.Getpid(), addr)
	fmt.Println(own, err)
	fmt.Println(strings.Contains(ports.Check(addr).Error(), "is taken: process"))
	// Output:
	// true true <nil>
	// true <nil>
	// true
}

func ExampleAllocator() {
	var books ports.Allocator
	port, _ := books.Allocate("bridge")
	fmt.Println(port)
	fmt.Println(books.Reserve("other", port))
	// Output:
	// 9000
	// cannot reserve port 9000 for other: it belongs to bridge
}
