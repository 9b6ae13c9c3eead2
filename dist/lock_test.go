package dist

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestLockWaitsForHolder(t *testing.T) {
	dir := openTemp(t)
	first, err := Lock(t.Context(), dir, func(string) { t.Error("first lock waited") })
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		second, err := Lock(t.Context(), dir, func(h string) { told <- h })
		if err == nil {
			second.Release()
		}
		done <- err
	}()
	if h := <-told; !strings.HasPrefix(h, "process ") {
		t.Errorf("holder: got %q, want a process number", h)
	}
	select {
	case err := <-done:
		t.Fatalf("second lock did not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	first.Remove() // the other one waits for a file that goes away
	if err := <-done; err != nil {
		t.Errorf("second lock: %v", err)
	}
}

func TestLockGivesUpWithContext(t *testing.T) {
	dir := openTemp(t)
	lock, err := Lock(t.Context(), dir, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Lock(ctx, dir, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// openTemp opens a new directory for the time of a test.
func openTemp(t *testing.T) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}
