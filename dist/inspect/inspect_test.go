package inspect_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/inspect"
	"x.go/dist/linkage"
	"x.go/tests/testenv"
)

// bench is a directory in which real tools work.
type bench struct {
	t   *testing.T
	dir string
}

func newBench(t *testing.T, files map[string]string) bench {
	t.Helper()
	b := bench{t, t.TempDir()}
	for name, text := range files {
		testenv.Must(t, os.WriteFile(b.path(name), []byte(text), 0o644))
	}
	return b
}

func (b bench) path(name string) string { return filepath.Join(b.dir, name) }

// run runs a program that has to work.
func (b bench) run(program string, args ...string) string {
	b.t.Helper()
	out, err := b.try(program, args...)
	if err != nil {
		b.t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return out
}

func (b bench) try(program string, args ...string) (string, error) {
	cmd := exec.Command(testenv.Need(b.t, program), args...)
	cmd.Dir = b.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (b bench) read(name string) inspect.File {
	b.t.Helper()
	f, err := inspect.Read(b.path(name), inspect.Options{})
	testenv.Must(b.t, err)
	return f
}

// texts are the findings of a word.
func texts(t *testing.T, f inspect.File, word string) []string {
	t.Helper()
	s, err := inspect.Select(word)
	testenv.Must(t, err)
	var out []string
	for _, found := range s.Find(&f) {
		out = append(out, found.Text)
	}
	return out
}

// has reports whether the machine has a program of these names, and returns the first.
func has(names ...string) string {
	for _, n := range names {
		if _, err := exec.LookPath(n); err == nil {
			return n
		}
	}
	return ""
}

const constructors = `#include <stdio.h>
static void f(void) { puts("ran"); }
__attribute__((section(".ctors"), used)) static void (*p)(void) = f;
__attribute__((section(".ctors"), used)) static void (*q)(void) = f;
int main(void) { return 0; }
`

// TestConstructors holds what is said of a program against what it does.
func TestConstructors(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"ctors.c": constructors})
	b.run("gcc", "-c", "ctors.c")
	if got, want := b.read("ctors.o").Constructors, []inspect.Table{{Name: ".ctors", Size: 16, Entries: 2}}; !slices.Equal(got, want) {
		t.Errorf("object: got %+v, want %+v", got, want)
	}
	for linker, program := range map[string]string{"bfd": "ld.bfd", "gold": "ld.gold", "lld": "ld.lld", "mold": "mold"} {
		if has(program) == "" {
			continue
		}
		for name, flags := range map[string][]string{"pie": {"-pie"}, "no-pie": {"-no-pie"}, "static": {"-static"}} {
			out := linker + "-" + name
			b.run("gcc", append(flags, "-fuse-ld="+linker, "-o", out, "ctors.o")...)
			f := b.read(out)
			said, err := exec.Command(b.path(out)).Output()
			testenv.Must(t, err)
			runs := strings.Count(string(said), "ran")
			switch found := texts(t, f, "ctors"); {
			case runs == 2 && found != nil:
				t.Errorf("%s runs its constructors, but: %v", out, found)
			case runs == 0 && !slices.Equal(found, []string{".ctors: nobody runs the 2 functions in it"}):
				t.Errorf("%s runs no constructor: got %v of %+v", out, found, f.Constructors)
			}
		}
	}
}

// TestFramedConstructors has the table of compilers that knew no .init_array, with the
// words before and behind it.
func TestFramedConstructors(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"begin.s": ".section .ctors,\"aw\"\n__CTOR_LIST__: .quad -1\n.section .dtors,\"aw\"\n__DTOR_LIST__: .quad -1\n",
		"end.s":   ".section .ctors,\"aw\"\n.quad 0\n.section .dtors,\"aw\"\n.quad 0\n.globl _start\n.text\n_start: nop\n",
		"user.s":  ".section .ctors,\"aw\"\n.quad f\n.text\nf: ret\n",
		"bare.s":  ".section .ctors,\"aw\"\n.quad -1\n.quad f\n.quad 0\n.section .init_array,\"aw\"\n.quad f\n.text\nf: ret\n.globl _start\n_start: nop\n",
	})
	// The linker's own script would fold the table.
	b.run("sh", "-c", "echo 'SECTIONS { . = 0x10000; .text : { *(.text) } .ctors : { *(.ctors) } .dtors : { *(.dtors) } .init_array : { *(.init_array) } }' > all.ld")
	for _, name := range []string{"begin", "end", "user", "bare"} {
		b.run("as", "--64", "-o", name+".o", name+".s")
	}
	b.run("ld.bfd", "-T", "all.ld", "-o", "empty", "begin.o", "end.o")
	b.run("ld.bfd", "-T", "all.ld", "-o", "walked", "begin.o", "user.o", "end.o")
	b.run("ld.bfd", "-T", "all.ld", "-shared", "-o", "walked.so", "begin.o", "user.o", "end.o")
	b.run("ld.bfd", "-s", "-T", "all.ld", "-o", "walked-stripped", "begin.o", "user.o", "end.o")
	b.run("ld.bfd", "-T", "all.ld", "-o", "bare", "bare.o")
	b.run("ld.bfd", "-s", "-T", "all.ld", "-o", "bare-stripped", "bare.o")
	for name, want := range map[string][]inspect.Table{
		"empty":           {{".ctors", 16, 0, false}, {".dtors", 16, 0, false}},
		"walked":          {{".ctors", 24, 1, false}, {".dtors", 16, 0, false}},
		"walked.so":       {{".ctors", 24, 1, false}, {".dtors", 16, 0, false}},
		"walked-stripped": {{".ctors", 24, 1, false}, {".dtors", 16, 0, false}},
		"bare":            {{".ctors", 24, 1, true}},
		"bare-stripped":   {{".ctors", 24, 1, true}},
		"begin.o":         {{".ctors", 8, 0, false}, {".dtors", 8, 0, false}},
		"user.o":          {{".ctors", 8, 1, false}},
	} {
		if d := cmp.Diff(want, b.read(name).Constructors); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}

func TestLTO(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "int f(void) { return 1; }\n", "data.c": "int v = 1;\n"})
	want := map[string]inspect.LTO{"slim.o": inspect.GCCSlim, "fat.o": inspect.GCCFat, "data.o": inspect.GCCFat, "plain.o": inspect.NoLTO}
	if _, err := b.try("gcc", "-flto", "-c", "-o", "slim.o", "f.c"); err != nil {
		testenv.Missing(t, "gcc with LTO")
	}
	b.run("gcc", "-flto", "-ffat-lto-objects", "-c", "-o", "fat.o", "f.c")
	b.run("gcc", "-flto", "-ffat-lto-objects", "-c", "-o", "data.o", "data.c")
	b.run("gcc", "-c", "-o", "plain.o", "f.c")
	// GCC before 10 had no section with the form; the marker is left.
	b.run("sh", "-c", "objcopy --wildcard --remove-section='.gnu.lto_.lto.*' slim.o old-slim.o && objcopy --wildcard --remove-section='.gnu.lto_.lto.*' fat.o old-fat.o")
	want["old-slim.o"], want["old-fat.o"] = inspect.GCCSlim, inspect.GCCFat
	if has("clang") != "" {
		b.run("clang", "-flto", "-c", "-o", "bitcode.o", "f.c")
		b.run("clang", "-fembed-bitcode", "-c", "-o", "embedded.o", "f.c")
		want["bitcode.o"], want["embedded.o"] = inspect.LLVMBitcode, inspect.LLVMEmbed
	}
	for name, lto := range want {
		f := b.read(name)
		if f.LTO != lto {
			t.Errorf("%s: got %q, want %q", name, f.LTO, lto)
		}
		gcc := lto == inspect.GCCSlim || lto == inspect.GCCFat
		if found := texts(t, f, "lto"); (found != nil) != gcc {
			t.Errorf("%s: got findings %v", name, found)
		}
	}
	var members []string
	for name := range want {
		members = append(members, name)
	}
	slices.Sort(members)
	b.run("ar", append([]string{"rcs", "all.a"}, members...)...)
	got := map[string]inspect.LTO{}
	for _, m := range b.read("all.a").Members {
		got[m.Member] = m.LTO
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("archive (-want +got)\n%s", d)
	}
}

// TestEncapsulation lets LLD judge.
func TestEncapsulation(t *testing.T) {
	t.Parallel()
	const ends = "extern char __start_set[], __stop_set[];\nint _start(void) { return __stop_set - __start_set; }\n"
	element := func(attributes, use string) string {
		return "__attribute__((section(\"set\"), " + attributes + ")) static int element = 1;\n" + use
	}
	b := newBench(t, map[string]string{
		"ends.c":       ends,
		"used.c":       element("used", ""),
		"referenced.c": element("used", "int *get(void) { return &element; }\n"),
		"both.c":       element("used", ends),
		"retain.s":     ".section set,\"awR\"\n.long 1\n",
		"asks.c":       "int *get(void); int keep(void) { return *get(); }\n",
	})
	for _, name := range []string{"ends", "used", "referenced", "both", "asks"} {
		b.run("gcc", "-ffreestanding", "-O0", "-fno-pic", "-c", name+".c")
	}
	b.run("gcc", "-c", "retain.s")
	archives := map[string][]string{
		"loose.a":    {"ends.o", "used.o"},
		"retained.a": {"ends.o", "retain.o"},
		"mixed.a":    {"ends.o", "retain.o", "used.o"},
		"kept.a":     {"ends.o", "referenced.o"},
		"absent.a":   {"ends.o"},
	}
	for name, members := range archives {
		b.run("ar", append([]string{"rcs", name}, members...)...)
	}
	const text = "__start_set, __stop_set: nothing keeps section set from LLD's garbage collection"
	for name, want := range map[string][]string{
		"loose.a": {text + ", in used.o"}, "mixed.a": {text + ", in used.o"}, "both.o": {text},
		"retained.a": nil, "kept.a": nil, "absent.a": nil, "ends.o": nil, "used.o": nil,
	} {
		if d := cmp.Diff(want, texts(t, b.read(name), "encapsulation")); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	if has("ld.lld") == "" {
		return
	}
	for name, fails := range map[string]bool{"loose.a": true, "retained.a": false} {
		out, err := b.try("ld.lld", "--gc-sections", "-o", "out", "--whole-archive", name)
		if (err != nil) != fails {
			t.Errorf("ld.lld %s: got %v, want failure %t\n%s", name, err, fails, out)
		}
	}
}

// TestLoading compares with readelf and ldd.
func TestLoading(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "int f(void) { return 1; }\n", "main.c": "int f(void);\nint main(void) { return f(); }\n"})
	testenv.Must(t, os.Mkdir(b.path("lib"), 0o755))
	b.run("gcc", "-shared", "-fPIC", "-o", "lib/libf.so", "f.c")
	for name, flags := range map[string][]string{
		"runpath": {"-Wl,-rpath,$ORIGIN/lib,--enable-new-dtags", "-Wl,-z,relro,-z,now"},
		"rpath":   {"-Wl,-rpath," + b.path("lib") + ",--disable-new-dtags", "-Wl,-z,relro,-z,lazy"},
		"lost":    {"-Wl,-z,norelro"},
	} {
		b.run("gcc", append([]string{"-o", name, "main.c", "-Llib", "-lf"}, flags...)...)
	}
	type facts struct {
		RELRO   inspect.RELRO
		BindNow bool
		How     inspect.How
		Path    string
		Missing []string
	}
	for name, want := range map[string]facts{
		"runpath": {inspect.FullRELRO, true, inspect.ByOrigin, b.path("lib/libf.so"), nil},
		"rpath":   {inspect.PartialRELRO, false, inspect.ByRunPath, b.path("lib/libf.so"), nil},
		"lost":    {inspect.NoRELRO, false, inspect.Missing, "", []string{"libf.so is not found"}},
	} {
		f := b.read(name)
		i := slices.IndexFunc(f.Needed, func(l inspect.Library) bool { return l.Name == "libf.so" })
		if i < 0 {
			t.Fatalf("%s: got %+v, want libf.so", name, f.Needed)
		}
		got := facts{f.RELRO, f.BindNow, f.Needed[i].How, f.Needed[i].Path, texts(t, f, "unresolved")}
		if real, err := filepath.EvalSymlinks(got.Path); err == nil {
			got.Path = real
		}
		if real, err := filepath.EvalSymlinks(want.Path); err == nil {
			want.Path = real
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		if has("ldd") == "" {
			continue
		}
		said, _ := b.try("ldd", name)
		if lost := strings.Contains(said, "libf.so => not found"); lost != (want.How == inspect.Missing) {
			t.Errorf("%s: ldd says\n%s", name, said)
		}
		for _, l := range f.Needed {
			if l.How == inspect.BySystem && !strings.Contains(said, l.Name) {
				t.Errorf("%s: ldd knows no %q\n%s", name, l.Name, said)
			}
		}
	}
}

func TestCompressed(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "int f(int a) { int b = a * 2; return b + a; }\n" + strings.Repeat("struct s;\n", 20)})
	b.run("gcc", "-g", "-c", "f.c")
	for how, coder := range map[string]string{"zlib-gabi": "zlib", "zlib-gnu": "zlib-gnu", "zstd": "zstd"} {
		if _, err := b.try("objcopy", "--compress-debug-sections="+how, "f.o", how+".o"); err != nil {
			continue // this objcopy has no zstd
		}
		f := b.read(how + ".o")
		if len(f.Compressed) == 0 {
			t.Errorf("%s: got nothing compressed", how)
		}
		plain := map[string]uint64{}
		for _, s := range sections(t, b.path("f.o")) {
			plain[s.Name] = s.Size
		}
		for _, s := range f.Compressed {
			name := strings.Replace(s.Name, ".zdebug_", ".debug_", 1)
			if s.Coder != coder || s.Unpack != plain[name] {
				t.Errorf("%s: got %+v, want coder %q, unpacked %d", how, s, coder, plain[name])
			}
		}
		if texts(t, f, "compressed") == nil {
			t.Errorf("%s: got no finding", how)
		}
	}
	if f := b.read("f.o"); f.Compressed != nil {
		t.Errorf("got %+v compressed, want nothing", f.Compressed)
	}
}

func sections(t *testing.T, path string) []linkage.Section {
	t.Helper()
	f, err := os.Open(path)
	testenv.Must(t, err)
	defer f.Close()
	e, err := linkage.Open(f)
	testenv.Must(t, err)
	return e.Sections
}

func TestLostVersions(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"f.c": "int f(void) { return 1; }\n", "main.c": "int f(void);\nint main(void) { return f(); }\n",
		"v1.map": "V1 { global: f; local: *; };\n", "v2.map": "V2 { global: f; local: *; };\n",
		"asks.s": ".symver f1,f@V1\n.symver f2,f@@V2\n.globl f1,f2\n.text\nf1:f2: ret\n",
	})
	for _, d := range []string{"none", "v1", "v2"} {
		testenv.Must(t, os.Mkdir(b.path(d), 0o755))
		flags := []string{"-shared", "-fPIC", "-o", d + "/libf.so", "f.c"}
		if d != "none" {
			flags = append(flags, "-Wl,--version-script="+d+".map")
		}
		b.run("gcc", flags...)
	}
	for _, built := range []string{"none", "v1"} {
		for _, ran := range []string{"none", "v1", "v2"} {
			b.run("gcc", "-o", built+"-"+ran, "main.c", "-L"+built, "-lf", "-Wl,-rpath,$ORIGIN/"+ran)
		}
	}
	for name, want := range map[string][]string{
		"none-none": nil,
		"v1-v1":     nil,
		"v1-none":   {"V1 of libf.so: the library defines no versions"},
		"v1-v2":     {"V1 of libf.so: the library does not define it"},
		"none-v1":   {"f@V1 of libf.so: the file asks for the symbol without a version"},
	} {
		if d := cmp.Diff(want, texts(t, b.read(name), "lost-version")); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	if d := cmp.Diff([]string{"V1"}, b.read("v1/libf.so").Versions.Defined); d != "" {
		t.Errorf("defined (-want +got)\n%s", d)
	}
	b.run("gcc", "-c", "asks.s")
	if d := cmp.Diff([]string{"f@V1", "f@@V2"}, b.read("asks.o").Versions.Asked); d != "" {
		t.Errorf("asked (-want +got)\n%s", d)
	}
}

// TestSymbols compares with nm.
func TestSymbols(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"f.c": "#include <stdio.h>\nstatic int hidden;\nint common[4];\n__attribute__((weak)) int w(void) { return hidden++; }\nint f(void) { return puts(\"\") + w(); }\n"})
	b.run("gcc", "-fPIC", "-c", "f.c")
	b.run("ar", "rcs", "f.a", "f.o")
	b.run("gcc", "-shared", "-o", "libf.so", "f.o")
	for name, flags := range map[string][]string{"f.o": {}, "f.a": {}, "libf.so": {"-D"}} {
		want := map[string]bool{}
		for line := range strings.Lines(b.run("nm", append(flags, name)...)) {
			if fields := strings.Fields(line); len(fields) > 1 {
				want[fields[len(fields)-1]] = fields[len(fields)-2] != "U" && fields[len(fields)-2] != "w"
			}
		}
		got := map[string]bool{}
		testenv.Must(t, inspect.Symbols(b.path(name), func(s inspect.Symbol) error {
			if s.Local && (s.Name == "f.c" || strings.HasPrefix(s.Name, ".")) { // nm leaves files and sections out
				return nil
			}
			full := s.Name
			if s.Version != "" {
				full += map[bool]string{true: "@", false: "@@"}[s.Hidden || !s.Defined] + s.Version
			}
			got[full] = s.Defined
			return nil
		}))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	stop := errors.New("stop")
	if err := inspect.Symbols(b.path("f.a"), func(inspect.Symbol) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of the function", err)
	}
}
