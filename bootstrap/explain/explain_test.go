package explain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/cli"
	"x.go/bootstrap/explain"
	"x.go/targets"
)

// place is a machine of a test: a working directory, the environment of a user
// whose PATH has cc, gcc and rustc, and toolchains.
type place struct {
	dir string
	env []string
}

func (p place) options(o explain.Options) explain.Options {
	o.Dir, o.Env = filepath.Join(p.dir, "project"), p.env
	return o
}

// newPlace has these toolchains: plain is the official 1.95.0, launched and
// asked are what x built from it, learned is a release that no registry holds and
// that has one target beside its host.
func newPlace(t *testing.T, env ...string) place {
	t.Helper()
	p := place{dir: t.TempDir()}
	p.env = append([]string{"PATH=" + filepath.Join(p.dir, "path"), "HOME=" + filepath.Join(p.dir, "home")}, env...)
	s, ok := targets.Builtin().Newest("stable")
	if !ok {
		t.Fatal("no stable release is held")
	}
	info := s.Info()
	official := targets.Compiler{Release: info.Release, Host: info.Host, LLDDefault: true}
	host, err := s.For(official, info.Host)
	if err != nil {
		t.Fatal(err)
	}
	musl, err := s.Find(official, "x86_64-unknown-linux-musl")
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "spec.json", string(host.JSON()))
	all, err := json.Marshal(map[string]*targets.Spec{"x86_64-unknown-linux-gnu": host, "x86_64-unknown-linux-musl": musl})
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "all.json", string(all))
	for name, release := range map[string]string{"plain": "1.95.0", "launched": "1.95.0", "asked": "1.95.0", "learned": "1.96.0"} {
		p.write(t, name+"/bin/rustc", strings.NewReplacer("DIR", p.dir, "NAME", name, "RELEASE", release, "COMMIT", info.Commit).Replace(stubRustc))
		p.write(t, name+"/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld", "")
	}
	p.write(t, "launched/share/doc/rust/x-build.json", `{"format": 1, "toolchain": {"host": "x86_64-unknown-linux-gnu"}, "lld": {"shipped": true, "wrapper": "shim", "launcher": "system"}}`)
	p.write(t, "asked/share/doc/rust/x-build.json", `{"format": 1, "toolchain": {"host": "x86_64-unknown-linux-gnu"}, "lld": {"shipped": true, "wrapper": "kept", "launcher": "lld"}}`)
	for _, program := range []string{"cc", "gcc"} {
		p.write(t, "path/"+program, "")
	}
	p.write(t, "path/rustc", "#!/bin/sh\nexec "+p.dir+"/plain/bin/rustc \"$@\"\n")
	p.write(t, "project/.cargo/config.toml", "build.target = \"aarch64-unknown-linux-gnu\"\n[target.'cfg(unix)']\nrustflags = [\"-Clink-arg=-fuse-ld=bfd\"]\n")
	p.write(t, "project/args", "-C\nlinker=gcc\n")
	p.write(t, "project/mine.json", string(musl.JSON()))
	p.write(t, "home/.cargo/config.toml", "build.rustflags = [\"-Cdebuginfo=1\"]\n")
	return p
}

const stubRustc = `#!/bin/sh
case $* in
*-vV*) printf 'rustc RELEASE\nhost: x86_64-unknown-linux-gnu\nrelease: RELEASE\ncommit-hash: COMMIT\ncommit-date: 2026-04-14\n';;
*"--print sysroot"*) echo "DIR/NAME";;
*all-target-specs-json*) exec /bin/cat "DIR/all.json";;
*target-spec-json*) exec /bin/cat "DIR/spec.json";;
*) exit 1;;
esac
`

func (p place) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestLink(t *testing.T) {
	p := newPlace(t)
	described := explain.Options{Release: "1.95.0", Host: "x86_64-unknown-linux-gnu"}
	sysroot := func(name string) explain.Options { return explain.Options{Sysroot: filepath.Join("..", name)} }
	const gccLd = "-BDIR/asked/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld"
	for _, tt := range []struct {
		name     string
		options  explain.Options
		question explain.Question
		want     []string // target and its origin, linker or error, LLD, then flags and notes
	}{
		{"described", described, explain.Question{}, []string{"x86_64-unknown-linux-gnu", "the host", "cc", "toolchain"}},
		{"of another host", explain.Options{Host: "aarch64-unknown-linux-gnu"}, explain.Question{Target: "x86_64-unknown-linux-gnu"},
			[]string{"x86_64-unknown-linux-gnu", "", "cc", ""}},
		{"built without LLD", explain.Options{Release: "1.95.0", Host: "x86_64-unknown-linux-gnu", LLDDefault: targets.No}, explain.Question{},
			[]string{"x86_64-unknown-linux-gnu", "the host", "cc", ""}},
		{"argument file", described, explain.Question{Args: []string{"@args"}},
			[]string{"x86_64-unknown-linux-gnu", "the host", "gcc", "", "@args from command line"}},
		{"rustc's --target", described, explain.Question{Args: []string{"--target=wasm32-wasip1"}},
			[]string{"wasm32-wasip1", "", "rust-lld", "toolchain", "--target=wasm32-wasip1 from command line"}},
		{"cargo", described, explain.Question{Cargo: true}, []string{"aarch64-unknown-linux-gnu", "DIR/project/.cargo/config.toml: build.target", "cc", "",
			"-Clink-arg=-fuse-ld=bfd from DIR/project/.cargo/config.toml: target.'cfg(unix)'.rustflags"}},
		{"cargo's home", described, explain.Question{Cargo: true, Target: "x86_64-unknown-none"},
			[]string{"x86_64-unknown-none", "", "rust-lld", "toolchain", "-Cdebuginfo=1 from DIR/home/.cargo/config.toml: build.rustflags"}},
		{"target file", described, explain.Question{Target: "mine.json"},
			[]string{"mine.json", "", "error: error loading target specification: custom targets are unstable and require `-Zunstable-options`", ""}},
		{"release not held", explain.Options{Release: "1.96.0", Host: "x86_64-unknown-linux-gnu"}, explain.Question{Args: []string{"-Clinker=gcc"}},
			[]string{"x86_64-unknown-linux-gnu", "the host", "gcc", "", "-Clinker=gcc from command line", "release 1.96.0 is not held, the answer is that of 1.95.0, the nearest older one"}},
		{"sysroot", sysroot("plain"), explain.Question{}, []string{"x86_64-unknown-linux-gnu", "the host", "cc", "toolchain"}},
		{"rustc on PATH", explain.Options{Rustc: "rustc"}, explain.Question{}, []string{"x86_64-unknown-linux-gnu", "the host", "cc", "toolchain"}},
		{"linker not on PATH", sysroot("plain"), explain.Question{Args: []string{"-Clinker=clang"}},
			[]string{"x86_64-unknown-linux-gnu", "the host", "error: linker `clang` not found", "", "-Clinker=clang from command line"}},
		{"learned", sysroot("learned"), explain.Question{Target: "x86_64-unknown-linux-musl"}, []string{"x86_64-unknown-linux-musl", "", "cc", ""}},
		{"launcher to the system's linker", sysroot("launched"), explain.Question{},
			[]string{"x86_64-unknown-linux-gnu", "the host", "cc", "", "-Clinker-features=-lld from the launcher in this toolchain's bin"}},
		{"shim", sysroot("launched"), explain.Question{Target: "aarch64-unknown-linux-gnu"},
			[]string{"aarch64-unknown-linux-gnu", "", "cc", "", "gcc-ld of this toolchain runs the system's linker instead of LLD (lld.baked-default)"}},
		{"launcher to LLD", sysroot("asked"), explain.Question{Args: []string{"-Clinker=gcc"}}, []string{"x86_64-unknown-linux-gnu", "the host", "gcc", "toolchain",
			"-Clink-arg=" + gccLd + " from the launcher in this toolchain's bin", "-Clink-arg=-fuse-ld=lld from the launcher in this toolchain's bin", "-Clinker=gcc from command line"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := explain.Link(t.Context(), p.options(tt.options), tt.question)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{a.TargetName, a.TargetOrigin, a.Decision.Linker + a.Decision.Error, a.LLD}
			for _, f := range a.Flags {
				got = append(got, f.Arg+" from "+f.Origin)
			}
			got = append(got, a.Notes...)
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], p.dir, "DIR")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestLinkEqualsCommand asks the library and `x explain --json` the same.
func TestLinkEqualsCommand(t *testing.T) {
	p := newPlace(t, "RUSTC_BOOTSTRAP=1", "CARGO_BUILD_RUSTFLAGS=-Cstrip=none")
	compilers := []struct {
		flags   string
		options explain.Options
	}{
		{"", explain.Options{}},
		{"--release 1.95.0 --host aarch64-unknown-linux-gnu", explain.Options{Release: "1.95.0", Host: "aarch64-unknown-linux-gnu"}},
		{"--release nightly --lld-default no", explain.Options{Release: "nightly", LLDDefault: targets.No}},
		{"--rustc rustc", explain.Options{Rustc: "rustc"}},
		{"--sysroot ../launched", explain.Options{Sysroot: "../launched"}},
		{"--sysroot ../asked", explain.Options{Sysroot: "../asked"}},
		{"--sysroot ../learned", explain.Options{Sysroot: "../learned"}},
	}
	questions := []struct {
		flags    string
		question explain.Question
	}{
		{"", explain.Question{}},
		{"--target x86_64-unknown-linux-musl", explain.Question{Target: "x86_64-unknown-linux-musl"}},
		{"--rustflags --target x86_64-unknown-linux-gnu -- -Clinker=gcc", explain.Question{Cargo: true, Target: "x86_64-unknown-linux-gnu", Args: []string{"-Clinker=gcc"}}},
		{"--target mine.json -- -Zunstable-options", explain.Question{Target: "mine.json", Args: []string{"-Zunstable-options"}}},
		{"-- @args --crate-type=rlib", explain.Question{Args: []string{"@args", "--crate-type=rlib"}}},
		{"-- -Clinker-features=+lld", explain.Question{Args: []string{"-Clinker-features=+lld"}}},
	}
	for _, c := range compilers {
		for _, q := range questions {
			t.Run(c.flags+" "+q.flags, func(t *testing.T) {
				t.Parallel()
				args := append([]string{"explain", "--json"}, strings.Fields(c.flags+" "+q.flags)...)
				var out, complaint bytes.Buffer
				io := cli.IO{Stdin: &bytes.Buffer{}, Stdout: &out, Stderr: &complaint, Env: p.env, Dir: filepath.Join(p.dir, "project")}
				if code := cli.Main(t.Context(), args, io); code != 0 {
					t.Fatalf("x %q: got exit status %d, %s", args, code, &complaint)
				}
				a, err := explain.Link(t.Context(), p.options(c.options), q.question)
				if err != nil {
					t.Fatal(err)
				}
				got, err := json.Marshal(a)
				if err != nil {
					t.Fatal(err)
				}
				var w, g any
				if err := errors.Join(json.Unmarshal(out.Bytes(), &w), json.Unmarshal(got, &g)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(w, g); diff != "" {
					t.Errorf("(-x +library)\n%s", diff)
				}
			})
		}
	}
}

func TestQuestionErrors(t *testing.T) {
	p := newPlace(t)
	p.write(t, "project/.cargo/config.toml", "a =\n")
	p.write(t, "launched/share/doc/rust/x-build.json", "{")
	for _, tt := range []struct {
		name     string
		options  explain.Options
		question explain.Question
		wrong    bool // the question is, not the machine
		want     string
	}{
		{"release", explain.Options{Release: "one"}, explain.Question{}, true, `parsing release "one"`},
		{"channel", explain.Options{Release: "beta"}, explain.Question{}, true, `looking up channel "beta"`},
		{"host", explain.Options{Host: "x86_64"}, explain.Question{}, true, "nearest names: x86_64-"},
		{"described and asked", explain.Options{Rustc: "rustc", Release: "1.64.0"}, explain.Question{}, false, "--release"},
		{"target", explain.Options{}, explain.Question{Target: "a-b-c"}, true, `looking up target "a-b-c"`},
		{"two targets", explain.Options{}, explain.Question{Target: "a-b-c", Args: []string{"--target", "d-e-f"}}, true, "differ: give one"},
		{"target file", explain.Options{}, explain.Question{Target: "none.json"}, true, "no such file"},
		{"bad target file", explain.Options{Release: "1.85.0"}, explain.Question{Target: "../launched/share/doc/rust/x-build.json"}, true, "reading target file"},
		{"cargo", explain.Options{}, explain.Question{Cargo: true}, true, "reading cargo's configuration"},
		{"rustc", explain.Options{Rustc: "nosuch"}, explain.Question{}, false, `running "nosuch": executable file not found in $PATH`},
		{"sysroot", explain.Options{Sysroot: "nosuch"}, explain.Question{}, false, "opening sysroot"},
		{"record", explain.Options{Sysroot: "../launched"}, explain.Question{}, false, "x-build.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := explain.Link(t.Context(), p.options(tt.options), tt.question)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want …%s…", err, tt.want)
			}
			if _, ok := errors.AsType[*explain.QuestionError](err); ok != tt.wrong {
				t.Errorf("got a QuestionError %v, want %v: %v", ok, tt.wrong, err)
			}
		})
	}
}

func TestBatch(t *testing.T) {
	p := newPlace(t)
	asked, err := explain.Ask(t.Context(), p.options(explain.Options{Release: "1.95.0", Host: "x86_64-unknown-linux-gnu"}))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	in := `{"id": 1, "target": "x86_64-unknown-none"}` + "\n" + `{"id": 2, "target": "x86_64-unknown-linux-gnu", "flags": ["@args"]}`
	if err := asked.Batch(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"id": 1, "exit": 0, "error": null, "linker": "rust-lld", "lld_args": ["-flavor", "gnu"]}
{"id": 2, "exit": 0, "error": null, "linker": "gcc", "lld_args": []}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := asked.Batch(t.Context(), strings.NewReader("{}\n"), &out); err == nil || !strings.Contains(err.Error(), "some lines have no answer") {
		t.Errorf("a question without target: got %v", err)
	}
}

// TestZeroOptions asks about this machine, whatever it is.
func TestZeroOptions(t *testing.T) {
	a, err := explain.Link(t.Context(), explain.Options{}, explain.Question{})
	if err != nil {
		t.Fatal(err)
	}
	if a.TargetName == "" || !a.Decision.Linked || a.Compiler.Release.Channel() != "stable" {
		t.Errorf("got %+v", a)
	}
}
