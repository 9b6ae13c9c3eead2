package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestOutput writes text in pieces, as buffered writers do: a character that is cut
// in two must come out whole.
func TestOutput(t *testing.T) {
	const text = "錆\x1b[31m\u009b\xff\xe9"
	const want = "錆\\u001b[31m\\u009b\\xff\\xe9"
	for size := 1; size <= len(text); size++ {
		var got bytes.Buffer
		o := &output{w: &got}
		if _, err := io.CopyBuffer(onlyWriter{o}, strings.NewReader(text), make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := o.finish(); err != nil || got.String() != want {
			t.Errorf("pieces of %d: got %q and error %v, want %q", size, got.String(), err, want)
		}
	}
}

// TestOutputOfMany writes from several goroutines, as progress does while notes come:
// lines stay whole. The race detector looks, too.
func TestOutputOfMany(t *testing.T) {
	var got bytes.Buffer
	o := &output{w: &got}
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			for range 100 {
				fmt.Fprintf(o, "x: \x1b%s\n", "錆")
			}
		})
	}
	g.Wait()
	if want := strings.Repeat("x: \\u001b錆\n", 800); got.String() != want || o.finish() != nil {
		t.Errorf("got %d bytes and error %v, want %d whole lines", got.Len(), o.finish(), 800)
	}
}

// onlyWriter hides what else could be used to copy, and the reader is hidden by the
// interface.
type onlyWriter struct{ io.Writer }

// FuzzOutput holds that a JSON text stays the same value.
func FuzzOutput(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[0m\u009b\x7f", "\u202e\u2028", "\U000e0041", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want, got string
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		o := &output{w: &out}
		if err := errors.Join(write(o, text), o.finish()); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
			t.Errorf("got %q and error %v, want %q", got, err, want)
		}
		if i := strings.IndexFunc(out.String(), func(c rune) bool { return c == 0x1b || c >= 0x7f && c < 0xa0 }); i >= 0 {
			t.Errorf("%q has a control character at %d", out.String(), i)
		}
	})
}

func write(w io.Writer, text []byte) error {
	_, err := w.Write(text)
	return err
}

// TestLostOutput runs commands whose answer cannot be written: none is a success.
func TestLostOutput(t *testing.T) {
	for _, args := range [][]string{
		{"version"}, {"help"}, {"help", "dist"}, {"targets"}, {"targets", "--json"}, {"config"}, {"config", "--example"}, {"config", "--json"},
		{"explain", "rust.lld"}, {"completion", "bash"}, {"check", "--no-toolchain"}, {"clean", "--json"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var stderr bytes.Buffer
			code := Main(t.Context(), args, IO{Stdin: strings.NewReader(""), Stdout: full{}, Stderr: &stderr, Dir: t.TempDir()})
			if want := "no space left on device"; code != exitFail || !strings.Contains(stderr.String(), want) {
				t.Errorf("got status %d and %q, want %d and %q", code, stderr.String(), exitFail, want)
			}
		})
	}
}

// TestLostDifferences holds that diff does not tell of a difference where it could not
// print one.
func TestLostDifferences(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/one", "b/two"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"diff", "a", "b"}, {"diff", "a", "b", "--json"}, {"diff", "a", "a"}} {
		var stderr bytes.Buffer
		code := Main(t.Context(), args, IO{Stdin: strings.NewReader(""), Stdout: full{}, Stderr: &stderr, Dir: dir})
		if code != exitUsage || strings.Count(stderr.String(), "no space left on device") != 1 {
			t.Errorf("%q: got status %d and %q, want %d and the reason once", args, code, stderr.String(), exitUsage)
		}
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestErrorAnswer holds that --json gives one JSON value on stdout, whatever fails.
func TestErrorAnswer(t *testing.T) {
	for _, args := range [][]string{
		{"dist", "--sysroot", "/nonexistent"}, {"dist", "--nonsense"}, {"dist", "--set", "rust.lldd=1"}, {"install", "--prefix"},
		{"build", "extra"}, {"config", "foo"}, {"frobnicate"}, {"targets", "show", "x86-64"}, {"explain", "rust.ldl"},
		{"diff", "a"}, {"recompress"}, {"migrate", "--from", "1.89", "--to", "1.96", "/nonexistent"},
		{"check", "--release", "1.x"}, {"verify", "--expect", "lldd"}, {"bench", "compress", "--peers", "zip"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Main(t.Context(), append([]string{"--json"}, args...), IO{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Dir: t.TempDir()})
			var got errorAnswer
			if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
				t.Fatalf("got %q: %v", stdout.String(), err)
			}
			if code == exitOK || got.Status != code || len(got.Errors) == 0 || !strings.Contains(stderr.String(), got.Errors[0]) {
				t.Errorf("status %d, got %+v, stderr %q", code, got, stderr.String())
			}
		})
	}
}
