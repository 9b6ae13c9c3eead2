package testenv

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// AsNobody runs f without the right to read other users' files. The thread never
// becomes root again; the runtime ends it with the goroutine.
func AsNobody(t *testing.T, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if os.Getuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		f()
	}()
	<-done
}
