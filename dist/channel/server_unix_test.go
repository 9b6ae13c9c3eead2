//go:build unix

package channel_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"x.go/dist/channel"
	"x.go/tests/testenv"
)

// What is no regular file is not there: nobody waits for a FIFO's writer.
func TestServeSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	testenv.Must(t, syscall.Mkfifo(filepath.Join(dir, "channel-rust-stable.toml.sha256"), 0o644))
	testenv.Must(t, os.MkdirAll(filepath.Join(dir, "2026-04-16", "more"), 0o755))
	s, err := channel.Serve(filepath.Join(dir, "channel-rust-stable.toml"), nil)
	testenv.Must(t, err)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, path := range []string{"channel-rust-stable.toml.sha256", "2026-04-16/channel-rust-stable.toml.sha256", "2026-04-16", "2026-04-16/more"} {
		if _, err := channel.Fetch(ctx, s.URL()+"/dist/"+path, 1<<10); err == nil || !strings.Contains(err.Error(), `got status "404 `) {
			t.Errorf("%s: got error %v, want status 404", path, err)
		}
	}
}
