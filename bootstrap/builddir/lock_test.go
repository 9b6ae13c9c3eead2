package builddir

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLockWaitsForHolder(t *testing.T) {
	dir := t.TempDir() + "/build"
	unlock, err := Lock(t.Context(), dir, func(string) { t.Error("first lock waited") })
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		unlock2, err := Lock(t.Context(), dir, func(h string) { told <- h })
		if err == nil {
			unlock2()
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
	unlock()
	if err := <-done; err != nil {
		t.Errorf("second lock: %v", err)
	}
}

func TestLockGivesUpWithContext(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(t.Context(), dir, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Lock(ctx, dir, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
