package installsh

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

// scenario is one run of install.sh on a fresh archive of rustc and cargo, "~" being
// the scratch directory. Its --prefix is ~/p unless args name another.
type scenario struct {
	name   string
	setup  func(m *machine)
	args   []string
	code   int
	out    string // exact, unless ""
	stderr string // exact
	where  string // directory to look at, default p
	want   []string
	check  func(m *machine)
	every  bool // in every shell: the shells may differ
}

var (
	rustcFiles = []string{
		"bin/rustc*", "etc/rustc.conf", "lib/librustc_driver.so", "libexec/helper*",
		"share/doc/rust/README.md", "share/man/man1/rustc.1", "top.txt",
	}
	cargoFiles = []string{"bin/cargo*", "share/doc/cargo/LICENSE"}
	allFiles   = sorted(rustcFiles, cargoFiles)
)

func sorted(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(walkOrder(a), walkOrder(b)) })
	return all
}

// walkOrder maps a name to a key that sorts as filepath.WalkDir visits.
func walkOrder(s string) string { return strings.ReplaceAll(s, "/", "\x00") }

const (
	helpless    = "install: error: Option '%' is not recognized\n"
	valueless   = "install: error: Option '%' needs a value: %=VALUE\n"
	listing     = "\n# Available components\n\n* rustc\n* cargo\n\n"
	noSelection = "install: error: no components selected for installation\n"
	created     = "install: creating uninstall script at ~/p/lib/rustlib/uninstall.sh\n"
	bothDone    = created + "install: installing component 'rustc'\ninstall: installing component 'cargo'\n\n    Rust is ready to roll.\n\n"
	cargoDone   = created + "install: installing component 'cargo'\n\n    Rust is ready to roll.\n\n"
	rustcDone   = created + "install: installing component 'rustc'\n\n    Rust is ready to roll.\n\n"
)

func option(message, name string) string { return strings.ReplaceAll(message, "%", name) }

var installScenarios = []scenario{
	{name: "everything", every: true, out: bothDone, want: allFiles},
	{name: "prefix with slashes at its end", args: []string{"--prefix=~/p//"}, out: bothDone, want: allFiles},
	{name: "relative prefix", args: []string{"--prefix=p"}, out: bothDone, want: allFiles},
	{name: "relative prefix in a directory", args: []string{"--prefix=./p"}, want: allFiles},
	{name: "prefix with an equals sign", args: []string{"--prefix=~/p=q"}, where: "p=q", want: allFiles},
	{name: "prefix with shell characters", every: true, args: []string{"--prefix=~/a b'c\"d$e`f*[g]\\n;&|"}, where: "a b'c\"d$e`f*[g]\\n;&|", want: allFiles},
	{name: "prefix that is not UTF-8", every: true, args: []string{"--prefix=~/\xff\xfe"}, where: "\xff\xfe", want: allFiles},
	{name: "prefix with a line break", args: []string{"--prefix=~/a\nb"}, code: 1,
		stderr: "install: error: Option '--prefix' has a line break in its value\n"},
	{name: "missing parents of the prefix", args: []string{"--prefix=~/a/b/c"}, where: "a/b/c", want: allFiles},
	{name: "prefix through a symlink", args: []string{"--prefix=~/link"}, want: allFiles,
		setup: func(m *machine) { m.write("p/.keep", "", 0o644); m.remove("p/.keep"); m.symlink("p", "link") }},

	{name: "unknown option", args: []string{"--frobnicate"}, code: 1, stderr: option(helpless, "--frobnicate")},
	{name: "unknown option with a value", args: []string{"--frob=x y"}, code: 1, stderr: option(helpless, "--frob=x y")},
	{name: "argument that is no option", args: []string{"rustc"}, code: 1, stderr: option(helpless, "rustc")},
	{name: "empty argument", args: []string{""}, code: 1, stderr: option(helpless, "")},
	{name: "prefix without a value", args: []string{"--prefix", "~/p"}, code: 1, stderr: option(valueless, "--prefix")},
	{name: "prefix with an empty value", args: []string{"--prefix="}, code: 1, stderr: option(valueless, "--prefix")},
	{name: "libdir with an empty value", args: []string{"--libdir="}, code: 1, stderr: option(valueless, "--libdir")},
	{name: "components without a value", args: []string{"--components"}, code: 1, stderr: option(valueless, "--components")},
	{name: "disable-verify", args: []string{"--disable-verify"}, out: bothDone, want: allFiles},

	{name: "list-components", args: []string{"--list-components"}, out: listing},
	{name: "list-components wins over a selection", args: []string{"--list-components", "--components=cargo"}, out: listing},
	{name: "one component", args: []string{"--components=cargo"}, out: cargoDone, want: cargoFiles},
	{name: "two components, in the archive's order", args: []string{"--components=cargo,rustc"}, out: bothDone, want: allFiles},
	{name: "a component twice", every: true, args: []string{"--components=cargo,cargo,"}, out: cargoDone, want: cargoFiles},
	{name: "unknown component", args: []string{"--components=rustc,clippy,miri"}, code: 1, stderr: "install: error: unknown component: clippy\n"},
	{name: "pattern is no component", args: []string{"--components=car*"}, code: 1, stderr: "install: error: unknown component: car*\n"},
	{name: "part of a name is no component", args: []string{"--components=carg"}, code: 1, stderr: "install: error: unknown component: carg\n"},
	{name: "empty components", args: []string{"--components="}, out: bothDone, want: allFiles},
	{name: "without one", args: []string{"--without=rustc"}, out: cargoDone, want: cargoFiles},
	{name: "without an unknown one", args: []string{"--without=rustc,rust-doc"}, code: 1, stderr: "install: error: unknown component: rust-doc\n"},
	{name: "without none", args: []string{"--without="}, out: bothDone, want: allFiles},
	{name: "without all", args: []string{"--without=rustc,cargo"}, code: 1, stderr: noSelection},
	{name: "components and without", args: []string{"--components=rustc,cargo", "--without=cargo"}, out: rustcDone, want: rustcFiles},
	{name: "components and without leave none", args: []string{"--components=cargo", "--without=cargo"}, code: 1, stderr: noSelection},
	{name: "no components selected for uninstalling", args: []string{"--uninstall", "--without=rustc,cargo"}, code: 1,
		stderr: "install: error: no components selected for uninstallation\n"},

	{name: "bindir", args: []string{"--bindir=~/x"}, where: "x", want: []string{"cargo*", "rustc*"}},
	{name: "libdir", args: []string{"--libdir=~/x"}, where: "x", want: []string{"librustc_driver.so"},
		check: func(m *machine) { m.read("x/rustlib/components") }},
	{name: "sysconfdir", args: []string{"--sysconfdir=~/x"}, where: "x", want: []string{"rustc.conf"}},
	{name: "datadir", args: []string{"--datadir=~/x"}, where: "x",
		want: []string{"doc/cargo/LICENSE", "doc/rust/README.md", "man/man1/rustc.1"}},
	{name: "mandir", args: []string{"--mandir=~/x"}, where: "x", want: []string{"man1/rustc.1"}},
	{name: "mandir and datadir", args: []string{"--datadir=~/x", "--mandir=~/y"}, where: "x",
		want: []string{"doc/cargo/LICENSE", "doc/rust/README.md"}},
	{name: "docdir", args: []string{"--docdir=~/x"}, where: "x", want: []string{"LICENSE", "README.md"}},
	{name: "docdir for a bulk directory", args: []string{"--docdir=~/x"}, where: "x",
		setup: func(m *machine) { m.unpack("1", docs) },
		want:  []string{"html/index.html", "html/std/a.html", "html/std/run*"}},
	{name: "relative directory", args: []string{"--bindir=x"}, where: "x", want: []string{"cargo*", "rustc*"}},
	{name: "directories with blanks", args: []string{"--prefix=~/p p", "--bindir=~/p p/b b"}, where: "p p/b b", want: []string{"cargo*", "rustc*"}},

	{name: "destdir", args: []string{"--destdir=~/d", "--prefix=/usr"}, where: "d/usr", want: allFiles},
	{name: "destdir and the default prefix", args: []string{"--destdir=~/d"}, where: "d/usr/local", want: allFiles},
	{name: "destdir and root as prefix", args: []string{"--destdir=~/d", "--prefix=/"}, where: "d", want: allFiles},
	{name: "destdir and relative prefix", args: []string{"--destdir=~/d", "--prefix=usr"}, where: "d/usr", want: allFiles},
	{name: "relative destdir", args: []string{"--destdir=d d", "--prefix=/usr"}, where: "d d/usr", want: allFiles},
	{name: "empty destdir", args: []string{"--destdir="}, out: bothDone, want: allFiles},
	{name: "destdir holds explicit directories", where: "d",
		args: []string{"--destdir=~/d", "--prefix=/usr", "--bindir=/b", "--libdir=/l", "--sysconfdir=/e", "--datadir=/s", "--mandir=/m", "--docdir=doc"},
		want: []string{"b/cargo*", "b/rustc*", "doc/LICENSE", "doc/README.md", "e/rustc.conf", "l/librustc_driver.so", "m/man1/rustc.1", "usr/libexec/helper*", "usr/top.txt"}},
	{name: "destdir already in a directory", args: []string{"--destdir=~/d", "--prefix=/usr", "--sysconfdir=~/d/etc"}, where: "d/etc", want: []string{"rustc.conf"}},
	{name: "prefix leaving the destdir", args: []string{"--destdir=~/d", "--prefix=/../p"}, code: 1,
		stderr: "install: error: Option '--prefix' leaves --destdir by '..': /../p\n"},
	{name: "directory leaving the destdir", args: []string{"--destdir=~/d", "--prefix=/usr", "--bindir=~/d/.."}, code: 1,
		stderr: "install: error: Option '--bindir' leaves --destdir by '..': ~/d/..\n"},

	{name: "nothing installed", args: []string{"--uninstall"}, code: 1,
		stderr: "install: error: unable to find installation manifest at ~/p/lib/rustlib\n"},
	{name: "into the archive itself", args: []string{"--prefix=~/src"}, code: 1, where: "src/lib",
		stderr: "install: error: cannot install to same directory as installer\n"},
	{name: "into the archive itself by a symlink", args: []string{"--prefix=~/link"}, code: 1, where: "src/lib",
		setup:  func(m *machine) { m.symlink("src", "link") },
		stderr: "install: error: cannot install to same directory as installer\n"},

	{name: "existing files are kept", want: sorted(allFiles, []string{"bin/rustc.old", "top.txt.old"}),
		setup: func(m *machine) { m.write("p/bin/rustc", "mine", 0o644); m.write("p/top.txt", "", 0o644) },
		out: created + "install: installing component 'rustc'\ninstall: backing up existing file at ~/p/bin/rustc\ninstall: backing up existing file at ~/p/top.txt\n" +
			strings.TrimPrefix(cargoDone, created),
		check: func(m *machine) {
			m.wantFile("p/bin/rustc.old", "mine")
			m.wantFile("p/bin/rustc", "rustc bin/rustc 1\n")
		}},
	{name: "existing backups are kept", every: true, want: sorted(cargoFiles, []string{"bin/cargo.old", "bin/cargo.old.1", "bin/cargo.old.2"}),
		args: []string{"--components=cargo"},
		setup: func(m *machine) {
			m.write("p/bin/cargo", "c", 0o644)
			m.write("p/bin/cargo.old", "a", 0o644)
			m.write("p/bin/cargo.old.1", "b", 0o644)
		},
		check: func(m *machine) { m.wantFile("p/bin/cargo.old", "a"); m.wantFile("p/bin/cargo.old.2", "c") }},
	{name: "existing directory in a file's place", args: []string{"--components=cargo"}, want: sorted(cargoFiles, []string{"bin/cargo.old/x"}),
		setup: func(m *machine) { m.write("p/bin/cargo/x", "", 0o644) }},
	{name: "dangling symlink in a file's place", args: []string{"--components=cargo"},
		setup: func(m *machine) { m.write("p/bin/x", "", 0o644); m.symlink("/nowhere", "p/bin/cargo") },
		want:  sorted(cargoFiles, []string{"bin/cargo.old Lrwxrwxrwx", "bin/x"})},
	// rust-installer stops at the dangling one, half-way; of others it copies what they lead to.
	{name: "dangling symlink in the archive", code: 1, args: []string{"--components=cargo"},
		setup:  func(m *machine) { m.remove("src/cargo/bin/cargo"); m.symlink("/nowhere", "src/cargo/bin/cargo") },
		stderr: "install: error: component 'cargo' lacks a file that its manifest.in names: bin/cargo\n"},
	{name: "symlink in the archive", args: []string{"--components=cargo"}, want: cargoFiles,
		setup: func(m *machine) {
			m.remove("src/cargo/bin/cargo")
			m.write("src/cargo/other", "", 0o755)
			m.symlink("../other", "src/cargo/bin/cargo")
		}},
	{name: "existing bulk directory", want: []string{"share/doc/rust/html/index.html", "share/doc/rust/html/std/a.html", "share/doc/rust/html/std/run*", "share/doc/rust/html.old/mine"},
		setup: func(m *machine) { m.unpack("1", docs); m.write("p/share/doc/rust/html/mine", "", 0o644) }},
	{name: "documentation of two components in one docdir", args: []string{"--docdir=~/x"}, where: "x", want: []string{"README", "README.old"},
		setup: func(m *machine) {
			m.unpack("1", component{name: "a", files: "share/doc/a/README"}, component{name: "b", files: "share/doc/b/README"})
		}},

	{name: "bin is executable even if the archive is not", args: []string{"--components=cargo"}, want: cargoFiles,
		setup: func(m *machine) { m.write("src/cargo/bin/cargo", "", 0o644) }},
	{name: "modes of an archive unpacked with a strict umask", want: allFiles, setup: func(m *machine) {
		m.write("src/rustc/bin/rustc", "", 0o700)
		m.write("src/rustc/libexec/helper", "", 0o700)
		m.write("src/rustc/top.txt", "", 0o600)
	}},
	{name: "modes of an archive unpacked with a lax umask", want: allFiles, setup: func(m *machine) {
		m.write("src/rustc/libexec/helper", "", 0o777)
		m.write("src/rustc/top.txt", "", 0o666)
	}},
	{name: "modes in a bulk directory", setup: func(m *machine) {
		m.unpack("1", docs)
		m.write("src/rust-docs/share/doc/rust/html/index.html", "", 0o666)
		m.write("src/rust-docs/share/doc/rust/html/std/run", "", 0o700)
	}, want: []string{"share/doc/rust/html/index.html", "share/doc/rust/html/std/a.html", "share/doc/rust/html/std/run*"}},
	{name: "odd names in the archive", every: true, setup: func(m *machine) {
		m.unpack("1", component{name: "odd", files: "-n -rf/-i bin/a:b* lib/back\\slash share/$x`y`'z' share/[a]*? top/\xff"})
	}, want: []string{"-n", "-rf/-i", "bin/a:b*", "lib/back\\slash", "share/$x`y`'z'", "share/[a]*?", "top/\xff"}},
	{name: "names with blanks in the archive", every: true, want: []string{" a b /  c "}, setup: func(m *machine) {
		m.write("src/rustc/ a b /  c ", "", 0o644)
		m.write("src/rustc/manifest.in", "file: a b /  c \n", 0o644)
		m.write("src/components", "rustc\n", 0o644)
	}},
	{name: "records without a line break at the end", args: []string{"--components=cargo"}, want: cargoFiles, setup: func(m *machine) {
		m.write("src/cargo/manifest.in", "file:bin/cargo\nfile:share/doc/cargo/LICENSE", 0o644)
		m.write("src/components", "rustc\ncargo", 0o644)
	}},

	{name: "no components file", code: 1, setup: func(m *machine) { m.remove("src/components") },
		stderr: "install: error: unable to find installation components: ~/src has no file 'components'\n"},
	{name: "no manifest.in", code: 1, setup: func(m *machine) { m.remove("src/cargo/manifest.in") },
		stderr: "install: error: component 'cargo' has no manifest.in in this archive\n"},
	{name: "file missing in the archive", code: 1, setup: func(m *machine) { m.remove("src/cargo/bin/cargo") },
		stderr: "install: error: component 'cargo' lacks a file that its manifest.in names: bin/cargo\n"},
	{name: "directory missing in the archive", code: 1, setup: func(m *machine) { m.unpack("1", docs); m.remove("src/rust-docs/share") },
		stderr: "install: error: component 'rust-docs' lacks a directory that its manifest.in names: share/doc/rust/html\n"},
	badLine("file:../x", "unsafe"), badLine("file:a/../../x", "unsafe"), badLine("dir:..", "unsafe"), badLine("file:a/..", "unsafe"),
	badLine("file:/etc/passwd", "unsafe"), badLine("dir:/", "unsafe"), badLine("file:", "unsafe"), badLine("dir:", "unsafe"),
	badLine("link:x", "unknown"), badLine("bin/cargo", "unknown"),

	{name: "prefix below a file", args: []string{"--prefix=~/f/p"}, code: 1, setup: func(m *machine) { m.write("f", "", 0o644) },
		stderr: "install: error: a file is in the way of directory ~/f/p/lib/rustlib: ~/f\n"},
	{name: "umask of the caller", every: true, setup: func(m *machine) { m.shell = slices.Concat([]string{"sh", "-c", `umask 077; exec "$@"`, "sh"}, m.shell) },
		want: allFiles, check: func(m *machine) { m.wantMode("p/bin", 0o755); m.wantMode("p/lib/rustlib/components", 0o644) }},
}

func badLine(line, kind string) scenario {
	return scenario{
		name: "manifest.in with " + line, code: 1,
		setup:  func(m *machine) { m.write("src/cargo/manifest.in", line+"\n", 0o644) },
		stderr: "install: error: component 'cargo' has an " + kind + " line in its manifest.in: " + line + "\n",
	}
}

func TestInstall(t *testing.T) {
	for i, tt := range installScenarios {
		for _, sh := range shellsOf(i, tt.every) {
			t.Run(sh.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				m := newMachine(t, sh.argv)
				m.unpack("1", rustc, cargo)
				if tt.setup != nil {
					tt.setup(m)
				}
				args := []string{"--prefix=" + m.root + "/p", "--disable-ldconfig"}
				for _, arg := range tt.args {
					args = append(args, strings.ReplaceAll(arg, "~", m.root))
				}
				if slices.ContainsFunc(tt.args, func(s string) bool { return strings.HasPrefix(s, "--destdir=~") }) {
					args = args[1:] // the default prefix counts
				}
				r := m.install(args...)
				if r.code != tt.code {
					t.Errorf("exit status: got %d, want %d", r.code, tt.code)
				}
				if diff := cmp.Diff(tt.stderr, ownMessages(r.stderr)); diff != "" {
					t.Errorf("stderr (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.out, r.out); tt.out != "" && diff != "" {
					t.Errorf("stdout (-want +got):\n%s", diff)
				}
				where := tt.where
				if where == "" {
					where = "p"
				}
				if diff := cmp.Diff(tt.want, m.tree(where)); diff != "" {
					t.Errorf("files of %s (-want +got):\n%s", where, diff)
				}
				if tt.check != nil {
					tt.check(m)
				}
			})
		}
	}
}

func (m *machine) symlink(to, name string) {
	m.t.Helper()
	if err := os.Symlink(to, filepath.Join(m.root, name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) wantFile(name, want string) {
	m.t.Helper()
	if diff := cmp.Diff(want, m.read(name)); diff != "" {
		m.t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func (m *machine) wantMode(name string, want fs.FileMode) {
	m.t.Helper()
	info, err := os.Stat(filepath.Join(m.root, name))
	if err != nil {
		m.t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		m.t.Errorf("mode of %s: got %v, want %v", name, got, want)
	}
}

// ownMessages leaves out what mkdir says, which is another text on each system.
func ownMessages(s string) string {
	var own strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "mkdir:") {
			own.WriteString(line)
		}
	}
	return own.String()
}

func TestMissingProgram(t *testing.T) {
	for _, name := range []string{"dash", "bash"} { // busybox has the programs within
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, []string{testenv.Need(t, name)})
			m.unpack("1", cargo)
			m.env = []string{"PATH=" + m.root + "/empty"}
			r := m.install("--prefix=" + m.root + "/p")
			if diff := cmp.Diff(result{code: 1, stderr: "install: error: need program 'cat'\n"}, r, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
