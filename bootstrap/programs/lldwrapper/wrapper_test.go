package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/programs"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// The program imports nothing, so its names are a copy.
func TestNames(t *testing.T) {
	var got []string
	for _, f := range flavors {
		got = append(got, f.name)
	}
	if diff := cmp.Diff(manifests.GCCLDPrograms(), got); diff != "" {
		t.Errorf("names of flavors (-want +got)\n%s", diff)
	}
}

// implementation is one of the programs that x has for gcc-ld: they do the same.
type implementation struct {
	name  string
	build func(out string, settings []programs.Setting) error
	made  sync.Map // of func() (string, error), by settings
}

var (
	inGo  = implementation{name: "go", build: compile}
	guest = implementation{name: "guest", build: placeGuest}
	dir   string // of the programs that are built once
)

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "lldwrapper"); err != nil {
		panic(err)
	}
	code := testenv.Main(m, "make")
	os.RemoveAll(dir)
	os.Exit(code)
}

// each runs a test with the program in Go, and with the guest program where there is
// one for this machine.
func each(t *testing.T, f func(*testing.T, *implementation)) {
	for _, in := range []*implementation{&inGo, &guest} {
		t.Run(in.name, func(t *testing.T) {
			if in == &guest {
				needGuest(t)
			}
			f(t, in)
		})
	}
}

// ours returns the program that a toolchain of this machine gets.
func ours() *implementation {
	if hasGuest {
		return &guest
	}
	return &inGo
}

// hasGuest says that this machine is one of those that have a guest program.
const hasGuest = runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")

// needGuest ends the test if this machine has no guest program.
func needGuest(t testing.TB) {
	t.Helper()
	if !hasGuest {
		testenv.Missing(t, "a guest program for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
}

// compile builds the wrapper from its source in Go.
func compile(out string, settings []programs.Setting) error {
	flags := "-s -w -buildid="
	for _, s := range settings {
		flags += fmt.Sprintf(" -X 'main.%s=%s'", s.Name, s.Value)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return errors.New(err.Error() + ": " + string(text))
	}
	return nil
}

func guestArch() string {
	return map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
}

// placeGuest places the guest program for this machine.
func placeGuest(out string, settings []programs.Setting) error {
	// As in write, no concurrent fork may inherit a descriptor of it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return programs.Build{Name: programs.LLDWrapper, Host: &targets.Spec{OS: "linux", Arch: guestArch()}, Settings: settings, Out: out}.
		Run(context.Background(), nil)
}

// The settings of each kind of wrapper.
var (
	lld    = []programs.Setting{{Name: "mode", Value: "lld"}}
	system = []programs.Setting{{Name: "mode", Value: "system"}}
	jobs   = append(slices.Clip(lld), programs.Setting{Name: "jobserver", Value: "yes"})
)

// wrapper returns the path of a wrapper, which is built once.
func (in *implementation) wrapper(t testing.TB, settings ...programs.Setting) string {
	t.Helper()
	key := fmt.Sprint(settings)
	once, _ := in.made.LoadOrStore(key, sync.OnceValues(func() (string, error) {
		f, err := os.CreateTemp(dir, in.name)
		if err != nil {
			return "", err
		}
		f.Close()
		return f.Name(), in.build(f.Name(), settings)
	}))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// install copies a program as an executable, creating its directory.
func install(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(data), 0o755)
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// A descriptor that a concurrent fork inherits would keep the program busy.
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte(text), mode)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}

func symlink(t testing.TB, to, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// original returns the gcc-ld directory of the compiler on PATH.
func original(t testing.TB) string {
	t.Helper()
	out, err := exec.Command(testenv.Need(t, "rustc"), "--print", "sysroot").Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(strings.TrimSpace(string(out)) + "/lib/rustlib/*/bin/gcc-ld")
	if err != nil || len(dirs) != 1 {
		testenv.Missing(t, "gcc-ld in the sysroot of rustc: found %q", dirs)
	}
	return dirs[0]
}

type result struct {
	Code        int
	Out, Stderr string
}

func run(t testing.TB, env []string, argv ...string) result {
	t.Helper()
	var out, stderr strings.Builder
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// echo is a linker that shows how it was called.
const echo = "#!/bin/sh\nprintf '<%s>' \"$0\" \"$@\"\nexit 7\n"

// Each case runs once with the original and once with ours in its place.
func TestAsTheOriginal(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		long := strings.Repeat("x", 100_000)
		cases := []struct {
			name string
			make func(root string) // the wrapper is at root/gcc-ld/ld.lld, rust-lld shows its arguments
			run  string
			args []string
		}{
			{name: "gnu", run: "gcc-ld/ld.lld"},
			{name: "darwin", run: "gcc-ld/ld64.lld"},
			{name: "link", run: "gcc-ld/lld-link"},
			{name: "wasm", run: "gcc-ld/wasm-ld"},
			{name: "arguments", run: "gcc-ld/ld.lld", args: []string{"-o", "a b", "", "-flavor", "x\ny", "\xff", "", ""}},
			{name: "one empty argument", run: "gcc-ld/ld.lld", args: []string{""}},
			{name: "long arguments", run: "gcc-ld/ld.lld", args: []string{long, "", long, long}},
			{name: "many arguments", run: "gcc-ld/ld.lld", args: slices.Repeat([]string{"a", "", "-L/b"}, 5_000)},
			{name: "symlink of another name", run: "else where/wasm-ld",
				make: func(root string) { symlink(t, root+"/gcc-ld/ld.lld", root+"/else where/wasm-ld") }},
			{name: "symlink to the directory", run: "link/ld64.lld",
				make: func(root string) { symlink(t, root+"/gcc-ld", root+"/link") }},
			{name: "directory of another name", run: "x y/ld.lld",
				make: func(root string) { install(t, root+"/gcc-ld/ld.lld", root+"/x y/ld.lld") }},
			{name: "hard link in another directory", run: "other/wasm-ld", make: func(root string) {
				write(t, root+"/other/x", "", 0o644)
				if err := os.Link(root+"/gcc-ld/ld.lld", root+"/other/wasm-ld"); err != nil {
					t.Fatal(err)
				}
			}},
			{name: "unknown name", run: "gcc-ld/foo"},
			{name: "ld", run: "gcc-ld/ld"},
			{name: "exe", run: "gcc-ld/ld.lld.exe"},
			{name: "name with quotes", run: "gcc-ld/a\"b\\c\n\t\r'"},
			{name: "name that is not UTF-8", run: "gcc-ld/é\xff\xe9"},
			{name: "no rust-lld", run: "gcc-ld/ld.lld", make: func(root string) { os.Remove(root + "/rust-lld") }},
			{name: "rust-lld not executable", run: "gcc-ld/ld.lld", make: func(root string) { os.Chmod(root+"/rust-lld", 0o644) }},
			{name: "rust-lld a directory", run: "gcc-ld/ld.lld", make: func(root string) { os.Remove(root + "/rust-lld"); os.Mkdir(root+"/rust-lld", 0o755) }},
			{name: "rust-lld a symlink to itself", run: "gcc-ld/ld.lld", make: func(root string) { os.Remove(root + "/rust-lld"); symlink(t, "rust-lld", root+"/rust-lld") }},
			{name: "killed", run: "gcc-ld/ld.lld", make: func(root string) { write(t, root+"/rust-lld", "#!/bin/sh\nkill -9 $$\n", 0o755) }},
			{name: "environment and input", run: "gcc-ld/ld.lld", make: func(root string) { write(t, root+"/rust-lld", "#!/bin/sh\nenv | sort; cat; echo err >&2\n", 0o755) }},
		}
		gccLD := original(t)
		for _, tt := range cases {
			t.Run(tt.name, func(t *testing.T) {
				results := [2]result{}
				for i, program := range []string{gccLD + "/ld.lld", in.wrapper(t, lld...)} {
					root := filepath.Join(t.TempDir(), "r")
					write(t, root+"/rust-lld", echo, 0o755)
					for _, name := range []string{"ld.lld", "ld64.lld", "lld-link", "wasm-ld"} {
						install(t, program, root+"/gcc-ld/"+name)
					}
					if tt.make != nil {
						tt.make(root)
					}
					if _, err := os.Stat(root + "/" + tt.run); err != nil {
						install(t, program, root+"/"+tt.run)
					}
					r := run(t, []string{"A=b", "PATH=" + os.Getenv("PATH")}, slices.Concat([]string{root + "/" + tt.run}, tt.args)...)
					r.Out = strings.ReplaceAll(r.Out, root, "~")
					results[i] = r
				}
				if diff := cmp.Diff(results[0], results[1]); diff != "" {
					t.Errorf("(-original +got):\n%s", diff)
				}
				t.Logf("both: %d %.200q %.200q", results[0].Code, results[0].Out, results[0].Stderr)
			})
		}
	})
}

// The original has a shell read a rust-lld that is no program; an error is clearer.
func TestRustLLDNoProgram(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		install(t, in.wrapper(t, lld...), root+"/gcc-ld/ld.lld")
		write(t, root+"/rust-lld", "\x01\x02", 0o755)
		want := result{1, "", "lld-wrapper: could not exec rust-lld: Exec format error (os error 8)\n"}
		if diff := cmp.Diff(want, run(t, nil, root+"/gcc-ld/ld.lld")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWithoutParent(t *testing.T) {
	for _, tt := range []struct{ self, want string }{
		{"/ld.lld", "parent directory could not be determined"},
		{"ld.lld", "directory containing current executable could not be determined"},
	} {
		if _, err := choose(tt.self, nil); err == nil || err.Error() != tt.want {
			t.Errorf("choose(%q): got %v, want %s", tt.self, err, tt.want)
		}
	}
}

func TestUnknownMode(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		install(t, in.wrapper(t, programs.Setting{Name: "mode", Value: "sytem"}), root+"/gcc-ld/ld.lld")
		want := result{1, "", "lld-wrapper: built with unknown mode \"sytem\"\n"}
		if diff := cmp.Diff(want, run(t, nil, root+"/gcc-ld/ld.lld")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// The program needs no library, so that it runs wherever rust-lld does.
func TestStatic(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		if needed := importedLibraries(t, in.wrapper(t, lld...)); len(needed) > 0 {
			t.Errorf("needs %q", needed)
		}
	})
}

// BenchmarkSize reports how large each wrapper is.
func BenchmarkSize(b *testing.B) {
	needGuest(b)
	for _, in := range []*implementation{&inGo, &guest} {
		info, err := os.Stat(in.wrapper(b, lld...))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size()), in.name+"-bytes")
	}
	b.ReportMetric(0, "ns/op") // says nothing
}
