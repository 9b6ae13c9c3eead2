package installsh

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (m *machine) uninstall(args ...string) result {
	m.t.Helper()
	return m.install(slices.Concat([]string{"--prefix=" + m.root + "/p", "--uninstall"}, args)...)
}

func (m *machine) wantTree(want ...string) {
	m.t.Helper()
	if diff := cmp.Diff(want, m.tree("p")); diff != "" {
		m.t.Errorf("files of p (-want +got):\n%s", diff)
	}
}

func (m *machine) wantResult(got result, code int, out, stderr string) {
	m.t.Helper()
	if diff := cmp.Diff(result{code, out, stderr}, got, cmp.AllowUnexported(result{})); diff != "" {
		m.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (m *machine) wantAbsent(name string) {
	m.t.Helper()
	if _, err := os.Lstat(filepath.Join(m.root, name)); err == nil {
		m.t.Errorf("%s is there", name)
	}
}

const (
	uninstalled   = "\n    Rust is uninstalled.\n\n"
	bothRemoved   = "install: uninstalling component 'rustc'\ninstall: uninstalling component 'cargo'\n" + uninstalled
	nothingThere  = "install: error: unable to find installation manifest at ~/p/lib/rustlib\n"
	noneInstalled = "install: error: none of the selected components is installed at ~/p\n"
	missing       = "install: WARNING: supposedly installed file % does not exist!\n"
)

// sequences are scenarios of more than one run, on a fresh archive of version 1 of
// rustc and cargo.
var sequences = []struct {
	name string
	run  func(m *machine)
}{
	{"uninstall", func(m *machine) {
		m.mustInstall()
		m.write("p/bin/mine", "", 0o644)
		m.wantResult(m.uninstall(), 0, bothRemoved, "")
		m.wantTree("bin/mine")
		m.wantAbsent("p/lib/rustlib")
		m.wantResult(m.uninstall(), 1, "", nothingThere)
	}},
	{"uninstall.sh", func(m *machine) {
		m.mustInstall()
		m.remove("src")
		m.wantMode("p/lib/rustlib/uninstall.sh", 0o755)
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh", "--verbose"), 1, "", "install: error: uninstall.sh does not take any arguments\n")
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
		m.wantAbsent("p/lib/rustlib")
	}},
	{"uninstall.sh from its own directory", func(m *machine) {
		m.mustInstall()
		m.dir = m.root + "/p/lib/rustlib"
		m.wantResult(m.run("uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
	}},
	{"uninstall.sh after the tree was not installed by prefix", func(m *machine) {
		m.mustInstall("--libdir="+m.root+"/l i b", "--bindir="+m.root+"/b")
		m.wantResult(m.run(m.root+"/l i b/rustlib/uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
		for _, name := range []string{"b", "l i b"} {
			if got := m.tree(name); got != nil {
				m.t.Errorf("left in %s: %q", name, got)
			}
		}
	}},
	{"uninstall.sh removes what several archives installed", func(m *machine) {
		m.unpack("1", rustc)
		m.mustInstall()
		m.unpack("1", docs)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/components", "rustc\nrust-docs\n")
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh"), 0,
			"install: uninstalling component 'rustc'\ninstall: uninstalling component 'rust-docs'\n"+uninstalled, "")
		m.wantTree()
	}},
	{"uninstall with destdir", func(m *machine) {
		args := []string{"--destdir=" + m.root + "/d", "--prefix=/usr"}
		m.install(args...)
		m.wantResult(m.install(append(args, "--uninstall")...), 0, bothRemoved, "")
		if got := m.tree("d"); got != nil {
			m.t.Errorf("left: %q", got)
		}
	}},
	{"uninstall one component", func(m *machine) {
		m.mustInstall()
		m.wantResult(m.uninstall("--components=cargo"), 0, "install: uninstalling component 'cargo'\n"+uninstalled, "")
		m.wantTree(rustcFiles...)
		m.wantFile("p/lib/rustlib/components", "rustc\n")
		m.wantAbsent("p/lib/rustlib/manifest-cargo")
		m.wantResult(m.uninstall("--components=cargo"), 1, "", noneInstalled)
		m.wantResult(m.uninstall(), 0, "install: uninstalling component 'rustc'\n"+uninstalled, "")
		m.wantAbsent("p/lib/rustlib")
	}},
	{"uninstall without one component", func(m *machine) {
		m.mustInstall()
		m.wantResult(m.uninstall("--without=cargo"), 0, "install: uninstalling component 'rustc'\n"+uninstalled, "")
		m.wantTree(cargoFiles...)
	}},
	{"uninstall an unknown component", func(m *machine) {
		m.mustInstall()
		m.wantResult(m.uninstall("--components=clippy"), 1, "", "install: error: unknown component: clippy\n")
		m.wantTree(allFiles...)
	}},
	{"uninstall a bulk directory", func(m *machine) {
		m.unpack("1", docs, cargo)
		m.mustInstall()
		m.write("p/share/doc/rust/html/later", "", 0o644)
		m.uninstall("--components=rust-docs")
		m.wantTree(cargoFiles...)
		m.wantAbsent("p/share/doc/rust/html")
	}},
	{"uninstall where files are missing", func(m *machine) {
		m.unpack("1", rustc, docs)
		m.mustInstall()
		m.remove("p/bin/rustc")
		m.remove("p/share/doc/rust/html")
		m.wantResult(m.uninstall(), 0,
			"install: uninstalling component 'rustc'\ninstall: uninstalling component 'rust-docs'\n"+uninstalled,
			option(missing, "~/p/bin/rustc")+option(missing, "~/p/share/doc/rust/html"))
		m.wantTree()
	}},
	{"uninstall removes a symlink and not what it points to", func(m *machine) {
		m.mustInstall("--components=cargo")
		m.write("keep", "", 0o644)
		m.remove("p/bin/cargo")
		m.symlink("../../keep", "p/bin/cargo")
		m.uninstall()
		m.wantAbsent("p/bin/cargo")
		m.wantFile("keep", "")
	}},
	{"uninstall verbose", func(m *machine) {
		m.unpack("1", docs, cargo)
		m.mustInstall()
		m.wantResult(m.uninstall("--verbose"), 0, "install: uninstalling component 'rust-docs'\n"+
			"install: removing directory ~/p/share/doc/rust/html\n"+
			"install: uninstalling component 'cargo'\n"+
			"install: removing file ~/p/bin/cargo\n"+
			"install: removing file ~/p/share/doc/cargo/LICENSE\n"+
			"install: removing directory ~/p/lib/rustlib\n"+uninstalled, "")
	}},
	{"uninstall where a record is missing", func(m *machine) {
		m.mustInstall()
		m.remove("p/lib/rustlib/manifest-rustc")
		m.wantResult(m.uninstall(), 1, "install: uninstalling component 'rustc'\n",
			"install: error: component 'rustc' has no manifest at ~/p/lib/rustlib/manifest-rustc\n")
	}},
	{"uninstall a record with an unknown line", func(m *machine) {
		m.mustInstall("--components=cargo")
		m.write("p/lib/rustlib/manifest-cargo", "link:"+m.root+"/src/version\nfile:"+m.root+"/p/bin/cargo\n", 0o644)
		m.wantResult(m.uninstall(), 0, "install: uninstalling component 'cargo'\n"+uninstalled,
			"install: WARNING: unknown line in manifest of component 'cargo': link:~/src/version\n")
		m.wantTree("share/doc/cargo/LICENSE")
	}},

	{"records", func(m *machine) {
		m.unpack("1", rustc, docs)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/components", "rustc\nrust-docs\n")
		m.wantFile("p/lib/rustlib/rust-installer-version", "3\n")
		m.wantFile("p/lib/rustlib/uninstall.sh", string(m.script()))
		m.wantFile("p/lib/rustlib/manifest-rust-docs", "dir:"+m.root+"/p/share/doc/rust/html\n")
		var lines strings.Builder
		for _, name := range rustcFiles {
			fmt.Fprintf(&lines, "file:%s/p/%s\n", m.root, strings.TrimSuffix(name, "*"))
		}
		m.wantFile("p/lib/rustlib/manifest-rustc", lines.String())
	}},
	{"records with destdir and directories", func(m *machine) {
		m.install("--destdir="+m.root+"/d", "--prefix=/usr", "--bindir=/b", "--components=cargo")
		m.wantFile("d/usr/lib/rustlib/manifest-cargo", "file:"+m.root+"/d/b/cargo\nfile:"+m.root+"/d/usr/share/doc/cargo/LICENSE\n")
	}},
	{"verbose and log", func(m *machine) {
		m.unpack("1", docs, cargo)
		m.write("p/bin/cargo", "", 0o644)
		r := m.mustInstall("--verbose", "--disable-ldconfig")
		steps := "install: creating uninstall script at ~/p/lib/rustlib/uninstall.sh\n" +
			"install: installing component 'rust-docs'\n" +
			"install: creating directory ~/p/share/doc/rust\n" +
			"install: copying dir ~/p/share/doc/rust/html\n" +
			"install: installing component 'cargo'\n" +
			"install: backing up existing file at ~/p/bin/cargo\n" +
			"install: copying file ~/p/bin/cargo\n" +
			"install: creating directory ~/p/share/doc/cargo\n" +
			"install: copying file ~/p/share/doc/cargo/LICENSE\n"
		m.wantResult(r, 0, steps+"\n    Rust is ready to roll.\n\n", "")
		m.wantFile("p/lib/rustlib/install.log", strings.ReplaceAll(steps, "~", m.root))
	}},
	{"the log has the steps without verbose, and starts anew", func(m *machine) {
		m.mustInstall()
		m.mustInstall("--components=cargo")
		log := m.read("p/lib/rustlib/install.log")
		for _, want := range []string{"uninstalling component 'cargo'", "copying file " + m.root + "/p/bin/cargo\n"} {
			if !strings.Contains(log, want) {
				m.t.Errorf("log lacks %q:\n%s", want, log)
			}
		}
		if strings.Contains(log, "rustc'") {
			m.t.Errorf("log has the first run:\n%s", log)
		}
	}},

	{"upgrade", func(m *machine) {
		m.mustInstall()
		m.unpack("2", component{name: "rustc", files: "bin/rustc* lib/new.so"}, cargo)
		m.wantResult(m.mustInstall(), 0, strings.TrimSuffix(bothRemoved, uninstalled)+bothDone, "")
		m.wantTree(sorted([]string{"bin/rustc*", "lib/new.so"}, cargoFiles)...)
		m.wantFile("p/bin/rustc", "rustc bin/rustc 2\n")
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\n")
	}},
	{"upgrade of one component", func(m *machine) {
		m.mustInstall()
		m.unpack("2", rustc, cargo)
		m.mustInstall("--components=rustc")
		m.wantTree(allFiles...)
		m.wantFile("p/bin/rustc", "rustc bin/rustc 2\n")
		m.wantFile("p/bin/cargo", "cargo bin/cargo 1\n")
		m.wantFile("p/lib/rustlib/components", "cargo\nrustc\n")
	}},
	{"empty list of components", func(m *machine) {
		m.write("p/lib/rustlib/components", "", 0o644)
		m.wantResult(m.uninstall(), 1, "", noneInstalled)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\n")
	}},
	{"same again", func(m *machine) {
		m.mustInstall()
		m.mustInstall()
		m.wantTree(allFiles...)
	}},
	{"component added by another archive", func(m *machine) {
		m.mustInstall()
		m.unpack("1", docs)
		m.mustInstall()
		m.wantTree(sorted(allFiles, []string{"share/doc/rust/html/index.html", "share/doc/rust/html/std/a.html", "share/doc/rust/html/std/run*"})...)
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\nrust-docs\n")
	}},
	{"a broken archive leaves the old installation alone", func(m *machine) {
		m.mustInstall()
		m.unpack("2", rustc, cargo)
		m.remove("src/cargo/share")
		m.wantResult(m.install("--prefix="+m.root+"/p"), 1, "",
			"install: error: component 'cargo' lacks a file that its manifest.in names: share/doc/cargo/LICENSE\n")
		m.wantTree(allFiles...)
		m.wantFile("p/bin/rustc", "rustc bin/rustc 1\n")
	}},
	{"upgrade of what rustup installed", func(m *machine) {
		m.write("p/bin/cargo", "old", 0o755)
		m.write("p/bin/gone", "old", 0o755)
		m.write("bin/gone", "another", 0o644) // what the relative path names from here
		m.write("p/lib/rustlib/components", "cargo", 0o644)
		m.write("p/lib/rustlib/manifest-cargo", "file:bin/cargo\nfile:bin/gone\n", 0o644)
		m.write("p/lib/rustlib/rust-installer-version", "3", 0o644)
		m.mustInstall("--components=cargo")
		m.wantTree(cargoFiles...)
		m.wantFile("p/lib/rustlib/components", "cargo\n")
		m.wantFile("bin/gone", "another")
	}},
	{"upgrade of what installer version 2 installed", func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/rust-installer-version", "2\n", 0o644)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/rust-installer-version", "3\n")
	}},
	{"unknown installer version", func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/rust-installer-version", "4\n", 0o644)
		stderr := "The copy of Rust at ~/p was installed using an\nunknown version (4) of rust-installer.\n" +
			"Uninstall it first with the installer used for the original installation\nbefore continuing.\n" +
			"install: error: unknown installer version: 4\n"
		m.wantResult(m.install("--prefix="+m.root+"/p"), 1, "", stderr)
		m.wantResult(m.uninstall(), 1, "", stderr)
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh"), 1, "", stderr)
		m.wantTree(allFiles...)
	}},
	{"legacy installation", func(m *machine) {
		m.write("p/bin/old rust", "", 0o755)
		m.write("p/lib/cargo/extra", "", 0o644)
		m.write("p/lib/cargo/manifest", m.root+"/p/bin/old rust\n"+m.root+"/p/bin/gone\n", 0o644)
		m.wantResult(m.install("--prefix="+m.root+"/p", "--components=cargo"), 0,
			"install: uninstalling old installation at ~/p/lib/cargo\n"+cargoDone, option(missing, "~/p/bin/gone"))
		m.wantTree(cargoFiles...)
		m.wantAbsent("p/lib/cargo")
	}},
	{"legacy installation uninstalled", func(m *machine) {
		m.write("p/bin/old", "", 0o755)
		m.write("p/lib/rustlib/manifest", m.root+"/p/bin/old\n", 0o644)
		m.wantResult(m.uninstall(), 0, "install: uninstalling old installation at ~/p/lib/rustlib\n"+uninstalled, "")
		m.wantTree()
		m.wantAbsent("p/lib/rustlib")
	}},
	{"legacy manifest beside a later installation", func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/manifest", m.root+"/p/bin/old\n", 0o644)
		m.write("p/bin/old", "", 0o755)
		m.mustInstall()
		m.wantTree(allFiles...)
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\n")
	}},

	{"a failed installation can be uninstalled", func(m *machine) {
		m.write("p/share", "a file where a directory should be", 0o644)
		r := m.install("--prefix=" + m.root + "/p")
		if r.code != 1 || !strings.HasSuffix(r.stderr, "install: error: cannot make directory ~/p/share/doc/rust\n") {
			m.t.Errorf("got %+v", r)
		}
		m.write("p/bin/rustc", "half", 0o644)
		if r = m.uninstall(); r.code != 0 {
			m.t.Errorf("got %+v", r)
		}
		m.wantTree("share")
		m.remove("p/share")
		m.mustInstall()
		m.wantTree(allFiles...)
	}},
	{"script called from its directory", func(m *machine) {
		m.dir = m.src
		m.wantResult(m.run("install.sh", "--prefix=../p", "--disable-ldconfig"), 0, bothDone, "")
		m.wantTree(allFiles...)
	}},
	{"script called by odd paths", func(m *machine) {
		for i, name := range []string{"-", "-P", "a b'$c*", "line\nbreak\n"} {
			if err := os.Rename(m.src, filepath.Join(m.root, name)); err != nil {
				m.t.Fatal(err)
			}
			m.src = filepath.Join(m.root, name)
			script := "./" + name + "/install.sh"
			if i == 0 {
				script = "-/install.sh"
				m.env = append(m.env, "OLDPWD=/", "CDPATH=/:/usr")
				m.shell = append(m.shell, "--")
			}
			r := m.run(script, "--prefix=p", "--disable-ldconfig")
			if i == 0 {
				m.shell = m.shell[:len(m.shell)-1]
			}
			if r.code != 0 || r.stderr != "" {
				m.t.Errorf("%q: %+v", name, r)
			}
		}
		m.wantTree(allFiles...)
	}},
	{"CDPATH", func(m *machine) {
		m.write("trap/src/components", "trap\n", 0o644)
		m.env = append(m.env, "CDPATH="+m.root+"/trap")
		m.wantResult(m.run("src/install.sh", "--prefix=p", "--disable-ldconfig"), 0, bothDone, "")
	}},

	{"ldconfig runs", func(m *machine) {
		m.mustInstall()
		m.wantFile("ldconfig.ran", "ran\n")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
		m.uninstall()
		m.wantFile("ldconfig.ran", "ran\n")
	}},
	{"ldconfig is told of /usr/local/lib", func(m *machine) {
		m.mustInstall("--prefix=" + m.root + "/usr/local")
		m.wantFile("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf", m.root+"/usr/local/lib\n")
		m.install("--prefix="+m.root+"/usr/local", "--uninstall", "--components=cargo")
		m.wantFile("ldconfig.ran", "ran\n")
		m.install("--prefix="+m.root+"/usr/local", "--uninstall")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
		m.wantFile("ldconfig.ran", "ran\nran\n")
	}},
	{"uninstall.sh untells ldconfig", func(m *machine) {
		m.mustInstall("--prefix=" + m.root + "/usr/local")
		m.run(m.root + "/usr/local/lib/rustlib/uninstall.sh")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
	}},
	{"disable-ldconfig", func(m *machine) {
		m.mustInstall("--disable-ldconfig", "--prefix="+m.root+"/usr/local")
		m.wantAbsent("ldconfig.ran")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
	}},
	{"no ldconfig with destdir", func(m *machine) {
		m.mustInstall("--destdir="+m.root, "--prefix=/usr/local")
		m.wantAbsent("ldconfig.ran")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
	}},
	{"no ldconfig where /etc is not ours", func(m *machine) {
		m.remove("etc")
		m.mustInstall()
		m.wantAbsent("ldconfig.ran")
	}},
	{"ldconfig fails", func(m *machine) {
		m.env = append(m.env, "LDCONFIG_STATUS=1")
		m.wantResult(m.install("--prefix="+m.root+"/p"), 0, bothDone, "install: WARNING: running ldconfig failed; --verbose shows its message\n")
	}},

	{"help", func(m *machine) {
		r := m.install("--verbose", "--help", "--frobnicate")
		for _, name := range []string{"uninstall", "prefix=", "destdir=", "components=", "without=", "list-components", "bindir=", "libdir=",
			"sysconfdir=", "datadir=", "mandir=", "docdir=", "disable-ldconfig", "disable-verify", "verbose", "help"} {
			if !strings.Contains(r.out, "\n    --"+name) {
				m.t.Errorf("help lacks --%s", name)
			}
		}
		if r.code != 0 || r.stderr != "" || !strings.Contains(r.out, "\nUsage: install.sh [options]\n") {
			m.t.Errorf("got %+v", r)
		}
	}},
}

func TestSequences(t *testing.T) {
	for _, sh := range shells {
		for _, tt := range sequences {
			t.Run(sh.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				m := newMachine(t, sh.argv)
				m.unpack("1", rustc, cargo)
				tt.run(m)
			})
		}
	}
}

// Many files must not mean many processes, nor too long an argument list.
func TestProcessesPerFile(t *testing.T) {
	const files = 900
	var names strings.Builder
	for i := range files {
		fmt.Fprintf(&names, "lib/rustlib/target/%0120d.rlib ", i)
	}
	for _, sh := range shells[:2] { // busybox runs its own cp
		t.Run(sh.name, func(t *testing.T) {
			m := newMachine(t, sh.argv)
			m.unpack("1", component{name: "rust-std", files: names.String()})
			for _, tool := range []string{"cat", "chmod", "cp", "mkdir", "mv", "rm"} {
				m.write("stubs/"+tool, "#!/bin/sh\necho "+tool+" $# >>'"+m.root+"/processes'\nexec /bin/"+tool+` "$@"`+"\n", 0o755)
			}
			m.mustInstall("--disable-ldconfig")
			installing := strings.Count(m.read("processes"), "\n")
			m.wantResult(m.uninstall(), 0, "install: uninstalling component 'rust-std'\n"+uninstalled, "")
			removing := strings.Count(m.read("processes"), "\n") - installing
			m.wantTree()
			if installing > files/20 || removing > files/50 {
				t.Errorf("%d files took %d processes to install and %d to remove:\n%s", files, installing, removing, m.read("processes"))
			}
			t.Logf("%d files: %d processes to install, %d to remove", files, installing, removing)
		})
	}
}
