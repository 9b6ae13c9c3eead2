package installsh

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// later writes a file that is newer than anything installed so far.
func (m *machine) later(name, body string) {
	m.t.Helper()
	m.write(name, body, 0o644)
	soon := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(m.root, name), soon, soon); err != nil {
		m.t.Fatal(err)
	}
}

func backups(names []string) string {
	var lines strings.Builder
	for _, name := range names {
		lines.WriteString("install: backing up existing file at ~/p/" + strings.TrimSuffix(name, "*") + "\n")
	}
	return lines.String()
}

const (
	uninstalled   = "\n    Rust is uninstalled.\n\n"
	bothRemoved   = "install: uninstalling component 'rustc'\ninstall: uninstalling component 'cargo'\n" + uninstalled
	nothingThere  = "install: error: unable to find installation manifest at ~/p/lib/rustlib\n"
	others        = "install: WARNING: directory % holds files of no component; they stay\n"
	legacyRemoved = "install: removing legacy manifest ~/p/lib/cargo/manifest\ninstall: removing legacy manifest dir ~/p/lib/cargo\n"
	missing       = "install: WARNING: supposedly installed file % does not exist!\n"
)

type sequence struct {
	name  string
	run   func(m *machine)
	every bool // in every shell: the shells may differ
}

// sequences are scenarios of more than one run, on a fresh archive of version 1 of
// rustc and cargo.
var sequences = []sequence{
	{name: "uninstall", run: func(m *machine) {
		m.mustInstall()
		m.write("p/bin/mine", "", 0o644)
		m.wantResult(m.uninstall(), 0, bothRemoved, "")
		m.wantTree("bin/mine")
		m.wantAbsent("p/lib/rustlib")
		m.wantResult(m.uninstall(), 1, "", nothingThere)
	}},
	{name: "uninstall.sh", run: func(m *machine) {
		m.mustInstall()
		m.remove("src")
		m.wantMode("p/lib/rustlib/uninstall.sh", 0o755)
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh", "--verbose"), 1, "", "install: error: uninstall.sh does not take any arguments\n")
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
		m.wantAbsent("p/lib/rustlib")
	}},
	{name: "uninstall.sh from its own directory", run: func(m *machine) {
		m.mustInstall()
		m.dir = m.root + "/p/lib/rustlib"
		m.wantResult(m.run("uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
	}},
	{name: "uninstall.sh after the tree was not installed by prefix", run: func(m *machine) {
		m.mustInstall("--libdir="+m.root+"/l i b", "--bindir="+m.root+"/b")
		m.wantResult(m.run(m.root+"/l i b/rustlib/uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
		for _, name := range []string{"b", "l i b"} {
			if got := m.tree(name); got != nil {
				m.t.Errorf("left in %s: %q", name, got)
			}
		}
	}},
	{name: "uninstall.sh removes what several archives installed", run: func(m *machine) {
		m.unpack("1", rustc)
		m.mustInstall()
		m.unpack("1", docs)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/components", "rustc\nrust-docs\n")
		m.wantResult(m.run(m.root+"/p/lib/rustlib/uninstall.sh"), 0,
			"install: uninstalling component 'rustc'\ninstall: uninstalling component 'rust-docs'\n"+uninstalled, "")
		m.wantTree()
	}},
	{name: "uninstall with destdir", run: func(m *machine) {
		args := []string{"--destdir=" + m.root + "/d", "--prefix=/usr"}
		m.install(args...)
		m.wantResult(m.install(append(args, "--uninstall")...), 0, bothRemoved, "")
		if got := m.tree("d"); got != nil {
			m.t.Errorf("left: %q", got)
		}
	}},
	{name: "uninstall one component", run: func(m *machine) {
		m.mustInstall()
		m.wantResult(m.uninstall("--components=cargo"), 0, "install: uninstalling component 'cargo'\n"+uninstalled, "")
		m.wantTree(rustcFiles...)
		m.wantFile("p/lib/rustlib/components", "rustc\n")
		m.wantAbsent("p/lib/rustlib/manifest-cargo")
		m.wantResult(m.uninstall("--components=cargo"), 0, uninstalled, "")
		m.wantTree(rustcFiles...)
		m.wantResult(m.uninstall(), 0, "install: uninstalling component 'rustc'\n"+uninstalled, "")
		m.wantAbsent("p/lib/rustlib")
	}},
	{name: "uninstall without one component", run: func(m *machine) {
		m.mustInstall()
		m.wantResult(m.uninstall("--without=cargo"), 0, "install: uninstalling component 'rustc'\n"+uninstalled, "")
		m.wantTree(cargoFiles...)
	}},
	{name: "uninstall an unknown component", run: func(m *machine) {
		m.mustInstall()
		m.wantResult(m.uninstall("--components=clippy"), 1, "", "install: error: unknown component: clippy\n")
		m.wantTree(allFiles...)
	}},
	{name: "uninstall a bulk directory", run: func(m *machine) {
		m.unpack("1", docs, cargo)
		m.mustInstall()
		m.later("p/share/doc/rust/html/later", "mine")
		m.wantResult(m.uninstall("--components=rust-docs"), 0, "install: uninstalling component 'rust-docs'\n"+uninstalled,
			"install: WARNING: directory ~/p/share/doc/rust/html holds files that are newer than the installation; they stay\n")
		m.wantTree(sorted(cargoFiles, []string{"share/doc/rust/html/later"})...)
	}},
	{name: "uninstall where files are missing", run: func(m *machine) {
		m.unpack("1", rustc, docs)
		m.mustInstall()
		m.remove("p/bin/rustc")
		m.remove("p/share/doc/rust/html")
		m.wantResult(m.uninstall(), 0,
			"install: uninstalling component 'rustc'\ninstall: uninstalling component 'rust-docs'\n"+uninstalled,
			option(missing, "~/p/bin/rustc")+option(missing, "~/p/share/doc/rust/html"))
		m.wantTree()
	}},
	{name: "uninstall removes a symlink and not what it points to", run: func(m *machine) {
		m.mustInstall("--components=cargo")
		m.write("keep", "", 0o644)
		m.remove("p/bin/cargo")
		m.symlink("../../keep", "p/bin/cargo")
		m.uninstall()
		m.wantAbsent("p/bin/cargo")
		m.wantFile("keep", "")
	}},
	{name: "uninstall verbose", run: func(m *machine) {
		m.unpack("1", docs, cargo)
		m.mustInstall()
		m.wantResult(m.uninstall("--verbose"), 0, "install: uninstalling component 'rust-docs'\n"+
			"install: removing directory ~/p/share/doc/rust/html\n"+
			"install: uninstalling component 'cargo'\n"+
			"install: removing file ~/p/bin/cargo\n"+
			"install: removing file ~/p/share/doc/cargo/LICENSE\n"+
			"install: removing directory ~/p/lib/rustlib\n"+uninstalled, "")
		m.wantAbsent("p/lib/rustlib")
	}},
	{name: "uninstall where a record is missing", run: func(m *machine) {
		m.mustInstall()
		m.remove("p/lib/rustlib/manifest-rustc")
		m.wantResult(m.uninstall(), 1, "",
			"install: error: installed component 'rustc' has no manifest; install it again, then uninstall it\n")
		m.wantTree(allFiles...)
		m.wantResult(m.install("--prefix="+m.root+"/p", "--components=rustc"), 0,
			"install: uninstalling component 'rustc'\n"+created+"install: installing component 'rustc'\n"+backups(rustcFiles)+"\n    Rust is ready to roll.\n\n",
			"install: WARNING: installed component 'rustc' has no manifest\n")
		m.wantResult(m.uninstall(), 0, bothRemoved, "")
	}},
	{name: "uninstall a record with an unknown line", run: func(m *machine) {
		m.mustInstall("--components=cargo")
		m.write("p/lib/rustlib/manifest-cargo", "link:"+m.root+"/src/version\nfile:"+m.root+"/p/bin/cargo\n", 0o644)
		m.wantResult(m.uninstall(), 0, "install: uninstalling component 'cargo'\n"+uninstalled,
			"install: WARNING: unknown line in manifest of component 'cargo': link:~/src/version\n")
		m.wantTree("share/doc/cargo/LICENSE")
	}},

	{name: "records", run: func(m *machine) {
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
	{name: "records with destdir and directories", run: func(m *machine) {
		m.install("--destdir="+m.root+"/d", "--prefix=/usr", "--bindir=/b", "--components=cargo")
		m.wantFile("d/usr/lib/rustlib/manifest-cargo", "file:"+m.root+"/d/b/cargo\nfile:"+m.root+"/d/usr/share/doc/cargo/LICENSE\n")
	}},
	{name: "verbose and log", run: func(m *machine) {
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
	{name: "the log has the steps without verbose, and starts anew", run: func(m *machine) {
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

	{name: "upgrade", run: func(m *machine) {
		m.mustInstall()
		m.unpack("2", component{name: "rustc", files: "bin/rustc* lib/new.so"}, cargo)
		m.wantResult(m.mustInstall(), 0, strings.TrimSuffix(bothRemoved, uninstalled)+bothDone, "")
		m.wantTree(sorted([]string{"bin/rustc*", "lib/new.so"}, cargoFiles)...)
		m.wantFile("p/bin/rustc", "rustc bin/rustc 2\n")
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\n")
	}},
	{name: "upgrade of one component", run: func(m *machine) {
		m.mustInstall()
		m.unpack("2", rustc, cargo)
		m.mustInstall("--components=rustc")
		m.wantTree(allFiles...)
		m.wantFile("p/bin/rustc", "rustc bin/rustc 2\n")
		m.wantFile("p/bin/cargo", "cargo bin/cargo 1\n")
		m.wantFile("p/lib/rustlib/components", "cargo\nrustc\n")
	}},
	{name: "empty list of components", run: func(m *machine) {
		m.write("p/lib/rustlib/components", "", 0o644)
		m.wantResult(m.uninstall(), 0, uninstalled, "")
		m.wantAbsent("p/lib/rustlib")
		m.write("p/lib/rustlib/components", "", 0o644)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\n")
	}},
	{name: "same again", run: func(m *machine) {
		m.mustInstall()
		m.mustInstall()
		m.wantTree(allFiles...)
	}},
	{name: "component added by another archive", run: func(m *machine) {
		m.mustInstall()
		m.unpack("1", docs)
		m.mustInstall()
		m.wantTree(sorted(allFiles, []string{"share/doc/rust/html/index.html", "share/doc/rust/html/std/a.html", "share/doc/rust/html/std/run*"})...)
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\nrust-docs\n")
	}},
	{name: "a broken archive leaves the old installation alone", run: func(m *machine) {
		m.mustInstall()
		m.unpack("2", rustc, cargo)
		m.remove("src/cargo/share")
		m.wantResult(m.install("--prefix="+m.root+"/p"), 1, "",
			"install: error: component 'cargo' lacks a file that its manifest.in names: share/doc/cargo/LICENSE\n")
		m.wantTree(allFiles...)
		m.wantFile("p/bin/rustc", "rustc bin/rustc 1\n")
	}},
	{name: "upgrade of what rustup installed", run: func(m *machine) {
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
	{name: "upgrade of what installer version 2 installed", run: func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/rust-installer-version", "2\n", 0o644)
		m.mustInstall()
		m.wantFile("p/lib/rustlib/rust-installer-version", "3\n")
	}},
	{name: "unknown installer version", run: func(m *machine) {
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
	{name: "legacy installation", run: func(m *machine) {
		m.write("p/bin/old rust", "", 0o755)
		m.write("p/lib/cargo/extra", "", 0o644)
		m.write("p/lib/cargo/manifest", m.root+"/p/bin/old rust\n"+m.root+"/p/bin/gone\n", 0o644)
		m.wantResult(m.install("--prefix="+m.root+"/p", "--components=cargo"), 0,
			"install: removing legacy file ~/p/bin/old rust\n"+legacyRemoved+cargoDone,
			option(missing, "~/p/bin/gone")+option(others, "~/p/lib/cargo"))
		m.wantTree(sorted(cargoFiles, []string{"lib/cargo/extra"})...)
	}},
	{name: "legacy installation uninstalled", run: func(m *machine) {
		m.write("p/bin/old", "", 0o755)
		m.write("p/lib/rustlib/manifest", m.root+"/p/bin/old\n", 0o644)
		m.wantResult(m.uninstall(), 0, "install: removing legacy file ~/p/bin/old\n"+
			strings.ReplaceAll(legacyRemoved, "lib/cargo", "lib/rustlib")+uninstalled, "")
		m.wantTree()
		m.wantAbsent("p/lib/rustlib")
	}},
	{name: "legacy manifest beside a later installation", run: func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/manifest", m.root+"/p/bin/old\n", 0o644)
		m.write("p/bin/old", "", 0o755)
		m.mustInstall()
		m.wantTree(allFiles...)
		m.wantFile("p/lib/rustlib/components", "rustc\ncargo\n")
	}},

	{name: "a failed installation can be uninstalled", run: func(m *machine) {
		m.write("p/share", "a file where a directory should be", 0o644)
		m.wantResult(m.install("--prefix="+m.root+"/p"), 1, "", "install: error: a file is in the way of directory ~/p/share/doc/rust: ~/p/share\n")
		m.wantTree("share")
		m.remove("p/share")
		m.write("src/rustc/share/man/man1/rustc.1", strings.Repeat("long\n", 1<<20), 0o644)
		shell := m.shell
		m.shell = slices.Concat([]string{"sh", "-c", `ulimit -f 4000; exec "$@"`, "sh"}, shell)
		r := m.install("--prefix=" + m.root + "/p")
		m.shell = shell
		if r.code != 1 || !strings.HasSuffix(r.stderr, "install: error: cannot copy files to ~/p/share/man/man1. see logs at '~/p/lib/rustlib/install.log'\n") {
			m.t.Errorf("got %+v", r)
		}
		if log := m.read("p/lib/rustlib/install.log"); !strings.Contains(log, "see logs at") {
			m.t.Errorf("log has no error:\n%s", log)
		}
		m.write("p/bin/rustc", "half", 0o644)
		if r := m.uninstall(); r.code != 0 {
			m.t.Errorf("got %+v", r)
		}
		m.wantTree()
		m.mustInstall()
		m.wantTree(allFiles...)
	}},
	{name: "script called from its directory, which goes away", run: func(m *machine) {
		m.dir = m.src
		m.wantResult(m.run("install.sh", "--prefix=.././/p", "--disable-ldconfig"), 0, bothDone, "")
		m.wantTree(allFiles...)
		m.dir = m.root
		m.remove("src")
		m.wantResult(m.run("p/lib/rustlib/uninstall.sh"), 0, bothRemoved, "")
		m.wantTree()
	}},
	{name: "prefix after a link and two dots", run: func(m *machine) {
		m.write("a/b/x", "", 0o644)
		m.symlink("a/b", "link")
		m.mustInstall("--prefix="+m.root+"/link/../p", "--components=cargo")
		m.wantFile("a/p/lib/rustlib/manifest-cargo", "file:"+m.root+"/a/p/bin/cargo\nfile:"+m.root+"/a/p/share/doc/cargo/LICENSE\n")
	}},

	{name: "tilde", every: true, run: func(m *machine) {
		m.env = append(m.env, "HOME="+m.root+"/home")
		m.mustInstall("--prefix=~/p p", "--bindir=~", "--docdir=./~", "--components=cargo")
		m.wantFile("home/p p/lib/rustlib/manifest-cargo", "file:"+m.root+"/home/cargo\nfile:"+m.root+"/~/LICENSE\n")
		m.wantResult(m.install("--prefix=~/p p", "--uninstall"), 0, "install: uninstalling component 'cargo'\n"+uninstalled, "")
		m.mustInstall("--destdir=~/d", "--prefix=~/p", "--components=cargo")
		m.wantMode("home/d"+m.root+"/home/p/bin/cargo", 0o755)
		m.wantResult(m.install("--prefix=~nobody-has-this-name/p"), 1, "",
			"install: error: Option '--prefix' names the home directory of an unknown user: ~nobody-has-this-name/p\n")
		m.wantResult(m.install("--prefix=~$(touch pwned)/p"), 1, "", "install: error: Option '--prefix' starts with ~, and not with ~USER/: ~$(touch pwned)/p\n")
		m.env = append(m.env, "HOME=")
		m.wantResult(m.install("--prefix=~/p"), 1, "", "install: error: Option '--prefix' starts with ~, and HOME is not set\n")
		if u, err := user.Current(); err == nil {
			m.wantResult(m.install("--destdir="+m.root+"/all", "--prefix=~"+u.Username+"/p", "--libdir=/l", "--components=cargo"), 0,
				strings.ReplaceAll(cargoDone, "~/p/lib", "~/all/l"), "")
			m.wantMode("all"+u.HomeDir+"/p/bin/cargo", 0o755)
		}
	}},
	{name: "options in their other forms", run: func(m *machine) {
		m.mustInstall("--disable-ldconfig", "--enable-verify", "--verify", "--enable-verbose", "--disable-verbose", "--disable-uninstall", "--disable-list-components")
		m.wantAbsent("ldconfig.ran")
		m.mustInstall("--disable-ldconfig", "--enable-ldconfig")
		m.wantFile("ldconfig.ran", "ran\n")
		m.wantResult(m.install("--enable-list-components"), 0, listing, "")
		m.wantResult(m.install("--prefix="+m.root+"/p", "--enable-uninstall"), 0, bothRemoved, "")
	}},
	{name: "links out of the destdir", run: func(m *machine) {
		args := []string{"--destdir=" + m.root + "/d", "--prefix=/usr", "--disable-ldconfig"}
		m.write("out/x", "", 0o644)
		for link, to := range map[string]string{"bin": m.root + "/out", "share/doc": "../../../out", "lib": m.root + "/out", "lib/rustlib": m.root + "/out"} {
			m.write("d/usr/keep", "", 0o644)
			m.write("d/usr/"+link+"/x", "", 0o644)
			m.remove("d/usr/" + link)
			m.symlink(to, "d/usr/"+link)
			r := m.install(args...)
			if r.code != 1 || !strings.Contains(r.stderr, " leads out of --destdir, to ~/out") {
				m.t.Errorf("%s: got %+v", link, r)
			}
			m.remove("d/usr/" + link)
			if diff := cmp.Diff([]string{"usr/keep"}, m.tree("d")); diff != "" {
				m.t.Errorf("%s: files of d (-want +got):\n%s", link, diff)
			}
			m.remove("d")
		}
		m.write("d/usr/real/keep", "", 0o644)
		m.symlink("real", "d/usr/bin")
		if r := m.install(args...); r.code != 0 {
			m.t.Errorf("a link that stays inside: got %+v", r)
		}
		m.remove("d/usr/bin")
		m.symlink(m.root+"/out", "d/usr/bin")
		m.write("out/rustc", "another", 0o644)
		if r := m.install(append(args, "--uninstall")...); r.code != 1 || !strings.Contains(r.stderr, "/usr/bin leads out of --destdir") {
			m.t.Errorf("got %+v", r)
		}
		m.wantFile("out/rustc", "another")
		if diff := cmp.Diff([]string{"rustc", "x"}, m.tree("out")); diff != "" {
			m.t.Errorf("files of out (-want +got):\n%s", diff)
		}
	}},
	{name: "links in the places of records", run: func(m *machine) {
		m.write("mine", "mine", 0o644)
		for _, name := range []string{"manifest-cargo", "install.log", "components.new", "rust-installer-version"} {
			m.write("p/lib/rustlib/x", "", 0o644)
			m.symlink(m.root+"/mine", "p/lib/rustlib/"+name)
			if r := m.install("--prefix=" + m.root + "/p"); r.code != 1 || r.out != "" {
				m.t.Errorf("%s: got %+v", name, r)
			}
			m.remove("p")
		}
		m.wantFile("mine", "mine")
	}},
	{name: "a file in the way that the earlier version owns", run: func(m *machine) {
		m.unpack("1", component{name: "cargo", files: "share/x"})
		m.mustInstall()
		m.unpack("2", component{name: "cargo", files: "share/x/y"})
		m.mustInstall()
		m.wantTree("share/x/y")
	}},
	{name: "into a component of the archive", run: func(m *machine) {
		for _, dir := range []string{"--prefix=" + m.src + "/cargo", "--bindir=" + m.src + "/rustc/bin", "--bindir=" + m.src} {
			m.wantResult(m.install(dir), 1, "", "install: error: cannot install to same directory as installer\n")
		}
		m.mustInstall("--prefix="+m.src+"/p", "--components=cargo")
	}},
	{name: "files of the user among the records", run: func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/my-target/lib/mine.rlib", "", 0o644)
		m.write("p/lib/rustlib/digests-cargo", "", 0o644)
		m.wantResult(m.run("p/lib/rustlib/uninstall.sh"), 0, bothRemoved, option(others, "~/p/lib/rustlib"))
		m.wantTree("lib/rustlib/my-target/lib/mine.rlib")
		m.wantResult(m.uninstall(), 1, "", nothingThere)
	}},
	{name: "digests go with their component", run: func(m *machine) {
		m.mustInstall()
		m.write("p/lib/rustlib/digests-cargo", "", 0o644)
		m.write("p/lib/rustlib/digests-rustc", "", 0o644)
		m.mustInstall("--components=cargo")
		m.wantAbsent("p/lib/rustlib/digests-cargo")
		m.read("p/lib/rustlib/digests-rustc")
	}},
	{name: "a directory in the place of an installed file", run: func(m *machine) {
		m.mustInstall("--components=cargo")
		m.remove("p/bin/cargo")
		m.write("p/bin/cargo/mine", "", 0o644)
		m.wantResult(m.uninstall(), 0, "install: uninstalling component 'cargo'\n"+uninstalled,
			"install: WARNING: supposedly installed file ~/p/bin/cargo is a directory; it stays\n")
		m.wantTree("bin/cargo/mine")
	}},
	{name: "what is gone from a staged tree is not sought outside", run: func(m *machine) {
		m.write("d/usr/lib/rustlib/components", "cargo\n", 0o644)
		m.write("d/usr/lib/rustlib/rust-installer-version", "3\n", 0o644)
		host := m.root + "/usr" // as /usr would be
		m.write("usr/bin/cargo", "the machine's", 0o755)
		m.write("d"+host+"/lib/rustlib/manifest-cargo", "file:"+host+"/bin/cargo\n", 0o644)
		m.write("d"+host+"/lib/rustlib/components", "cargo\n", 0o644)
		m.write("d"+host+"/lib/rustlib/rust-installer-version", "3\n", 0o644)
		m.unpack("1", cargo)
		m.write("d"+host+"/lib/rustlib/uninstall.sh", string(m.script()), 0o755)
		if r := m.run("d" + host + "/lib/rustlib/uninstall.sh"); r.code != 0 || !strings.Contains(r.stderr, "does not exist") {
			m.t.Errorf("got %+v", r)
		}
		m.wantFile("usr/bin/cargo", "the machine's")
	}},
	{name: "bulk directory with files of the user", every: true, run: func(m *machine) {
		m.unpack("1", docs)
		m.mustInstall()
		m.later("p/share/doc/rust/html/my notes", "mine")
		m.unpack("2", docs)
		if r := m.install("--prefix=" + m.root + "/p"); r.code != 0 {
			m.t.Errorf("got %+v", r)
		}
		m.wantTree("share/doc/rust/html/index.html", "share/doc/rust/html/std/a.html", "share/doc/rust/html/std/run*", "share/doc/rust/html.old/my notes")
		m.wantFile("p/share/doc/rust/html.old/my notes", "mine")
		m.wantFile("p/share/doc/rust/html/index.html", "rust-docs share/doc/rust/html/index.html 2\n")
	}},
	{name: "script called by odd paths", run: func(m *machine) {
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
	{name: "CDPATH", run: func(m *machine) {
		m.write("trap/src/components", "trap\n", 0o644)
		m.env = append(m.env, "CDPATH="+m.root+"/trap")
		m.wantResult(m.run("src/install.sh", "--prefix=p", "--disable-ldconfig"), 0, bothDone, "")
	}},

	{name: "ldconfig runs", run: func(m *machine) {
		m.mustInstall()
		m.wantFile("ldconfig.ran", "ran\n")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
		m.uninstall()
		m.wantFile("ldconfig.ran", "ran\n")
	}},
	{name: "ldconfig is told of /usr/local/lib", run: func(m *machine) {
		m.mustInstall("--prefix=" + m.root + "/usr/local")
		m.wantFile("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf", m.root+"/usr/local/lib\n")
		m.install("--prefix="+m.root+"/usr/local", "--uninstall", "--components=cargo")
		m.wantFile("ldconfig.ran", "ran\n")
		m.install("--prefix="+m.root+"/usr/local", "--uninstall")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
		m.wantFile("ldconfig.ran", "ran\nran\n")
	}},
	{name: "uninstall.sh untells ldconfig", run: func(m *machine) {
		m.mustInstall("--prefix=" + m.root + "/usr/local")
		m.run(m.root + "/usr/local/lib/rustlib/uninstall.sh")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
	}},
	{name: "disable-ldconfig", run: func(m *machine) {
		m.mustInstall("--disable-ldconfig", "--prefix="+m.root+"/usr/local")
		m.wantAbsent("ldconfig.ran")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
	}},
	{name: "no ldconfig with destdir", run: func(m *machine) {
		m.mustInstall("--destdir="+m.root, "--prefix=/usr/local")
		m.wantAbsent("ldconfig.ran")
		m.wantAbsent("etc/ld.so.conf.d/rust-installer-v1-rustlib.conf")
	}},
	{name: "no ldconfig where /etc is not ours", run: func(m *machine) {
		m.remove("etc")
		m.mustInstall()
		m.wantAbsent("ldconfig.ran")
	}},
	{name: "ldconfig fails", run: func(m *machine) {
		m.env = append(m.env, "LDCONFIG_STATUS=1")
		m.wantResult(m.install("--prefix="+m.root+"/p"), 0, bothDone, "install: WARNING: running ldconfig failed; --verbose shows its message\n")
	}},

	{name: "help", run: func(m *machine) {
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
	for i, tt := range sequences {
		for _, sh := range shellsOf(i, tt.every) {
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
