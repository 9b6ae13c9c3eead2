package explain_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/explain"
)

// cfgRustc is a compiler that answers cargo's question about conditions: some hold
// always, and those of --cfg. It refuses the flag --bad.
const cfgRustc = `#!/bin/sh
case $* in
*-vV*) printf 'rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\ncommit-hash: COMMIT\ncommit-date: 2026-04-14\n';;
*--bad*) echo 'warning: more' >&2; echo 'error: Unrecognized option: bad' >&2; exit 1;;
*--odd*) echo odd;;
*--loud*) while printf %01000d 0; do :; done;;
*--print=cfg*) printf '___\nlib___.rlib\nlib___.so\nlib___.so\nlib___.a\nlib___.so\n/sysroot\noff\n___\nunix\ntarget_os="linux"\ntarget_feature="sse2"\n'
  for arg; do case $arg in --cfg=*) echo "${arg#--cfg=}";; esac; done;;
*"--print sysroot"*) echo "DIR/asks";;
*target-spec-json*) exec /bin/cat "DIR/spec.json";;
*) exit 1;;
esac
`

// cargoPlace is a place with a compiler that answers for conditions.
func cargoPlace(t *testing.T, config string, env ...string) place {
	t.Helper()
	p := newPlace(t, env...)
	info, err := os.ReadFile(filepath.Join(p.dir, "plain/bin/rustc"))
	if err != nil {
		t.Fatal(err)
	}
	_, commit, _ := strings.Cut(string(info), "commit-hash: ")
	commit, _, _ = strings.Cut(commit, `\n`)
	p.write(t, "asks/bin/rustc", strings.NewReplacer("DIR", p.dir, "COMMIT", commit).Replace(cfgRustc))
	p.write(t, "asks/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld", "")
	p.write(t, "project/.cargo/config.toml", config)
	return p
}

func TestCargo(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		env          []string
		question     explain.Question
		rustc        string
		flags        string // each followed by a blank
		note         string
		refused      string // the decision's error
	}{
		{name: "asked condition", config: `target.'cfg(target_feature = "sse2")'.rustflags = ["-Cx"]`, flags: "-Cx "},
		{name: "condition of a flag", config: `target.'cfg(mine)'.linker = "gcc"`, env: []string{"RUSTFLAGS=--cfg=mine"}, flags: "-Clinker=gcc --cfg=mine "},
		{name: "flags that bring conditions", flags: "--cfg=a -Cb ", config: "build.rustflags = ['--cfg=a']\ntarget.'cfg(a)'.rustflags = ['--cfg=a', '-Cb']\n"},
		{name: "order", config: "target.'cfg(unix)'.linker = 'gcc'\nbuild.rustflags = ['-Clast']\n", question: explain.Question{Args: []string{"-Cmiddle"}}, flags: "-Clinker=gcc -Cmiddle -Clast "},
		{name: "argument", question: explain.Question{CargoConfig: []string{"build.rustflags=['-Ca']"}}, flags: "-Ca "},
		{name: "wrapper", env: []string{"RUSTC_WRAPPER=sccache"}, note: "cargo starts the compiler through \"sccache\""},
		{name: "no compiler asked", config: "build.rustc = 'other'", rustc: "-", note: `cargo runs the compiler "other"`},
		{name: "refused", env: []string{"RUSTFLAGS=--bad"}, refused: "error: Unrecognized option: 'bad'", flags: "--bad "},
		{name: "refused by the compiler alone", env: []string{"RUSTFLAGS=--cfg=--bad"}, refused: "error: Unrecognized option: bad", flags: "--cfg=--bad "},
		{name: "unknown target", question: explain.Question{Target: "--bad"}, refused: "error: Unrecognized option: bad"},
		{name: "two inputs", env: []string{"CARGO_ENCODED_RUSTFLAGS=-O\x1f"}, refused: "error: multiple input filenames provided (first two filenames are `src/main.rs` and ``)", flags: "-O  "},
		{name: "once", env: []string{"RUSTFLAGS=--edition=2018"}, refused: "error: Option 'edition' given more than once", flags: "--edition=2018 "},
		{name: "two targets", config: "build.target = ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu']", note: "cargo builds for 2 targets"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := cargoPlace(t, tt.config, append([]string{"CARGO_HOME=/nonexistent"}, tt.env...)...)
			tt.question.Cargo = true
			o := explain.Options{Rustc: filepath.Join("..", "asks/bin/rustc")}
			if tt.rustc == "-" {
				o.Rustc = ""
			}
			a, err := explain.Link(t.Context(), p.options(o), tt.question)
			if err != nil {
				t.Fatal(err)
			}
			var flags strings.Builder
			for _, f := range a.Flags {
				flags.WriteString(f.Arg + " ")
			}
			if diff := cmp.Diff(tt.flags, flags.String()); diff != "" {
				t.Errorf("flags (-want +got)\n%s", diff)
			}
			if tt.refused != "" && a.Decision.Error != tt.refused {
				t.Errorf("got error %q, want %q", a.Decision.Error, tt.refused)
			}
			if tt.note != "" && !slices.ContainsFunc(a.Notes, func(n string) bool { return strings.Contains(n, tt.note) }) {
				t.Errorf("got notes %q, want …%s…", a.Notes, tt.note)
			}
		})
	}
}

// TestCargoRefuses has what cargo itself stops at.
func TestCargoRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, config, want string
		question           explain.Question
		env                []string
	}{
		{"two linkers", "target.'cfg(unix)'.linker = 'a'\ntarget.'cfg(target_os=\"linux\")'.linker = 'b'", "two conditions give a linker", explain.Question{}, nil},
		{"two targets", "build.target = ['a-b-c', 'd-e-f']", "flags for more than one", explain.Question{Args: []string{"-O"}}, nil},
		{"no target", "build.target = []", "cargo builds nothing", explain.Question{}, nil},
		{"file", "", "only with -Zjson-target-spec", explain.Question{Target: "mine.json"}, nil},
		{"home", "env.CARGO_HOME = '/x'", "refuses to set this variable", explain.Question{}, nil},
		{"answer", "", "not what cargo wants", explain.Question{}, []string{"RUSTFLAGS=--odd"}},
		{"long answer", "", "it printed more than 4 MiB", explain.Question{}, []string{"RUSTFLAGS=--loud"}},
		{"empty", "", "RUSTC is empty", explain.Question{}, []string{"RUSTC="}},
		{"argument", "", "want one dotted key", explain.Question{CargoConfig: []string{"build={jobs=1}"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := cargoPlace(t, tt.config, append([]string{"CARGO_HOME=/nonexistent"}, tt.env...)...)
			tt.question.Cargo = true
			_, err := explain.Link(t.Context(), p.options(explain.Options{Rustc: filepath.Join("..", "asks/bin/rustc")}), tt.question)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
}

// TestInterrupted holds that an interrupted question has no answer: the compiler did
// not refuse the target's file.
func TestInterrupted(t *testing.T) {
	p := cargoPlace(t, "")
	spec, err := os.ReadFile(filepath.Join(p.dir, "spec.json"))
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "project/mine.json", string(spec))
	asked, err := explain.Ask(t.Context(), p.options(explain.Options{Rustc: filepath.Join("..", "asks/bin/rustc")}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, cargo := range []bool{false, true} {
		q := explain.Question{Cargo: cargo}
		if !cargo {
			q.Target = "mine.json"
		}
		if a, err := asked.Link(ctx, q); !errors.Is(err, context.Canceled) {
			t.Errorf("cargo %v: got the refusal %q and error %v, want %v", cargo, a.Decision.Error, err, context.Canceled)
		}
	}
}
