package archive

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/tests/testenv"
)

// TestInspectContainer reads the headers of files that other programs made.
func TestInspectContainer(t *testing.T) {
	text := strings.Repeat("some text to compress, ", 50_000) // 1.15 MB
	const zeros = "\x00\x00\x00\x00"
	tests := []struct {
		name   string
		format Format
		cmd    []string
		after  string // appended to the file
		want   Container
	}{
		{"xz", XZ, []string{"xz", "-1"}, "", Container{Streams: 1, Memory: 1 << 20, Size: 1_150_000}},
		{"xz of nothing", XZ, []string{"sh", "-c", "xz </dev/null"}, "", Container{Streams: 1}},
		{"xz of several blocks", XZ, []string{"xz", "-1", "--block-size=100000"}, "", Container{Streams: 1, Memory: 1 << 20, Size: 1_150_000}},
		{"two streams", XZ, []string{"sh", "-c", "cat >f && xz -0c f && xz -1c f"}, "", Container{Streams: 2, Memory: 1 << 20, Size: 2_300_000}},
		{"stream padding", XZ, []string{"xz", "-1"}, zeros, Container{Streams: 1, Memory: 1 << 20, Size: 1_150_000}},
		{"zstd of a file", Zst, []string{"sh", "-c", "cat >f && zstd -qc -1 f"}, "", Container{Streams: 1, Memory: 512 << 10, Size: 1_150_000}},
		{"zstd of a stream", Zst, []string{"zstd", "-qc", "-1"}, "", Container{Streams: 1, Memory: 512 << 10, Size: -1}},
		{"two frames", Zst, []string{"sh", "-c", "cat >f && zstd -qc -1 f f"}, "", Container{Streams: 2, Memory: 512 << 10, Size: 2_300_000}},
		{"bytes after a frame", Zst, []string{"sh", "-c", "cat >f && zstd -qc -1 f"}, zeros, Container{Streams: 1, Memory: 512 << 10, Trailing: 4, Size: 1_150_000}},
		{"gzip", GZ, []string{"gzip"}, "", Container{Streams: 1, Memory: 32 << 10, Size: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			testenv.Need(t, string(map[Format]string{GZ: "gzip", XZ: "xz", Zst: "zstd"}[tt.format]))
			cmd := exec.Command(tt.cmd[0], tt.cmd[1:]...)
			cmd.Dir = t.TempDir()
			cmd.Stdin = strings.NewReader(text)
			data, err := cmd.Output()
			must(t, err)
			data = append(data, tt.after...)
			if f, ok := SniffFormat(data[:6]); !ok || f != tt.format {
				t.Errorf("got format %q, want %q", f, tt.format)
			}
			got, err := InspectContainer(bytes.NewReader(data), int64(len(data)), tt.format)
			must(t, err)
			got.Blocks = 0 // xz chooses
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzInspectContainer gives any bytes to the walkers of containers.
func FuzzInspectContainer(f *testing.F) {
	f.Add([]byte("\xfd7zXZ\x00\x00\x00\xff\x12\xd9\x41\x00\x00\x00\x00\x1c\xdf\x44\x21\x90\x42\x99\x0d\x00\x00\x00\x00\x00\x01\x59\x5a"))
	f.Add([]byte("\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00\x99\xe9\xd8\x51"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range append(manifests.Formats(), "bz2") {
			c, err := InspectContainer(bytes.NewReader(b), int64(len(b)), format)
			if c.Trailing < 0 || c.Trailing > int64(len(b)) || c.Streams < 0 || c.Memory < 0 || c.Size < -1 {
				t.Errorf("%s: got %+v, %v", format, c, err)
			}
			if err != nil && c.Size >= 0 {
				t.Errorf("%s: got a size of %d with error %v", format, c.Size, err)
			}
		}
	})
}
