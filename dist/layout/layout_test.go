package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"x.go/dist"
	"x.go/targets"
	"x.go/tests/testenv"
)

const host = "x86_64-unknown-linux-gnu"

// factsOf are those of a toolchain for a host.
func factsOf(t *testing.T, host string) Facts {
	t.Helper()
	triple, err := targets.ParseTriple(host)
	testenv.Must(t, err)
	return Facts{Host: triple, Release: "1.95.0"}
}

// readLines reads a file of testdata without its comments.
func readLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	testenv.Must(t, err)
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// component has files with their names as content.
func component(t *testing.T, name string, files ...string) dist.Component {
	t.Helper()
	c := dist.Component{Name: name}
	for _, file := range files {
		file, content, ok := strings.Cut(file, "=")
		if !ok {
			content = file
		}
		testenv.Must(t, c.Image.AddBytes(file, []byte(content), dist.ModeFile))
	}
	return c
}

// upstream is the toolchain as rustup installs it, with components that it has not by
// default.
func upstream(t *testing.T) []dist.Component {
	t.Helper()
	files := readLines(t, "upstream-1.95.files")
	const wasm = "lib/rustlib/wasm32-unknown-unknown/lib/"
	return []dist.Component{
		component(t, "rust", files...),
		component(t, "rust-analyzer", "bin/rust-analyzer", "share/doc/rust-analyzer/README.md"),
		component(t, "rust-src", "lib/rustlib/src/rust/library/core/src/lib.rs"),
		component(t, "rust-std-wasm32-unknown-unknown", wasm+"libcore-0123456789abcdef.rlib", wasm+"libcore-0123456789abcdef.rmeta"),
		component(t, "llvm-tools-preview", "lib/rustlib/"+host+"/bin/llvm-cov", "lib/rustlib/"+host+"/bin/llvm-profdata"),
		{Name: "rust-docs", Image: component(t, "", "share/doc/rust/html/index/a.html", "share/doc/rust/html/cargo/index.html").Image},
	}
}

var digest = regexp.MustCompile(`-[0-9a-f]{16}\.`)

// place is a file of a package: "rustc /usr/bin/rustc", with the target of a link.
func places(s Staged) []string {
	var out []string
	for _, p := range s.Packages {
		for e := range p.Image.Entries() {
			text := p.Name + " /" + digest.ReplaceAllString(e.Name, "-*.")
			if e.Mode == dist.ModeSymlink {
				text += " -> " + e.Link
			}
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// explained are the differences between a layout and what the distribution's packaging
// does, each with its reason: expressions for files that only one side has.
var explained = map[string]struct{ more, absent map[string]string }{
	"alpine": {
		more: map[string]string{
			`^rust /usr/bin/rust-analyzer$`:      "built from a package of its own",
			`^rust /usr/lib/libLLVM`:             "Alpine links with the system's",
			`^rust .*/lib/librustc-stable_rt`:    "Alpine builds without sanitizers",
			`^rust .*/bin/wasm-component-ld$`:    "a package of its own",
			`^rust .*/bin/(gcc-ld/|rust-).* -> `: "Alpine builds without LLD, and its rustc does not run llvm-objcopy by this name",
		},
	},
	"arch": {
		more: map[string]string{
			`^rust .*/bin/llvm-`:                  "component llvm-tools, which Arch does not build",
			`^rust .*/bin/wasm-component-ld$`:     "a package of its own",
			`^rust /usr/share/doc/rust/licenses/`: "newer than the PKGBUILD",
			`^rust-docs `:                         "Arch builds without documentation",
		},
	},
	"debian": {
		more: map[string]string{
			`^libstd-rust-web-1.96 .*/libLLVM`:               "Debian links with the system's",
			`^libstd-rust-web-dev .*/lib/librustc-stable_rt`: "Debian builds without sanitizers",
			`^libstd-rust-web-dev-wasm32 `:                   "no package in Debian 12",
			`^rust-web-doc `:                                 "left out of the facts",
			`^rust-web-src `:                                 "Debian's rust-src has all sources, which are left out of the facts",
			`^rust-web-llvm .*/gcc-ld/`:                      "the names that rustc and gcc look for; Debian's are those of 2021",
			`^rust-web-llvm .*/bin/rust-lld -> \.\./\.\./`:   "where rustc looks for it first",
		},
		absent: map[string]string{
			`^rust-web-llvm .*/gcc-ld/(ld|ld64) -> `: "gcc with -fuse-ld=lld does not find these names",
			`^cargo-web /usr/share/cargo/`:           "from debian/, not from the toolchain",
			`^rustc-web /usr/share/rustc/`:           "from debian/, not from the toolchain",
		},
	},
	"fedora": {
		more: map[string]string{
			`^rust .*/bin/(gcc-ld/|rust-).* -> `:         "Fedora builds without LLD, and its rustc does not run llvm-objcopy by this name",
			`^rust .*/bin/llvm-`:                         "component llvm-tools, which Fedora does not build",
			`^rust .*/bin/wasm-component-ld$`:            "newer than the spec",
			`^rust /usr/lib64/libLLVM`:                   "Fedora links with the system's",
			`^rust /usr/share/licenses/rust/`:            "newer than the spec, which copies the licences of the sources",
			`^rust-analyzer /usr/share/doc/`:             "as %doc of the sources",
			`^rust-std-static .*/lib/librustc-stable_rt`: "Fedora builds without sanitizers",
			`^rust-std-static[^ ]* .*/lib/lib.*\.rmeta$`: "newer than the spec",
		},
		absent: map[string]string{
			`^rust /usr/share/licenses/rust/LICENSE-`: "the archives of 1.95 have licenses/ instead",
		},
	},
	"void": {
		more: map[string]string{
			`^rust /usr/bin/rust-analyzer$|rust-analyzer-proc-macro-srv$`: "Void does not build it",
			`^rust /usr/lib/libLLVM`:       "Void links with the system's",
			`^rust-std-wasm32-[^ ]* /usr/`: "packages of their own, one for each target",
		},
	},
}

// TestFacts compares the packages of each layout, file by file, with what the
// distribution's packaging says.
func TestFacts(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			l, err := Named(name)
			testenv.Must(t, err)
			if name == "debian" { // the facts are those of packages with a suffix
				testenv.Must(t, l.Set("suffix=-web"))
				testenv.Must(t, l.Set("llvm=22"))
			}
			f := factsOf(t, host)
			if name == "debian" {
				f.Release = "1.96.0"
			}
			s, err := l.Apply(t.Context(), f, upstream(t))
			testenv.Must(t, err)
			got, want := places(s), readLines(t, name+".facts")
			unused := map[string]bool{}
			only := func(what string, lines, others []string, reasons map[string]string, match func(line, other string) bool) {
				for expr := range reasons {
					unused[expr] = true
				}
				for _, line := range lines {
					if slices.ContainsFunc(others, func(other string) bool { return match(line, other) }) {
						continue
					}
					found := false
					for expr := range reasons {
						if regexp.MustCompile(expr).MatchString(line) {
							found = true
							delete(unused, expr)
						}
					}
					if !found {
						t.Errorf("%s: %s", what, line)
					}
				}
			}
			fits := func(glob, place string) bool {
				ok, err := doublestar.Match(glob, place)
				testenv.Must(t, err)
				return ok || glob == place
			}
			only("only the layout has", got, want, explained[name].more, func(line, other string) bool { return fits(other, line) })
			only("only the distribution has", want, got, explained[name].absent, func(line, other string) bool { return fits(line, other) })
			for expr := range unused {
				t.Errorf("the reason for %q explains nothing", expr)
			}
		})
	}
}
