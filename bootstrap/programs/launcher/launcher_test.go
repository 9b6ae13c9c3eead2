package main

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/lld"
	"x.go/bootstrap/programs"
	"x.go/targets"
	"x.go/targets/link"
	"x.go/tests/testenv"
)

const x64 = "x86_64-unknown-linux-gnu"

// commandLines are arguments of rustc that make it hard to see what the options are.
var commandLines = []string{
	"", "-", "--", "-vV", "main.rs", "--target wasm32-unknown-unknown", "--target=wasm32-unknown-unknown", "--target", "--target=",
	"-o --target=a main.rs", "-o--target --target b", "--cfg --target=a", "--cfg=x --target b", "--extern --target=a --target=b",
	"-- --target a", "-C -- --target a", "main.rs --target a", "-gO --target a", "-gOo --target a", "-gOCx --target a", "-C --target=a",
	"-Clinker=clang", "-C linker=clang", "-gOClinker=ld", "--codegen linker=ld -Clinker=cc", "--codegen=linker-flavor=ld.lld", "-Clinker_flavor=gcc",
	"-Clinker", "-C", "--C linker=ld --o=a --target a", "--o --target", "-Zls=root --target a", "-Z unpretty=hir --target a", "-l --target -L --target --target a", "-A unused --target a",
	"--test --target a", "--verbose --target a", "--print --target --target a", "--color=never --target a", "-W help", "--explain E0001",
	"--env-set A=b --target a", "--remap-path-scope all --target a", "--json --target --target a", "-Dwarnings -Fx --target a",
	"--check-cfg cfg() --cap-lints allow --crate-name a --crate-type lib --edition 2021 --emit link --target a",
	"--diagnostic-width 9 --error-format json --out-dir d --remap-path-prefix a=b --sysroot s --warn a --allow b --deny c --forbid d --force-warn e --target a",
}

// reference is what the model of rustc's command line has for [parse]; ok is false if
// rustc refuses the arguments.
func reference(args []string) (inv invocation, ok bool) {
	ref, err := link.ParseInvocation(args, nil)
	if err != nil {
		return inv, false
	}
	inv.target = ref.Target
	for _, o := range ref.Codegen {
		inv.set("C", o.String())
	}
	return inv, true
}

func checkParse(t *testing.T, args []string) {
	want, ok := reference(args)
	got := parse(args)
	if ok && got != want {
		t.Errorf("parse(%q): got %+v, want %+v", args, got, want)
	}
}

func TestParse(t *testing.T) {
	accepted := 0
	for _, line := range commandLines {
		args := strings.Fields(line)
		checkParse(t, args)
		if _, ok := reference(args); ok {
			accepted++
		}
	}
	if accepted < len(commandLines)-4 {
		t.Errorf("the reference accepts %d of %d command lines", accepted, len(commandLines))
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range commandLines {
		f.Add(strings.ReplaceAll(line, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\n")
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "@") }) {
			return
		}
		checkParse(t, args)
	})
}

// linkLines are arguments that bear on the linker.
var linkLines = []string{
	"", "-Clinker=clang", "-Clinker=/usr/bin/x86_64-linux-gnu-gcc-12", "-Clinker=ld", "-Clinker=/usr/bin/ld.lld", "-Clinker=ld.gold",
	"-Clinker=rust-lld", "-Clinker=x86_64-linux-gnu-ld", "-Clinker=lld-link", "-Clinker=wasm-ld", "-Clinker=ld64.lld", "-Clinker=my-cc",
	"-Clinker-flavor=gcc", "-Clinker-flavor=ld", "-Clinker-flavor=ld.lld", "-Clinker=ld.lld -Clinker-flavor=gcc",
	"--target=" + x64, "--target=aarch64-unknown-linux-gnu", "--target=x86_64-unknown-linux-musl", "--target=wasm32-unknown-unknown",
}

// TestFlags asks the model of rustc what comes of the options: LLD is on or off for
// the host, and no command line is refused that was accepted without them.
func TestFlags(t *testing.T) {
	latest, ok := targets.Builtin().Newest("stable")
	if !ok {
		t.Fatal("no stable release in the registry")
	}
	host := triple(t, x64)
	for _, kind := range []string{"system", "lld"} {
		o := override{kind, x64, "/opt/rust"}
		for _, line := range linkLines {
			args := strings.Fields(line)
			inv := parse(args)
			added := o.flags(inv)
			q, err := link.NewQuery(latest, targets.Compiler{Release: latest.Info().Release, Host: host, LLDDefault: kind == "system"}, triple(t, inv.targetOr(x64)), args)
			if err != nil {
				t.Fatal(err)
			}
			before := link.Decide(q)
			q.Args = append(slices.Clone(added), args...)
			after := link.Decide(q)
			if after.Exit != before.Exit {
				t.Errorf("%s, %q: got %s, want no other end than without %q", kind, line, after.Error, added)
			}
			isHost := inv.target == "" || inv.target == x64
			switch {
			case !isHost && len(added) > 0:
				t.Errorf("%s, %q: got %q, want nothing for another target", kind, line, added)
			case kind == "system" && isHost && slices.Contains(after.LLDArgs, "-fuse-ld=lld"):
				t.Errorf("%s, %q: got LLD with %q", kind, line, after.LLDArgs)
			case kind == "lld" && isHost && (len(added) > 0) != before.Flavor.UsesCC():
				t.Errorf("%s, %q: got %q, want options where a C compiler links, flavor %s", kind, line, added, before.Flavor)
			}
		}
	}
}

func (inv invocation) targetOr(host string) string {
	if inv.target == "" {
		return host
	}
	return inv.target
}

func triple(t *testing.T, s string) targets.Triple {
	t.Helper()
	tr, err := targets.ParseTriple(s)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestFlagsEqualEffect holds what the program adds, which judges the arguments with a
// parser of its own, against what the policy says of the same link.
func TestFlagsEqualEffect(t *testing.T) {
	latest, ok := targets.Builtin().Newest("stable")
	if !ok {
		t.Fatal("no stable release in the registry")
	}
	linked := 0
	for _, kind := range []lld.LauncherKind{lld.LauncherSystem, lld.LauncherLLD} {
		o := override{string(kind), x64, "/opt/rust"}
		c := targets.Compiler{Release: latest.Info().Release, Host: triple(t, x64), LLDDefault: kind == lld.LauncherSystem}
		for _, line := range append(commandLines, linkLines...) {
			args := strings.Fields(line)
			inv := parse(args)
			target, err := targets.ParseTriple(inv.targetOr(x64))
			if err != nil {
				continue
			}
			q, err := link.NewQuery(latest, c, target, args)
			if err != nil || !link.Decide(q).Linked {
				continue // rustc gets to no linker, with these options or without
			}
			linked++
			q.World.Sysroot = o.root
			want := lld.Outcome{Launcher: kind}.LauncherArgs(q)
			if diff := cmp.Diff(want, o.flags(inv)); diff != "" {
				t.Errorf("%s, %q (-policy +program):\n%s", kind, line, diff)
			}
		}
	}
	if linked < 2*len(linkLines) {
		t.Errorf("got %d links, want at least %d", linked, 2*len(linkLines))
	}
}

// implementation is one of the launchers that x has: they do the same.
type implementation struct {
	name  string
	build func(out, linker string) error
}

var implementations = []implementation{{"go", compile}, {"guest", placeGuest}}

// each runs a test with the launcher in Go, and with the guest program where there is
// one for this machine. program is where it lies.
func each(t *testing.T, linker string, f func(t *testing.T, program string)) {
	for _, in := range implementations {
		t.Run(in.name+" "+linker, func(t *testing.T) {
			if in.name == "guest" && (runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64") {
				testenv.Missing(t, "a guest program for %s/%s", runtime.GOOS, runtime.GOARCH)
			}
			program := filepath.Join(t.TempDir(), "launcher")
			testenv.Must(t, in.build(program, linker))
			f(t, program)
		})
	}
}

// compile builds the launcher from its source in Go.
func compile(out, linker string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.linker="+linker+" -X main.host="+x64, "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, text)
	}
	return nil
}

// placeGuest places the guest program for this machine.
func placeGuest(out, linker string) error {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	// No concurrent fork may inherit a descriptor of it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return programs.Build{
		Name: programs.Launcher, Host: &targets.Spec{OS: "linux", Arch: arch}, Out: out,
		Settings: []programs.Setting{{Name: "linker", Value: linker}, {Name: "host", Value: x64}},
	}.Run(context.Background(), nil)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestLaunch runs the program before a compiler that shows its arguments.
func TestLaunch(t *testing.T) {
	testenv.Need(t, "bash")
	testenv.Need(t, "go")
	each(t, "system", launch)
}

func launch(t *testing.T, program string) {
	root := t.TempDir()
	write(t, root+"/bin/rustc", read(t, program), 0o755)
	if err := os.Link(root+"/bin/rustc", root+"/bin/clippy-driver"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rustc", "clippy-driver"} {
		write(t, root+"/libexec/"+name, "#!/bin/sh\nprintf '%s' \"${0##*/}\"\n[ $# = 0 ] || printf '<%s>' \"$@\"\nexit 7\n", 0o755)
	}
	write(t, root+"/empty", "", 0o644)
	write(t, root+"/wasm", "--target\r\nwasm32-unknown-unknown\r\n", 0o644)
	write(t, root+"/file", "-o\n\nmain.rs", 0o644)
	write(t, root+"/nested", "@wasm\n", 0o644)
	const off = "<-Clinker-features=-lld>"
	for _, tt := range []struct{ name, command, want string }{
		{"no arguments", "bin/rustc", "rustc"},
		{"arguments", "bin/rustc -vV ''", "rustc" + off + "<-vV><>"},
		{"through a link", "ln -s bin/rustc ./r && ./r -", "rustc" + off + "<->"},
		{"another target", "bin/rustc --target wasm32-unknown-unknown a.rs", "rustc<--target><wasm32-unknown-unknown><a.rs>"},
		{"host as target", "bin/rustc --target=" + x64, "rustc" + off + "<--target=" + x64 + ">"},
		{"argument file", "bin/rustc @file", "rustc" + off + "<@file>"},
		{"target in an argument file", "bin/rustc @wasm a.rs", "rustc<@wasm><a.rs>"},
		{"argument files are not nested", "bin/rustc @nested", "rustc" + off + "<@nested>"},
		{"empty argument file", "bin/rustc @empty", "rustc<@empty>"},
		{"no argument file", "bin/rustc @none a.rs", "rustc<@none><a.rs>"},
		{"pipe as argument file", "bin/rustc @<(cat wasm file) b", "rustc<--target><wasm32-unknown-unknown><-o><><main.rs><b>"},
		{"clippy-driver", "bin/clippy-driver a.rs", "clippy-driver" + off + "<a.rs>"},
		{"clippy-driver without arguments", "bin/clippy-driver", "clippy-driver"},
		{"workspace wrapper", "bin/clippy-driver /opt/bin/rustc --crate-name a", "clippy-driver</opt/bin/rustc>" + off + "<--crate-name><a>"},
		{"workspace wrapper for another target", "bin/clippy-driver rustc --target a", "clippy-driver<rustc><--target><a>"},
		{"workspace wrapper, no more", "bin/clippy-driver rustc", "clippy-driver<rustc>"},
		{"rustc wraps nothing", "bin/rustc rustc a", "rustc" + off + "<rustc><a>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command("bash", "-c", tt.command)
			cmd.Dir, cmd.Env = root, []string{"PATH=" + os.Getenv("PATH")}
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 7 {
				t.Fatalf("got %v, want exit status 7\n%s", err, out)
			}
			if diff := cmp.Diff(tt.want, string(out)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if err := os.Remove(root + "/libexec/rustc"); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(root + "/bin/rustc").CombinedOutput()
	want := "rustc-launcher: could not exec " + root + "/libexec/rustc: No such file or directory (os error 2)\n"
	if err == nil || string(out) != want {
		t.Errorf("without a compiler: got %q, %v, want %q", out, err, want)
	}
}

// TestParsers holds the options that each program adds against those that package main,
// the program in Go, finds.
func TestParsers(t *testing.T) {
	testenv.Need(t, "go")
	for _, linker := range []string{"system", "lld"} {
		each(t, linker, func(t *testing.T, program string) {
			root := t.TempDir()
			write(t, root+"/bin/rustc", read(t, program), 0o755)
			write(t, root+"/libexec/rustc", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n", 0o755)
			for _, line := range append(commandLines, linkLines...) {
				args := strings.Fields(line)
				out, err := exec.Command(root+"/bin/rustc", args...).Output()
				testenv.Must(t, err)
				want := append(override{linker, x64, root}.launch(args), "")
				if len(args) == 0 {
					want = []string{"", ""} // printf prints a line for no argument
				}
				if diff := cmp.Diff(want, strings.Split(string(out), "\n")); diff != "" {
					t.Errorf("%q (-package +program):\n%s", line, diff)
				}
			}
		})
	}
}

// The program needs no library, so that it runs wherever the compiler does.
func TestStatic(t *testing.T) {
	testenv.Need(t, "go")
	each(t, "system", func(t *testing.T, program string) {
		f, err := elf.Open(program)
		testenv.Must(t, err)
		defer f.Close()
		if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
			t.Errorf("needs %q, %v", libs, err)
		}
	})
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	testenv.Must(t, err)
	return string(data)
}

func TestStem(t *testing.T) {
	for path, want := range map[string]string{
		"rustc": "rustc", "/opt/bin/rustc": "rustc", "bin/rustc.exe": "rustc", "/opt/rustc/": "rustc", "rustc-1.95": "rustc-1",
		"": "", "/": "", ".rustc": ".rustc", "/opt/rustc/x": "x",
	} {
		if got := stem(path); got != want {
			t.Errorf("stem(%q): got %q, want %q", path, got, want)
		}
	}
}
