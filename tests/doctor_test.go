package tests

import (
	"bytes"
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/doctor"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

const extern = `unsafe extern "C" { fn f() -> i32; } fn main() { println!("{}", unsafe { f() }); }`

// links are links that LLD refuses or gets wrong, and that GNU ld does well.
var links = []struct {
	name    string
	sources map[string]string
	prepare string // a shell script
	edit    func(*testing.T, string)
	flags   []string
	want    []doctor.Cause // with LLD
	either  bool           // GNU ld has the same trouble
	remedy  string         // an option among those proposed
}{
	{
		name: "ctors", want: []doctor.Cause{doctor.Ctors},
		sources: map[string]string{"main.rs": `extern "C" fn up() {}
#[used] #[unsafe(link_section = ".ctors")] static A: extern "C" fn() = up;
fn main() {}`},
	},
	{
		name: "start-stop-gc", want: []doctor.Cause{doctor.StartStopGC}, flags: []string{"-L.", "-lstatic=s"}, remedy: "-Clink-arg=-Wl,-z,nostart-stop-gc",
		sources: map[string]string{"main.rs": extern, "s.c": `__attribute__((section("things"), used)) static long one = 1;
extern long __start_things[], __stop_things[];
int f(void) { return (int)(__stop_things - __start_things); }`},
		prepare: "gcc -O1 -ffunction-sections -fdata-sections -c s.c && ar rcs libs.a s.o",
	},
	{
		name: "shlib-undefined", want: []doctor.Cause{doctor.ShlibUndefined}, flags: []string{"-L.", "-ltop", "-lmid"}, remedy: "-Clink-arg=-Wl,--no-as-needed -Clink-arg=-llow",
		sources: map[string]string{"main.rs": extern,
			"low.c": "int low(void) { return 1; }",
			"mid.c": "int low(void); int mid(void) { return low(); }",
			"top.c": "int low(void); int mid(void); int f(void) { return mid() + low(); }"},
		prepare: `gcc -shared -fPIC low.c -o liblow.so && gcc -shared -fPIC mid.c -o libmid.so -L. -llow -Wl,-rpath,'$ORIGIN' &&
			gcc -shared -fPIC top.c -o libtop.so -L. -lmid -Wl,-rpath,'$ORIGIN'`,
	},
	{
		name: "shlib-undefined, unused", want: []doctor.Cause{doctor.ShlibUndefined}, flags: []string{"-L.", "-lhalf"},
		sources: map[string]string{"main.rs": "fn main() {}", "half.c": "int nowhere(void); int half(void) { return nowhere(); }"},
		prepare: "gcc -shared -fPIC half.c -o libhalf.so",
	},
	{
		name: "gxx-personality", want: []doctor.Cause{doctor.GxxPersonality}, flags: []string{"-L.", "-lstatic=p"}, remedy: "-lstdc++",
		sources: map[string]string{"main.rs": extern, "p.cc": `struct G { ~G(); int v; };
G::~G() { v = 0; }
void may_throw(int);
int unused(int x) { G g; may_throw(x); return g.v; }
extern "C" int f() { return 5; }`},
		prepare: "g++ -O1 -fPIC -ffunction-sections -fdata-sections -c p.cc && ar rcs libp.a p.o",
	},
	{
		name: "duplicate-symbol", want: []doctor.Cause{doctor.DuplicateSymbol}, flags: []string{"-L.", "-lstatic=a", "-lstatic=b"},
		sources: map[string]string{
			"main.rs": `#[link(name = "a", kind = "static")] unsafe extern "C" {}
#[link(name = "b", kind = "static")] unsafe extern "C" { fn f() -> i32; } fn main() { println!("{}", unsafe { f() }); }`,
			"one.c": "int text(void) { return 1; }", "use.c": "int comp(void); int text(void); int f(void) { return comp() + text(); }",
			"two.c": "int comp(void) { return 10; } int text(void) { return 2; }"},
		prepare: "gcc -fPIC -c one.c use.c two.c && ar rcs liba.a one.o && ar rcs libb.a use.o two.o",
	},
	{
		name: "incompatible", want: []doctor.Cause{doctor.Incompatible}, flags: []string{"-L.", "-lstatic=mix"},
		sources: map[string]string{"main.rs": extern, "native.c": "int f(void) { return 3; }", "foreign.c": "int unused(void) { return 4; }"},
		prepare: "gcc -fPIC -c native.c foreign.c",
		edit: func(t *testing.T, dir string) {
			patch(t, filepath.Join(dir, "foreign.o"), 18, byte(elf.EM_AARCH64))
			shell(t, dir, "ar rcs libmix.a native.o foreign.o")
		},
	},
	{
		name: "invalid-local-symbol", want: []doctor.Cause{doctor.InvalidLocalSymbol}, flags: []string{"-L.", "-lodd"}, remedy: "-Clink-arg=-Wl,--noinhibit-exec",
		sources: map[string]string{"main.rs": extern, "odd.c": "int odd = 1; int f(void) { return 4; }"},
		prepare: "gcc -shared -fPIC odd.c -o libodd.so",
		edit:    func(t *testing.T, dir string) { makeLocal(t, filepath.Join(dir, "libodd.so"), "odd") },
	},
	{
		name: "slim LTO", want: []doctor.Cause{doctor.LTOObjects}, flags: []string{"-L.", "-lstatic=l"},
		sources: map[string]string{"main.rs": extern, "l.c": "int f(void) { return 3; }"},
		prepare: "gcc -flto -fno-fat-lto-objects -fPIC -c l.c && gcc-ar rcs libl.a l.o 2>/dev/null || ar rcs libl.a l.o",
	},
	{
		name: "unresolved", want: []doctor.Cause{doctor.UnresolvedAtRunTime}, flags: []string{"-Clink-arg=-Wl,--warn-unresolved-symbols"},
		sources: map[string]string{"main.rs": extern},
	},
	{
		name: "self-contained", want: []doctor.Cause{doctor.SelfContainedCrash}, flags: []string{"-Clink-self-contained=y"}, either: true,
		sources: map[string]string{"main.rs": "fn main() {}"},
	},
	{
		name: "no LLD", want: []doctor.Cause{doctor.NoLLD}, flags: []string{"-Clink-self-contained=-linker"},
		sources: map[string]string{"main.rs": "fn main() {}"},
	},
	{
		name: "no driver", want: []doctor.Cause{doctor.NoDriver}, flags: []string{"-Clinker=rust-lld"}, either: true,
		sources: map[string]string{"main.rs": "fn main() {}"},
	},
	{
		name: "nothing wrong", want: []doctor.Cause{},
		sources: map[string]string{"main.rs": "fn main() {}"},
	},
	{
		name: "nowhere", want: []doctor.Cause{}, either: true,
		sources: map[string]string{"main.rs": extern},
	},
}

// TestDoctorLinks links for real, with LLD and with GNU ld, and has each link examined.
func TestDoctorLinks(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "it links with two linkers")
	testenv.Sysroot(t, "stable")
	for _, program := range []string{"rustc", "gcc", "g++", "ar"} {
		testenv.Need(t, program)
	}
	for _, link := range links {
		t.Run(link.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range link.sources {
				testenv.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
			}
			if link.prepare != "" {
				shell(t, dir, link.prepare)
			}
			if link.edit != nil {
				link.edit(t, dir)
			}
			r := examine(t, dir, append([]string{"-o", "lld"}, link.flags...)...)
			if diff := cmp.Diff(link.want, r.Causes()); diff != "" {
				t.Errorf("linked by LLD (-want +got):\n%s", diff)
			}
			if link.remedy != "" && !proposes(r, link.remedy) {
				t.Errorf("got %+v, want remedy %q", r.Findings, link.remedy)
			}
			if link.either {
				return
			}
			_ = os.Remove(filepath.Join(dir, "lld")) // there is none where LLD refused
			r = examine(t, dir, append([]string{"-o", "bfd", "-Clinker-features=-lld"}, link.flags...)...)
			if len(r.Findings) > 0 || r.Ran.Status != 0 {
				t.Errorf("linked by GNU ld: got status %d and %+v, want nothing", r.Ran.Status, r.Findings)
			}
		})
	}
}

// examine has a link by rustc examined, and what it has printed once more as a log.
func examine(t *testing.T, dir string, flags ...string) doctor.Report {
	t.Helper()
	var out bytes.Buffer
	r, err := doctor.Run(t.Context(), doctor.Command{
		Args: append([]string{"rustc", "main.rs"}, flags...), Dir: dir, Env: os.Environ(), Stdout: &out, Stderr: &out,
	}, doctor.Options{Dir: dir})
	testenv.Must(t, err)
	if r.Ran.Status == 0 {
		return r
	}
	again, err := doctor.Diagnose(t.Context(), "log", bytes.NewReader(out.Bytes()), doctor.Options{Dir: dir})
	testenv.Must(t, err)
	if diff := cmp.Diff(r.Causes(), again.Causes()); diff != "" {
		t.Errorf("causes of the command against those of its log (-command +log):\n%s\n%s", diff, out.String())
	}
	return r
}

func proposes(r doctor.Report, option string) bool {
	for _, f := range r.Findings {
		for _, m := range f.Remedies {
			if m.Option == option && m.Stable {
				return true
			}
		}
	}
	return false
}

func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// patch changes a byte of a file.
func patch(t *testing.T, path string, at int64, b byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	testenv.Must(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte{b}, at)
	testenv.Must(t, err)
}

// makeLocal makes a dynamic symbol local where it stands, among the global ones.
func makeLocal(t *testing.T, path, name string) {
	t.Helper()
	f, err := elf.Open(path)
	testenv.Must(t, err)
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	testenv.Must(t, err)
	for i, s := range symbols {
		if s.Name == name {
			const info = 4 // offset of st_info
			patch(t, path, int64(f.Section(".dynsym").Offset)+int64(i+1)*elf.Sym64Size+info, s.Info&0xf)
			return
		}
	}
	t.Fatalf("%s has no symbol %q", path, name)
}

// TestDoctorOldDriver: rustc links once more, without LLD and without a word.
func TestDoctorOldDriver(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "it links")
	testenv.Sysroot(t, "stable")
	gcc := testenv.Need(t, "gcc")
	dir := t.TempDir()
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "main.rs"), []byte("fn main() {}"), 0o644))
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "oldcc"), []byte(`#!/bin/sh
for a in "$@"; do [ "$a" = -fuse-ld=lld ] && { echo "gcc: error: unrecognized command line option '-fuse-ld=lld'" >&2; exit 1; }; done
exec `+gcc+` "$@"
`), 0o755))
	r := runx.X(t, dir, nil, "doctor", "--json", "--", "rustc", "main.rs", "-Clinker="+filepath.Join(dir, "oldcc"))
	if r.Code != 1 || !strings.Contains(r.Stdout, `"cause": "old-driver"`) {
		t.Errorf("got %+v, want old-driver and exit status 1", r)
	}
}

// TestDoctorPassesOn: the output of a command goes through, its status is told, and
// x has its own.
func TestDoctorPassesOn(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	dir := t.TempDir()
	r, err := doctor.Run(context.Background(), doctor.Command{
		Args: []string{"sh", "-c", `cat; echo a; echo b >&2; printf no-end; exit 7`}, Dir: dir, Env: os.Environ(),
		Stdin: strings.NewReader("in\n"), Stdout: &out, Stderr: &errs,
	}, doctor.Options{Dir: dir})
	testenv.Must(t, err)
	if out.String() != "in\na\nno-end" || errs.String() != "b\n" || r.Ran.Status != 7 || len(r.Findings) != 0 {
		t.Errorf("got output %q and %q, status %d, findings %v", out.String(), errs.String(), r.Ran.Status, r.Findings)
	}
	if _, err := doctor.Run(context.Background(), doctor.Command{Args: []string{"no-such-program"}, Dir: dir}, doctor.Options{}); err == nil {
		t.Error("a command that is not there: got no error")
	}
}

// TestDoctorLibraryOrder has GNU ld refuse a library that comes before what needs it, and
// one that is nowhere.
func TestDoctorLibraryOrder(t *testing.T) {
	t.Parallel()
	testenv.Long(t, "it links")
	testenv.Sysroot(t, "stable")
	for _, program := range []string{"rustc", "gcc", "ar"} {
		testenv.Need(t, program)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"main.rs": extern, "f.c": "int low(void); int f(void) { return low(); }", "low.c": "int low(void) { return 1; }"} {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	shell(t, dir, "gcc -c f.c low.c && ar rcs libf.a f.o && ar rcs liblow.a low.o")
	order := []string{"-L.", "-Clink-args=-Wl,-Bstatic -llow -lf -Wl,-Bdynamic", "-o", "m"}
	for _, c := range []struct {
		name  string
		flags []string
		want  []doctor.Cause
	}{
		{"GNU ld", append(order, "-Clinker-features=-lld"), []doctor.Cause{doctor.LibraryOrder}},
		{"LLD", order, []doctor.Cause{}},
		{"nowhere", []string{"-L.", "-Clink-arg=-l:libf.a", "-o", "m", "-Clinker-features=-lld"}, []doctor.Cause{}},
	} {
		r := examine(t, dir, c.flags...)
		if diff := cmp.Diff(c.want, r.Causes()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
