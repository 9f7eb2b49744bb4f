package runner

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOneSignalIsOneHoweverOftenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		firsts, agains := 0, []os.Signal(nil)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			hearEnd(signals, func() { firsts++ }, func(s os.Signal) { agains = append(agains, s) })
		}()
		for range 3 {
			signals <- syscall.SIGINT
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(againTime - 301*time.Millisecond)
		signals <- syscall.SIGTERM
		synctest.Wait()
		assert.Equal(t, 1, firsts)
		assert.Empty(t, agains)
		time.Sleep(time.Millisecond)
		signals <- syscall.SIGTERM
		<-ended
		assert.Equal(t, 1, firsts)
		assert.Equal(t, []os.Signal{syscall.SIGTERM}, agains)
	})
}
