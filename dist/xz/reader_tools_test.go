package xz

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"x.go/tests/corpus"
	"x.go/tests/testenv"
)

// equalContent decodes stream with one worker and several and compares.
func equalContent(t testing.TB, stream, want []byte) {
	t.Helper()
	for _, workers := range []int{1, 3} {
		got, err := decompress(stream, ReaderConfig{Workers: workers})
		if err != nil {
			t.Fatalf("%d workers: %v", workers, err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%d workers: content differs", workers)
		}
	}
}

// 7zz states the sizes of blocks unless it writes many at a time.
func TestReaderOf7zz(t *testing.T) {
	t.Parallel()
	data := branchy(600_000)
	for _, args := range []string{
		"-mx=1", "-mx=9", "-mx=5 -mmt=2 -m0=lzma2:d=64k:c=256k", "-mx=3 -m0=lzma2:d=4k:lc=0:lp=3:pb=1",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := exec.Command(testenv.Need(t, "7zz"), append([]string{"a", "-txz", "-si", "-so", "x"}, strings.Fields(args)...)...)
			cmd.Stdin = bytes.NewReader(data)
			stream, err := cmd.Output()
			if err != nil {
				t.Fatalf("7zz: %v", err)
			}
			equalContent(t, stream, data)
		})
	}
}

// Content that is larger than the window, so that matches reach across its end.
func TestReaderWindowWraps(t *testing.T) {
	t.Parallel()
	data := corpus.Mixed(9 << 20)
	for _, args := range []string{"dict=4KiB", "dict=100000", "dict=1MiB", "dict=3MiB,nice=273", "dict=4KiB,lc=0,lp=4,pb=4"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			equalContent(t, runXZ(t, data, "--lzma2=preset=0,"+args), data)
		})
	}
}

// Programs and libraries of a real toolchain, by this package and by xz in both
// directions.
func TestReaderOfToolchain(t *testing.T) {
	t.Parallel()
	sysroot := testenv.Sysroot(t, "stable")
	const size = 1 << 20
	for _, pattern := range []string{"bin/*", "lib/*.so*"} {
		names, err := filepath.Glob(filepath.Join(sysroot, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("files %q of the toolchain: got %q, error %v", pattern, names, err)
		}
		for _, name := range names {
			t.Run(filepath.Base(name), func(t *testing.T) {
				data := readStart(t, name, size)
				equalContent(t, runXZ(t, data, "-1"), data)
				stream := compress(t, data, WriterConfig{Profile: Fast, BlockSize: size/2 + 5, BCJ: BCJX86})
				equalContent(t, stream, data)
				judgeXZ(t, stream, data)
			})
		}
	}
}

// readStart reads at most size bytes of a file.
func readStart(t *testing.T, name string, size int64) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, size))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
