package filesystem_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOSConformance(t *testing.T) {
	filesystemtest.TestFS(t, func(t *testing.T) (filesystem.FS, string) {
		return filesystem.OS{}, t.TempDir()
	})
}
