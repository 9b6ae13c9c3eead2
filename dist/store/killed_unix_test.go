//go:build unix

package store_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"x.go/dist/store"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

// writerEnv has a test process write into a store until it is killed.
const writerEnv = "X_TEST_STORE"

// writing is what the process prints once it writes.
const writing = "writing"

// text is a version of a file: of different lengths, each of one letter.
func text(i int) []byte { return bytes.Repeat([]byte{'a' + byte(i%26)}, 1000+i*5000) }

func TestWriter(t *testing.T) {
	place := os.Getenv(writerEnv)
	if place == "" {
		return // only for TestKilled
	}
	s := openStore(t, place)
	for i := 0; ; i = (i + 1) % 50 {
		testenv.Must(t, s.Put(t.Context(), "dist/put", store.Bytes(text(i)), store.Options{}))
		if err := s.Put(t.Context(), fmt.Sprint("dist/once/", i), store.Bytes(text(i)), store.Options{IfAbsent: true}); err != nil && !errors.Is(err, store.ErrExists) {
			t.Fatal(err)
		}
		testenv.Must(t, s.Copy(t.Context(), "dist/copy", "dist/put"))
		_, v, err := s.Load(t.Context(), "swap", 1<<20)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		testenv.Must(t, s.Swap(t.Context(), "swap", v, text(i)))
		if i == 0 {
			fmt.Println(writing)
		}
	}
}

// A writer that is killed at any moment leaves whole files, and the next one cleans up.
func TestKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	testenv.Must(t, err)
	root := t.TempDir()
	for range 8 {
		cmd := exec.Command(self, "-test.run=^TestWriter$")
		cmd.Env = append(os.Environ(), writerEnv+"="+root)
		out, err := cmd.StdoutPipe()
		testenv.Must(t, err)
		testenv.Must(t, cmd.Start())
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != writing {
			t.Fatalf("got %q, %v; want %q", line, err, writing)
		}
		time.Sleep(rand.N(50 * time.Millisecond))
		testenv.Must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		s := openStore(t, root)
		for _, name := range storetest.Names(t, s, "") {
			got := storetest.Read(t, s, name, 0)
			if got != string(text(max(0, len(got)-1000)/5000)) {
				t.Errorf("%s: got %d bytes %.10q, want a whole text", name, len(got), got)
			}
		}
	}
	s := openStore(t, root)
	storetest.Put(t, s, "dist/last", "last")
	storetest.Put(t, s, "dist/once/last", "last")
	storetest.Put(t, s, "last", "last")
	testenv.Must(t, s.Close())
	testenv.Must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if name := filepath.Base(path); strings.HasPrefix(name, ".") && name != ".x-lock" {
			t.Errorf("%s was left behind", path)
		}
		return err
	}))
}
