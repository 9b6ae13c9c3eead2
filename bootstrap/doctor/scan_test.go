package doctor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// TestScan compares what the scanner finds, whatever pieces the log comes in, with a
// search line by line.
func TestScan(t *testing.T) {
	t.Parallel()
	words := []string{"error", "err", "rorx", "ab"}
	a := newAutomaton(words)
	for _, log := range []string{"", "\n", "error", "x\nerror\n\nabc\r\n", "\n\nerrorx", "ab\nab\nab", strings.Repeat("nothing here\n", 50) + "an error\n" + strings.Repeat("b", 70) + "ab"} {
		var want, got []string
		for i, line := range strings.Split(log, "\n") {
			for n, w := range words {
				if strings.Contains(line, w) != a.find([]byte(line)).has(n) {
					t.Errorf("word %q in %q: got %v", w, line, a.find([]byte(line)).has(n))
				}
			}
			if strings.Contains(line, "err") || strings.Contains(line, "rorx") || strings.Contains(line, "ab") {
				want = append(want, fmt.Sprint(i+1, line))
			}
		}
		for _, r := range []io.Reader{strings.NewReader(log), iotest.OneByteReader(strings.NewReader(log)), iotest.DataErrReader(strings.NewReader(log))} {
			got = nil
			if err := scan(context.Background(), r, a, func(no int, text []byte) { got = append(got, fmt.Sprint(no, string(text))) }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", log, diff)
			}
		}
	}
	if err := scan(context.Background(), iotest.ErrReader(io.ErrNoProgress), a, func(int, []byte) {}); err == nil {
		t.Error("a reader that fails: got no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := scan(ctx, strings.NewReader("x"), a, func(int, []byte) {}); err == nil {
		t.Error("a context that has ended: got no error")
	}
}

// endless repeats a text up to a number of bytes.
type endless struct {
	text string
	left int
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), e.left)]
	for n := 0; n < len(p); {
		c := copy(p[n:], e.text[e.at:])
		e.at = (e.at + c) % len(e.text)
		n += c
	}
	e.left -= len(p)
	return len(p), nil
}

// hostile are texts whose repetition could take memory or time.
func hostile() map[string]string {
	return map[string]string{
		"messages":      failure,
		"one line":      "rust-lld: error: undefined symbol: x ",
		"continuations": ">>> referenced by x\n",
		"commands":      `"cc" "-Wl,-x" "a.o" "-o" "m" ` + "\n",
		"braces":        `"cc" "-Wl,-x" "{a,b,c}{d,e}.rlib" "-o" "m" ` + "\n",
		"json":          `{"rendered":"rust-lld: error: undefined symbol: x\n`,
		"escapes":       "\x1b[31;\x1b]8;;rust-lld: error: undefined symbol: ",
		"carriage":      "rust-lld: error: duplicate symbol: x\r",
		"colons":        "a: : rust-lld: error: : undefined symbol: x\n",
		"nothing":       "\x00\xff\xfe",
	}
}

// TestMemory: the memory of a diagnosis does not grow with its log.
func TestMemory(t *testing.T) {
	testenv.Long(t, "it reads long logs")
	for name, text := range hostile() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most := uint64(0)
		log := &endless{text: text, left: 8 << 20}
		r, err := Diagnose(context.Background(), "log", io.TeeReader(log, writerFunc(func() {
			if log.left%(4<<20) < blockSize {
				runtime.GC()
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))
			}
		})), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			if len(f.Evidence) > maxEvidence {
				t.Errorf("%s: got %d pieces of evidence, want at most %d", name, len(f.Evidence), maxEvidence)
			}
		}
		const limit = 48 << 20
		if most > limit {
			t.Errorf("%s: got %d bytes, want at most %d", name, most, limit)
		}
	}
}

type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) { f(); return len(p), nil }

func FuzzDiagnose(f *testing.F) {
	f.Add([]byte(failure))
	for _, text := range hostile() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		r, err := Diagnose(context.Background(), "log", bytes.NewReader(log), Options{})
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(log, newline) + 1
		for _, one := range r.Findings {
			if len(one.Evidence) == 0 || len(one.Remedies) == 0 || rank(one.Confidence) < 0 {
				t.Errorf("got %+v, want evidence, remedies and a confidence", one)
			}
			for _, e := range one.Evidence {
				if e.Line < 1 || !isUTF16(log) && e.Line > lines || len(e.Text) > maxText {
					t.Errorf("got evidence %+v, want a line of the %d, and at most %d bytes", e, lines, maxText)
				}
			}
		}
	})
}

func isUTF16(log []byte) bool {
	return bytes.HasPrefix(log, []byte("\xff\xfe")) || bytes.HasPrefix(log, []byte("\xfe\xff"))
}

// BenchmarkDiagnose reads 100 MB, in which a link fails every 20,000 lines, and where
// nothing but links fail.
func BenchmarkDiagnose(b *testing.B) {
	usual := strings.Repeat("   Compiling serde v1.0.219\nwarning: unused variable: `x`\n  --> src/lib.rs:12:9\n   |\n12 |     let x = 5;\n   = note: on by default\n", 3000) + failure
	for name, text := range map[string]string{"usual": usual, "failures": failure} {
		b.Run(name, func(b *testing.B) {
			const size = 100_000_000
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Diagnose(context.Background(), "log", &endless{text: text, left: size}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
