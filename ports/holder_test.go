package ports

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

func loopback(t *testing.T) (net.Listener, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().String()
}

func TestHolderOf(t *testing.T) {
	l, addr := loopback(t)
	_, port, _ := net.SplitHostPort(addr)
	for _, asked := range []string{addr, "localhost:" + port, "0.0.0.0:" + port, ":" + port, "some.host:" + port} {
		holder, found, err := HolderOf(asked)
		require.NoError(t, err)
		assert.True(t, found, asked)
		assert.Equal(t, os.Getpid(), holder.PID, asked)
	}
	_, found, err := HolderOf("127.0.0.2:" + port)
	require.NoError(t, err)
	assert.False(t, found, "another address")
	require.NoError(t, l.Close())
	_, found, err = HolderOf(addr)
	require.NoError(t, err)
	assert.False(t, found)
	_, _, err = HolderOf("nohost")
	require.Error(t, err)
}

func TestListens(t *testing.T) {
	_, addr := loopback(t)
	got, err := Listens(os.Getpid(), addr)
	require.NoError(t, err)
	assert.True(t, got)
	if parent := os.Getppid(); parent > 0 {
		got, err = Listens(parent, addr)
		require.NoError(t, err)
		assert.False(t, got, "the parent listens on nothing of ours")
	}
	_, err = Listens(1<<22+1, addr)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestKernelAndTablesSayTheSame(t *testing.T) {
	l, addr := loopback(t)
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	six, err := net.Listen("tcp6", fmt.Sprintf("[::1]:%d", port))
	if err == nil {
		defer six.Close()
	}
	asked, err := diagListeners(port)
	require.NoError(t, err)
	listed, err := tables{proc: proc.System}.listeners(port)
	require.NoError(t, err)
	listed = slices.DeleteFunc(listed, func(s proc.Socket) bool { return s.Local.Port() != port })
	assert.ElementsMatch(t, listed, asked)
	assert.NotEmpty(t, asked)

	broken := tables{proc: proc.System, ask: func(uint16) ([]proc.Socket, error) { return nil, syscall.EPERM }}
	holder, found, err := broken.holder(addr)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, os.Getpid(), holder.PID)
}

func TestDecodeSockDiag(t *testing.T) {
	message := func(kind uint16, body []byte) []byte {
		b := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
		b = binary.NativeEndian.AppendUint16(b, kind)
		return append(append(b, make([]byte, 10)...), body...)
	}
	failed := message(netlinkError, binary.NativeEndian.AppendUint32(nil, uint32(0xffffffff)))
	_, done, err := decodeSockDiag(failed)
	require.ErrorIs(t, err, syscall.EPERM)
	assert.False(t, done)
	_, done, err = decodeSockDiag(message(netlinkDone, nil))
	require.NoError(t, err)
	assert.True(t, done)
	_, done, err = decodeSockDiag(message(99, []byte("x")))
	require.NoError(t, err)
	assert.False(t, done)
	for _, torn := range [][]byte{{1}, make([]byte, 16), message(sockDiagFamily, make([]byte, 71)), message(sockDiagFamily, make([]byte, 72)), failed[:18]} {
		_, _, err = decodeSockDiag(torn)
		require.ErrorIs(t, err, errDiagShort)
	}
}

func FuzzDecodeSockDiag(f *testing.F) {
	f.Add(encodeSockDiag(familyIPv4, 80))
	f.Add(append(binary.NativeEndian.AppendUint32(nil, 88), make([]byte, 84)...))
	f.Fuzz(func(t *testing.T, answer []byte) {
		found, _, _ := decodeSockDiag(answer)
		for _, s := range found {
			if !s.Local.IsValid() {
				t.Fatalf("an invalid address: %+v", s)
			}
		}
	})
}

// fakeProc lays out a proc file system in which process 300 listens on
// 127.0.0.1:8080, 200 cannot be looked into and 100 has other descriptors.
func fakeProc(t *testing.T, tcp6 string) tables {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("net/tcp", tcpHeader+tcpRow("0100007F:1F90", "0A", "4242"))
	if tcp6 != "" {
		write("net/tcp6", tcp6)
	}
	write("100/comm", "other\n")
	write("300/comm", "benthos\n")
	write("200/fd", "not a directory")
	write("self/comm", "no number")
	for pid, targets := range map[string][]string{"100": {"/dev/null", "socket:[1]", "socket:[x]"}, "300": {"pipe:[4242]", "socket:[4242]"}} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, pid, "fd"), 0o755))
		for i, target := range targets {
			require.NoError(t, os.Symlink(target, filepath.Join(root, pid, "fd", strconv.Itoa(i))))
		}
	}
	return tables{proc: proc.FS(root)}
}

func TestHolderInAFakeProc(t *testing.T) {
	fake := fakeProc(t, "")
	holder, found, err := fake.holder("127.0.0.1:8080")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, Holder{PID: 300, Process: "benthos"}, holder)
	_, found, err = fake.holder("127.0.0.1:8081")
	require.NoError(t, err)
	assert.False(t, found)

	require.NoError(t, os.RemoveAll(filepath.Join(string(fake.proc), "300")))
	holder, found, err = fake.holder("127.0.0.1:8080")
	require.NoError(t, err)
	assert.True(t, found, "somebody listens, though it cannot be read who")
	assert.Zero(t, holder)

	require.NoError(t, os.Remove(filepath.Join(string(fake.proc), "net/tcp")))
	_, _, err = fake.holder("127.0.0.1:8080")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestHolderWithATornTable(t *testing.T) {
	_, _, err := fakeProc(t, tcpHeader+tcpRow("torn", "0A", "1")).holder("127.0.0.1:8080")
	assert.ErrorContains(t, err, "torn", "nothing could be read of the second table")
}

const tcpHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func tcpRow(local, state, inode string) string {
	return "   0: " + local + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000  1000        0 " + inode + " 1 0000000000000000 100 0 0 10 0\n"
}

// What may not be looked into is not known to hold nothing.
func TestDescriptorsThatMayNotBeReadAreAnError(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "7", "fd"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "7", "fd", "3"), nil, 0o600)) // no link: EINVAL
	fake := tables{proc: proc.FS(root), ask: func(port uint16) ([]proc.Socket, error) {
		return []proc.Socket{{Local: netip.MustParseAddrPort("127.0.0.1:80"), Inode: 1}}, nil
	}}
	_, err := fake.listens(7, "127.0.0.1:80")
	assert.ErrorContains(t, err, "cannot read the descriptors of process 7")
}

// The listeners of another network namespace are not in this one's tables: that
// they are not there says nothing.
func TestProcessOfAnotherNetworkIsAnError(t *testing.T) {
	fake := fakeProc(t, "")
	network := func(pid, is string) {
		require.NoError(t, os.MkdirAll(filepath.Join(string(fake.proc), pid, "ns"), 0o755))
		require.NoError(t, os.Symlink("net:["+is+"]", filepath.Join(string(fake.proc), pid, "ns", "net")))
	}
	network("self", "1")
	network("100", "2")
	network("300", "1")
	for _, addr := range []string{"127.0.0.1:8080", "127.0.0.1:8081"} {
		_, err := fake.listens(100, addr)
		assert.ErrorContains(t, err, "process 100 is in another network namespace", addr)
		_, err = fake.listens(300, addr)
		assert.NoError(t, err, addr)
	}
}

// What a host is called in a configuration is not always how the kernel has it.
func TestListenerIsFoundByAnyNameOfItsAddress(t *testing.T) {
	for local, host := range map[string]string{
		"127.0.0.1": "localhost", "::1": "localhost", "fe80::1": "fe80::1%lo",
	} {
		fake := tables{ask: func(uint16) ([]proc.Socket, error) {
			return []proc.Socket{{Local: netip.AddrPortFrom(netip.MustParseAddr(local), 80), Inode: 1}}, nil
		}}
		sockets, err := fake.sockets(net.JoinHostPort(host, "80"), wide)
		require.NoError(t, err)
		assert.Len(t, sockets, 1, "%s for %s", host, local)
		sockets, err = fake.sockets(net.JoinHostPort(host, "80"), narrow)
		require.NoError(t, err)
		assert.Equal(t, local == "127.0.0.1", len(sockets) == 1, "whoever has %s does not have %s", local, host)
	}
}
