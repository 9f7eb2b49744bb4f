package proc

import (
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tcpHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func tcpRow(local, state, inode string) string {
	return "   0: " + local + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000  1000        0 " + inode + " 1 0000000000000000 100 0 0 10 0\n"
}

// withTables lays out a file system that has the tables of sockets and nothing
// else.
func withTables(t *testing.T, tables map[string]string) FS {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "net"), 0o755))
	for name, text := range tables {
		require.NoError(t, os.WriteFile(filepath.Join(root, "net", name), []byte(text), 0o644))
	}
	return FS(root)
}

func TestTCP(t *testing.T) {
	got, err := withTables(t, map[string]string{
		"tcp": tcpHeader +
			tcpRow("0100007F:1F90", "0A", "1") +
			tcpRow("00000000:0050", "0A", "2") +
			tcpRow("0100007F:1F91", "01", "3"),
		"tcp6": tcpHeader +
			tcpRow("00000000000000000000000001000000:1F92", "0A", "4") +
			tcpRow("0000000000000000FFFF00000100007F:1F93", "0A", "5") +
			tcpRow("00000000000000000000000000000000:FFFF", "0A", "18446744073709551615"),
	}).TCP()
	require.NoError(t, err)
	assert.Equal(t, []Socket{
		{netip.MustParseAddrPort("127.0.0.1:8080"), TCPListen, 1},
		{netip.MustParseAddrPort("0.0.0.0:80"), TCPListen, 2},
		{netip.MustParseAddrPort("127.0.0.1:8081"), TCPEstablished, 3},
		{netip.MustParseAddrPort("[::1]:8082"), TCPListen, 4},
		{netip.MustParseAddrPort("127.0.0.1:8083"), TCPListen, 5},
		{netip.MustParseAddrPort("[::]:65535"), TCPListen, 1<<64 - 1},
	}, got)
}

func TestTCPWithoutIPv6(t *testing.T) {
	got, err := withTables(t, map[string]string{"tcp": tcpHeader + tcpRow("0100007F:1F90", "0A", "1")}).TCP()
	require.NoError(t, err)
	assert.Len(t, got, 1)
	_, err = withTables(t, map[string]string{"tcp6": tcpHeader}).TCP()
	require.ErrorIs(t, err, fs.ErrNotExist, "there is always a table of IPv4")
}

func TestTCPWithARowThatMakesNoSense(t *testing.T) {
	good := tcpRow("0100007F:1F90", "0A", "1")
	for _, bad := range []string{
		"  1: short\n",
		tcpRow("0100007F", "0A", "1"),
		tcpRow("0100007:1F90", "0A", "1"),
		tcpRow("0100007X:1F90", "0A", "1"),
		tcpRow("0100007F:XX", "0A", "1"),
		tcpRow("0100007F:1F90", "0A", "one"),
	} {
		_, err := withTables(t, map[string]string{"tcp": tcpHeader + bad + good}).TCP()
		require.ErrorContains(t, err, "cannot read the socket table: ", bad)
	}
}
