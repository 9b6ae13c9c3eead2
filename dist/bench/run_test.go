package bench

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/measure"
	"x.go/tests/testenv"
)

// fakeX is a program with the command line of `x bench coder`, that has gzip do
// all the work. Its formats are the names of files alone.
func fakeX(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	script := "#!" + testenv.Need(t, "sh") + `
for file; do :; done
case " $* " in
" bench coder "*" --decode "*) exec gzip -d -c <"$file" ;;
" bench coder "*" --format "*) exec gzip -1 -n -c <"$file" ;;
esac
echo "x: odd arguments: $*" >&2
exit 2
`
	testenv.Need(t, "gzip")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// elfHead is the start of a program for x86-64.
var elfHead = append([]byte(elf.ELFMAG), append(make([]byte, 14), byte(elf.EM_X86_64), 0)...)

// sources are a text, a program, and an archive with a program in it.
func sources(t *testing.T) []Source {
	t.Helper()
	dir := t.TempDir()
	program := append(slices.Clone(elfHead), strings.Repeat("code", 1000)...)
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	tw := tar.NewWriter(zw)
	for name, data := range map[string][]byte{"a/readme": []byte("text"), "bin/tool": program} {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"text": bytes.Repeat([]byte("text "), 1000), "tool": program, "tool.tar.gz": packed.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return []Source{
		{Path: filepath.Join(dir, "text")}, {Path: filepath.Join(dir, "tool"), Member: "bin/tool", Note: "a tool"}, {Path: filepath.Join(dir, "tool.tar.gz")},
	}
}

// told is what a report says without figures: inputs, and their rows with the
// number of runs.
func told(r Report) []string {
	var out []string
	for _, res := range r.Results {
		out = append(out, res.Input.Name+", "+res.Input.Note)
		for _, row := range slices.Concat(res.Encode, res.Decode) {
			out = append(out, "  "+row.title()+strings.Repeat(".", len(row.Runs))+row.Error)
		}
	}
	return out
}

func TestRun(t *testing.T) {
	var notes []string
	events := map[string]int{}
	o := Options{
		X: fakeX(t), Version: "1.2", Sources: sources(t), Only: []string{"x gz fast", "x xz best", "x xz best+bcj", "gzip"},
		Rounds: 2, Jobs: 1, Filter: true, Notify: func(e measure.Event) { events[e.Input]++ },
		Note: func(text string) { notes = append(notes, text) },
	}
	got, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	gzipOnly := slices.DeleteFunc(told(got), func(line string) bool { return strings.Contains(line, "x xz best") })
	want := []string{
		"text, ", "  x gz fast..", "  gzip -9..",
		"tool.tar, a tool", "  x gz fast..", "  gzip -9..",
		"tool.tar, out of tool.tar.gz", "  x gz fast..", "  gzip -9..",
	}
	if diff := cmp.Diff(want, gzipOnly); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"decompressing tool.tar.gz", `note: no machine code of x86 or ARM64 at the start of files in "text": leaving out the branch filter`}, notes); diff != "" {
		t.Errorf("notes (-want +got)\n%s", diff)
	}
	if got.Baseline != "gzip -9" || got.Rounds != 2 || got.Programs[0] != (Program{"x", "1.2"}) || got.Programs[1].Tool != "gzip" {
		t.Errorf("got report %+v", got)
	}
	if events["text"] == 0 || events["tool.tar"] == 0 {
		t.Errorf("got events %v", events)
	}
}

func TestPlan(t *testing.T) {
	o := Options{X: fakeX(t), Sources: sources(t), Only: []string{"x xz best", "x xz best+bcj"}, Rounds: 1, Jobs: 3, Filter: true}
	got, err := Plan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	filtered := []string{"  x xz best", "  x xz best+bcj"}
	want := slices.Concat([]string{"text, ", "  x xz best", "tool.tar, a tool"}, filtered, []string{"tool.tar, "}, filtered)
	if diff := cmp.Diff(want, told(got)); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	const command = "x bench coder --jobs 3 --format xz --profile best --bcj x86 tool.tar > out.xz"
	if got := got.Results[2].Encode[1].Command; got != command {
		t.Errorf("got command %q, want %q", got, command)
	}
}

// TestPlanBadArchive has x refuse an input.
func TestPlanBadArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.tar.gz")
	if err := os.WriteFile(path, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := Options{X: fakeX(t), Sources: []Source{{Path: path}}, Rounds: 1}
	for name, run := range map[string]func() (Report, error){
		"plan": func() (Report, error) { return Plan(t.Context(), o) }, "run": func() (Report, error) { return Run(t.Context(), o) },
	} {
		if _, err := run(); err == nil || !strings.Contains(err.Error(), "not in gzip format") {
			t.Errorf("%s: got error %v, want that of the program", name, err)
		}
	}
}

func TestOptionsCheck(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		change func(*Options)
		want   string
	}{
		{func(*Options) {}, ""},
		{func(o *Options) { o.Rounds = 0 }, "option Rounds: got 0, want 1 to 1000"},
		{func(o *Options) { o.Timeout = -1 }, "option Timeout: got -1ns, want 0 or more"},
		{func(o *Options) { o.Jobs = -1 }, "option Jobs: got -1, want 0 or more"},
		{func(o *Options) { o.Peers = []string{"brotli"} }, `option Peers: got "brotli", want xz, 7zz, zstd, gzip, pigz`},
		{func(o *Options) { o.Only = []string{"xz -10"} }, `option Only: got "xz -10", want x, a program or a row of this table: x xz fast, `},
		{func(o *Options) { o.Only, o.Peers = []string{"gzip"}, []string{} }, `option Only: got ["gzip"] with peers [], want a row to run`},
		{func(o *Options) { o.Baseline = "xz -10" }, `option Baseline: got "xz -10", want a row of this run: x xz fast, `},
		{func(o *Options) { o.Sources = []Source{{Path: dir}} }, "want a regular file"},
		{func(o *Options) { o.Sources = []Source{{Path: empty}} }, "it is empty"},
		{func(o *Options) { o.Sources = []Source{{Path: empty + "?"}} }, "option Sources: reading input \""},
	}
	testenv.Need(t, "gzip")
	for _, tt := range tests {
		o := Options{Rounds: 1}
		tt.change(&o)
		err := o.Check()
		var option *measure.OptionError
		if tt.want == "" && err == nil {
			continue
		}
		if !errors.As(err, &option) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got error %v, want %s", err, tt.want)
		}
	}
}

func TestBaseline(t *testing.T) {
	peer := func(name string) coder {
		tool, level, _ := strings.Cut(name, " ")
		return coder{Tool: tool, Level: level}
	}
	for _, tt := range []struct {
		peers, only    []string
		baseline, want string
	}{
		{[]string{"xz -1", "xz -9"}, nil, "", "xz -9"},
		{[]string{"xz -1", "xz -9"}, []string{"x", "xz -1"}, "", "xz -1"},
		{[]string{"xz -1"}, []string{"x gz best"}, "", "x gz best"},
		{[]string{"xz -1", "xz -9"}, nil, "x gz fast", "x gz fast"},
	} {
		s := session{Options: Options{Only: tt.only, Baseline: tt.baseline}}
		for _, name := range tt.peers {
			s.peers = append(s.peers, peer(name))
		}
		if err := s.choose(); err != nil || s.baseline != tt.want {
			t.Errorf("%+v: got %q and %v", tt, s.baseline, err)
		}
	}
}

// TestSettings takes out of the environment what changes how programs compress.
func TestSettings(t *testing.T) {
	got := withoutSettings([]string{"PATH=/bin", "XZ_OPT=-0", "GOGC=off", "XZ=1"})
	if diff := cmp.Diff([]string{"PATH=/bin", "XZ=1"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
