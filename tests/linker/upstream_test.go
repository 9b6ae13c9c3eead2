// Package linker_test holds counterparts of rustc's own tests about linkers,
// under their names in rust-lang/rust (tests/ui/linking and tests/run-make).
// Each asks the real compilers of the machine and the model in package
// link, and wants the same from both.
package linker_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/oracle"
	"x.go/tests/testenv"
)

const (
	x64  = "x86_64-unknown-linux-gnu"
	musl = "x86_64-unknown-linux-musl"
)

// refusal is a command line that rustc refuses before it compiles anything.
type refusal struct {
	target string
	flags  []string
	want   string // first line of the message
}

const unstableComponents = "error: only `-C link-self-contained` values `y`/`yes`/`on`/`n`/`no`/`off`/`-linker` are stable, the `-Z unstable-options` flag must also be passed to use the unstable values"

var refusals = map[string][]refusal{
	"link-self-contained-consistency": {
		{x64, []string{"-Zunstable-options", "-Clink-self-contained=-linker", "-Clink-self-contained=+linker"},
			"error: some `-C link-self-contained` components were both enabled and disabled: linker"},
		{x64, []string{"-Zunstable-options", "-Clink-self-contained=+linker,+crto", "-Clink-self-contained=-linker,-crto"},
			"error: some `-C link-self-contained` components were both enabled and disabled: crto, linker"},
	},
	"link-self-contained-unstable": {
		{x64, []string{"-Clink-self-contained=+crto"}, unstableComponents},
		{x64, []string{"-Clink-self-contained=+libc"}, unstableComponents},
		{x64, []string{"-Clink-self-contained=-unwind"}, unstableComponents},
		{x64, []string{"-Clink-self-contained=+sanitizers"}, unstableComponents},
		{x64, []string{"-Clink-self-contained=-mingw"}, unstableComponents},
	},
	"linker-features-unstable-cc": {
		{x64, []string{"-Clinker-features=+cc"}, badFeatures("+cc")},
		{x64, []string{"-Clinker-features=-cc"}, badFeatures("-cc")},
		{x64, []string{"-Zunstable-options", "-Clinker-features=+cc"}, badFeatures("+cc")},
	},
	"linker-features-lld-disallowed": {
		{musl, []string{"-Clinker-features=-lld"}, "error: `-C linker-features=-lld` is unstable on the `x86_64-unknown-linux-musl` target. The `-Z unstable-options` flag must also be passed to use it on this target"},
		{musl, []string{"-Clinker-features=+lld"}, "error: `-C linker-features=+lld` is unstable, and also requires the `-Z unstable-options` flag to be used"},
		{x64, []string{"-Clinker-features=+lld"}, "error: `-C linker-features=+lld` is unstable, and also requires the `-Z unstable-options` flag to be used"},
	},
	"link-self-contained-linker-disallowed": {
		{musl, []string{"-Clink-self-contained=-linker"}, "error: `-C link-self-contained=-linker` is unstable on the `x86_64-unknown-linux-musl` target. The `-Z unstable-options` flag must also be passed to use it on this target"},
		{musl, []string{"-Clink-self-contained=+linker"}, unstableComponents},
		{x64, []string{"-Clink-self-contained=+linker"}, unstableComponents},
	},
}

func badFeatures(v string) string {
	return "error: incorrect value `" + v + "` for codegen option `linker-features` - a list of enabled (`+` prefix) and disabled (`-` prefix) features: `lld` was expected"
}

func TestRefusals(t *testing.T) {
	for name, cases := range refusals {
		t.Run(name, func(t *testing.T) {
			eachCompiler(t, func(t *testing.T, tc *oracle.Toolchain) {
				for _, c := range cases {
					bootstrap := ""
					if c.flags[0] == "-Zunstable-options" {
						bootstrap = "1"
					}
					model := tc.Decide(t, oracle.Case{Target: c.target, Bootstrap: &bootstrap, Flags: c.flags})
					if model.Error != c.want || model.Exit != 1 {
						t.Errorf("%s %q: model: got %q, want %q", c.target, c.flags, model.Error, c.want)
					}
					args := append([]string{"--crate-type=rlib", "--target=" + c.target}, c.flags...)
					real := compile(t, tc, "lib.rs", "#![no_std]\n", bootstrap, args)
					if diff := cmp.Diff(messageLines(real.stderr), append([]string{model.Error}, model.Notes...)); diff != "" || real.ok {
						t.Errorf("%s %q: got success %v (-compiler +model)\n%s", c.target, c.flags, real.ok, diff)
					}
				}
			})
		})
	}
}

// TestLinks holds the tests that link and look at what linked.
func TestLinks(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *oracle.Toolchain){
		"no-gc-encapsulation-symbols":            noGCEncapsulationSymbols,
		"rust-lld":                               rustLLD,
		"rust-lld-x86_64-unknown-linux-gnu":      rustLLDDefault,
		"rust-lld-x86_64-unknown-linux-gnu-dist": rustLLDDist,
	} {
		t.Run(name, func(t *testing.T) {
			testenv.Need(t, "cc")
			eachCompiler(t, func(t *testing.T, tc *oracle.Toolchain) {
				if tc.Host.String() != x64 {
					testenv.Missing(t, "a compiler hosted on %s: this one runs on %s", x64, tc.Host)
				}
				test(t, tc)
			})
		})
	}
}

func eachCompiler(t *testing.T, test func(*testing.T, *oracle.Toolchain)) {
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) { test(t, oracle.Find(t, channel)) })
	}
}

// encapsulation has a section that only the linker's own symbols refer to.
const encapsulation = `
#[used]
#[unsafe(link_section = "encapsulated")]
static A: u32 = 7;
#[used]
#[unsafe(link_section = "encapsulated")]
static B: u32 = 35;
unsafe extern "C" {
    static __start_encapsulated: u32;
    static __stop_encapsulated: u32;
}
fn main() {
    let (from, to) = unsafe { (&raw const __start_encapsulated, &raw const __stop_encapsulated) };
    let n = (to as usize - from as usize) / 4;
    let sum: u32 = (0..n).map(|i| unsafe { *from.add(i) }).sum();
    println!("{sum}");
}
`

func noGCEncapsulationSymbols(t *testing.T, tc *oracle.Toolchain) {
	if d := tc.Decide(t, oracle.Case{Target: x64}); !d.UsesLLD() {
		t.Errorf("model: got %s %q, want LLD", d.Linker, d.LLDArgs)
	}
	r := compile(t, tc, "main.rs", encapsulation, "", []string{"-O", "--edition=2024"})
	if !r.ok {
		t.Fatalf("got\n%s", r.stderr)
	}
	out, err := exec.Command(r.output).Output()
	if err != nil || string(out) != "42\n" {
		t.Errorf("program: got %q, %v, want 42: the linker dropped a section", out, err)
	}
}

func rustLLD(t *testing.T, tc *oracle.Toolchain) {
	self := []string{"-Zunstable-options", "-Clink-self-contained=+linker"}
	usesLLD(t, tc, "1", true, append(self, "-Clinker-features=+lld")...)
	usesLLD(t, tc, "1", false, append(self, "-Clinker-features=-lld")...)
	// Per feature the last word wins.
	usesLLD(t, tc, "1", false, append(self, "-Clinker-features=+lld", "-Clinker-features=-lld")...)
	usesLLD(t, tc, "1", true, append(self, "-Clinker-features=-lld", "-Clinker-features=+lld")...)
}

func rustLLDDefault(t *testing.T, tc *oracle.Toolchain) {
	usesLLD(t, tc, "", true)
	usesLLD(t, tc, "", false, "-Clinker-features=-lld")
}

func rustLLDDist(t *testing.T, tc *oracle.Toolchain) {
	// -Clinker=cc is what a dist test must be able to pass without a
	// change of linker.
	usesLLD(t, tc, "", true, "-Clinker=cc")
	usesLLD(t, tc, "", false, "-Clinker=cc", "-Clinker-features=-lld")
	usesLLD(t, tc, "", false, "-Clinker=gcc")
	usesLLD(t, tc, "", false, "-Clink-arg=-fuse-ld=bfd")
}

// lldLine is how LLD names itself under -Wl,-v, after rustc's prefix.
var lldLine = regexp.MustCompile(`(?m)^(warning: linker std(out|err): )?LLD \d+\.\d+\.\d+`)

// usesLLD links a program with real tools and compares what the linker says of
// itself with the model, and both with want.
func usesLLD(t *testing.T, tc *oracle.Toolchain, bootstrap string, want bool, flags ...string) {
	t.Helper()
	if got := tc.Decide(t, oracle.Case{Target: x64, Bootstrap: &bootstrap, Flags: flags}); got.UsesLLD() != want || got.Exit != 0 {
		t.Errorf("%q: model: got LLD %v with %s %q, want %v", flags, got.UsesLLD(), got.Linker, got.LLDArgs, want)
	}
	args := append([]string{"-Wlinker-messages", "-Clink-arg=-Wl,-v"}, flags...)
	r := compile(t, tc, "main.rs", "fn main() {}\n", bootstrap, args)
	if !r.ok {
		t.Fatalf("%q: got\n%s", flags, r.stderr)
	}
	if got := lldLine.MatchString(r.stderr); got != want {
		t.Errorf("%q: compiler: got LLD %v, want %v\n%s", flags, got, want, r.stderr)
	}
}

type compiled struct {
	ok             bool
	stderr, output string
}

func compile(t *testing.T, tc *oracle.Toolchain, name, source, bootstrap string, args []string) compiled {
	t.Helper()
	dir := t.TempDir()
	path, out := filepath.Join(dir, name), filepath.Join(dir, "out")
	if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tc.Rustc, append([]string{path, "-o", out}, args...)...)
	cmd.Env = append(os.Environ(), "RUSTC_BOOTSTRAP="+bootstrap)
	if bootstrap == "" {
		cmd.Env = cmd.Env[:len(cmd.Env)-1]
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	return compiled{err == nil, stderr.String(), out}
}

// messageLines drops the empty lines between the parts of a message.
func messageLines(stderr string) []string {
	var out []string
	for line := range strings.Lines(stderr) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			out = append(out, line)
		}
	}
	return out
}
