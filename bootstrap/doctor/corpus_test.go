package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// Lines of real linkers.
const (
	lineShlib = "  = note: rust-lld: error: undefined reference: lz_decode\n          >>> referenced by ./libptracey.so (disallowed by --no-allow-shlib-undefined)\n"
	lineGC    = "  = note: rust-lld: error: undefined symbol: __start_tab\n          >>> referenced by ss.c\n" +
		"          >>> the encapsulation symbol needs to be retained under --gc-sections properly; consider -z nostart-stop-gc (see https://lld.llvm.org/ELF/start-stop-gc)\n"
	lineType = "error[E0308]: mismatched types\n --> src/main.rs:2:18\n"
)

func compressLog(t testing.TB, format archive.Format, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	testenv.Must(t, archive.Writer{Profile: archive.Fast}.Compress(t.Context(), format, &b, strings.NewReader(text), int64(len(text))))
	return b.Bytes()
}

// withoutEnd cuts a part of a file off.
func withoutEnd(data []byte) []byte { return data[:len(data)-20] }

func writeLog(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	testenv.Must(t, os.WriteFile(path, data, 0o644))
}

// corpusTree has a log of each kind.
func corpusTree(t *testing.T) string {
	dir := t.TempDir()
	gz := compressLog(t, archive.GZ, lineGC)
	for name, data := range map[string][]byte{
		"gh/org.repo/log.txt":                    []byte(lineShlib + lineGC),
		"reg/a-1.0.0/log.txt":                    []byte(lineShlib),
		"reg/b-1.0.0/log.txt.gz":                 gz,
		"reg/c-1.0.0/log.txt.xz":                 compressLog(t, archive.XZ, lineType),
		"reg/d-1.0.0/build.log.zst":              compressLog(t, archive.Zst, lineShlib),
		"reg/e-1.0.0/twice.log.gz":               append(compressLog(t, archive.GZ, lineType), gz...),
		"reg/f-1.0.0/cut.log.gz":                 withoutEnd(compressLog(t, archive.GZ, lineGC+strings.Repeat(lineType, 10_000))),
		"reg/g-1.0.0/empty.log":                  nil,
		"reg/h-1.0.0/log.txt":                    []byte(lineGC + "[WARN] too much data in the log, truncating it\n"),
		"reg/i-1.0.0/no-gzip.log.gz":             []byte(lineGC), // the first bytes tell, not the name
		"reg/j-1.0.0/bad.log.gz":                 []byte("\x1f\x8bno gzip header"),
		"reg/k-1.0.0/junk.log.gz":                append(gz[:len(gz):len(gz)], "junk"...),
		"reg/a-1.0.0/Cargo.lock":                 []byte(lineGC), // no log
		"reg/<b>&-1.0.0/log.txt":                 []byte(lineShlib),
		"reg/m-1.0.0/deep/er/still/ubuntu.build": []byte(lineType),
	} {
		if runtime.GOOS == "windows" {
			name = strings.ReplaceAll(name, "<b>&", "b")
		}
		writeLog(t, dir, name, data)
	}
	return dir
}

func TestDiagnoseCorpus(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		testenv.Missing(t, "names of files as Unix has them")
	}
	dir := corpusTree(t)
	outside := t.TempDir()
	writeLog(t, outside, "log.txt", []byte(lineGC))
	for name, target := range map[string]string{
		"reg/link/log.txt":    filepath.Join(outside, "log.txt"),
		"reg/dirlink":         outside,
		"reg/inside":          "a-1.0.0",
		"reg/again/log.txt":   "../a-1.0.0/log.txt",
		"reg/renamed/log.txt": "../a-1.0.0/Cargo.lock",
		"reg/notes.md":        "a-1.0.0/Cargo.lock",
	} {
		testenv.Must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		testenv.Must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	var progress []CorpusProgress
	got, err := DiagnoseCorpus(t.Context(), dir, CorpusOptions{Jobs: 3, Progress: func(p CorpusProgress) { progress = append(progress, p) }})
	testenv.Must(t, err)
	want := map[Cause][]string{
		ShlibUndefined: {"gh/org.repo/log.txt", "reg/<b>&-1.0.0/log.txt", "reg/a-1.0.0/log.txt", "reg/d-1.0.0/build.log.zst"},
		StartStopGC: {"gh/org.repo/log.txt", "reg/b-1.0.0/log.txt.gz", "reg/e-1.0.0/twice.log.gz", "reg/f-1.0.0/cut.log.gz", "reg/h-1.0.0/log.txt",
			"reg/i-1.0.0/no-gzip.log.gz", "reg/k-1.0.0/junk.log.gz", "reg/renamed/log.txt"},
	}
	in := map[Cause][]string{}
	for _, c := range got.Causes {
		in[c.Cause] = c.In
		for i, e := range c.Examples {
			if e.Log != c.In[i] || e.Line == 0 || e.Text == "" || len(c.Examples) > maxExamples {
				t.Errorf("%s: got example %+v of %q", c.Cause, e, c.In)
			}
		}
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Errorf("logs by cause (-want +got):\n%s", diff)
	}
	wantProblems := []Problem{
		{"reg/dirlink", Unreadable, ""}, {"reg/f-1.0.0/cut.log.gz", Cut, ""}, {"reg/g-1.0.0/empty.log", Cut, ""}, {"reg/h-1.0.0/log.txt", Cut, ""},
		{"reg/inside", Unreadable, ""}, {"reg/j-1.0.0/bad.log.gz", Unreadable, ""}, {"reg/k-1.0.0/junk.log.gz", Cut, ""}, {"reg/link/log.txt", Unreadable, ""},
	}
	if diff := cmp.Diff(wantProblems, got.Problems, cmpopts.IgnoreFields(Problem{}, "Detail")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got.Logs != 14 || got.Found != 11 || got.Nothing != 3 {
		t.Errorf("got %d logs, %d found, %d nothing", got.Logs, got.Found, got.Nothing)
	}
	if len(progress) != got.Logs || progress[len(progress)-1] != (CorpusProgress{got.Logs, got.Bytes, got.Found}) {
		t.Errorf("got progress %v", progress)
	}
	// The same corpus has the same answer, whoever is quicker.
	alone, err := DiagnoseCorpus(t.Context(), dir, CorpusOptions{Jobs: 1})
	testenv.Must(t, err)
	if diff := cmp.Diff(alone, got, cmpopts.IgnoreFields(Corpus{}, "Seconds")); diff != "" {
		t.Errorf("one job (-) and three (+) differ:\n%s", diff)
	}
}

func TestCorpusHugeLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeLog(t, dir, "log.txt", []byte(lineGC+strings.Repeat(lineType, 100)+lineShlib))
	writeLog(t, dir, "exact.log", []byte(strings.Repeat("x", 999)+"\n"))
	root, err := os.OpenRoot(dir)
	testenv.Must(t, err)
	defer root.Close()
	got, err := (&corpusReader{root: root, maxLog: 1000}).run(t.Context())
	testenv.Must(t, err)
	if len(got.Causes) != 1 || got.Causes[0].Cause != StartStopGC {
		t.Errorf("got causes %+v, want only what stands at the beginning", got.Causes)
	}
	want := []Problem{{"log.txt", Huge, "the part after the first 1000 bytes was not read"}}
	if diff := cmp.Diff(want, got.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestCorpusStops(t *testing.T) {
	t.Parallel()
	if _, err := DiagnoseCorpus(t.Context(), filepath.Join(t.TempDir(), "none"), CorpusOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is not there: got %v", err)
	}
	dir := t.TempDir()
	for i := range 300 {
		writeLog(t, dir, fmt.Sprintf("reg/crate-%d/log.txt", i), []byte(lineGC))
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := DiagnoseCorpus(ctx, dir, CorpusOptions{Jobs: 2, Progress: func(p CorpusProgress) {
		if p.Logs == 10 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestCorpusPage(t *testing.T) {
	t.Parallel()
	c := &Corpus{
		Directory: "<dir>", Logs: 3, Found: 2, Nothing: 1, Bytes: 5 << 20,
		Causes: []CauseCount{{
			Cause: DuplicateSymbol, Count: 2, Confidence: map[Confidence]int{High: 2}, Summary: "two <inputs>", Sources: []string{"rust-lang/rust#1", "a document"},
			Examples: []Example{{"reg/<script>alert(1)</script>/log.txt", High, 7, "</pre><img src=x onerror=alert(1)> \x1b[31m"}},
			In:       []string{"reg/<script>alert(1)</script>/log.txt", "reg/b\n/log.txt"},
		}},
		Problems: []Problem{{"reg/\"<i>", Cut, "<b>unexpected EOF</b>"}}, ProblemCounts: map[ProblemKind]int{Cut: 1},
	}
	var b bytes.Buffer
	testenv.Must(t, c.WriteHTML(&b))
	html := b.String()
	for _, foreign := range []string{"<script", "<img", "<b>un", "<i>", "\x1b", "<dir>", "<inputs>"} {
		if strings.Contains(html, foreign) {
			t.Errorf("the page has %q of a stranger as it is", foreign)
		}
	}
	for _, own := range []string{`name="viewport"`, "2 of 3 logs", `href="https://github.com/rust-lang/rust/issues/1"`, "a document", "1 cut", "max-width: 44rem"} {
		if !strings.Contains(html, own) {
			t.Errorf("the page does not have %q", own)
		}
	}
	b.Reset()
	testenv.Must(t, (&Corpus{Logs: 1, Nothing: 1}).WriteHTML(&b))
	if !strings.Contains(b.String(), "In no log is there a cause") {
		t.Error("the page of a corpus without a cause does not say so")
	}
}

func TestCorpusText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeLog(t, dir, "reg/a-1/log.txt", []byte(lineShlib))
	writeLog(t, dir, "reg/b-1/log.txt", []byte(lineType))
	writeLog(t, dir, "reg/c-1/log.txt", nil)
	c, err := DiagnoseCorpus(t.Context(), dir, CorpusOptions{})
	testenv.Must(t, err)
	var b bytes.Buffer
	testenv.Must(t, c.WriteText(&b))
	for _, want := range []string{"3 logs, ", ": 1 with a cause, 2 without\n", "1 shlib-undefined (1 high)\n", "  reg/a-1/log.txt:", "not read, or not whole: 1 cut\n  cut: reg/c-1/log.txt: it is empty\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got text\n%s\nwant %q in it", b.String(), want)
		}
	}
	data, err := json.Marshal(c)
	testenv.Must(t, err)
	if !strings.Contains(string(data), `"causes":[{"cause":"shlib-undefined","count":1,`) {
		t.Errorf("got JSON %s", data)
	}
}

// BenchmarkCorpus reads 10,000 logs, a tenth of them with a finding and a fifth
// compressed. MB/s is of text on one core: it reads with one job.
func BenchmarkCorpus(b *testing.B) {
	dir := b.TempDir()
	var size int64
	for i := range 10_000 {
		text := generatedLog(i)
		size += int64(len(text))
		name := fmt.Sprintf("reg/crate-%d/log.txt", i)
		data := []byte(text)
		if i%5 == 0 {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			_, err := w.Write(data)
			testenv.Must(b, errors.Join(err, w.Close()))
			name, data = name+".gz", z.Bytes()
		}
		writeLog(b, dir, name, data)
	}
	b.SetBytes(size)
	for b.Loop() {
		c, err := DiagnoseCorpus(b.Context(), dir, CorpusOptions{Jobs: 1})
		testenv.Must(b, err)
		if c.Logs != 10_000 || c.Found != 1000 {
			b.Fatalf("got %d logs, %d found", c.Logs, c.Found)
		}
	}
}

// generatedLog is the log of a build: crates compiled, warnings, and a failure.
func generatedLog(i int) string {
	var b strings.Builder
	for j := range 60 + i%40 {
		fmt.Fprintf(&b, "[INFO] [stderr]    Compiling crate-%d v0.%d.%d\n", j, i%10, j)
		if j%9 == 0 {
			fmt.Fprintf(&b, "[INFO] [stderr] warning: unused variable: `x%d`\n[INFO] [stderr]  --> src/lib.rs:%d:9\n[INFO] [stderr]   |\n[INFO] [stderr] %d |     let x = 1;\n[INFO] [stderr]   |         ^ help: if this is intentional, prefix it with an underscore\n[INFO] [stderr]\n", j, j, j)
		}
	}
	if i%10 == 0 {
		b.WriteString("error: linking with `cc` failed: exit status: 1\n  |\n  = note:  \"cc\" \"-m64\"")
		for j := range 80 {
			fmt.Fprintf(&b, " \"/opt/rustwide/target/debug/deps/libcrate_%d-0123456789abcdef.rlib\"", j)
		}
		b.WriteString("\n" + lineGC + "          collect2: error: ld returned 1 exit status\n")
	} else {
		b.WriteString(lineType + "error: aborting due to 1 previous error\n")
	}
	return b.String()
}
