package installsh

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// shells are the interpreters that scenarios run in.
var shells = []shell{
	{"dash", []string{"dash"}},
	{"bash", []string{"bash"}},
	{"busybox", []string{"busybox", "sh"}},
}

type shell struct {
	name string
	argv []string
}

// shellsOf returns the shells for scenario i: one in turn, unless it is about what
// shells do in their own ways.
func shellsOf(i int, every bool) []shell {
	if every {
		return shells
	}
	return shells[i%len(shells) : i%len(shells)+1]
}

// component is one component of an archive under test. Names in files are separated
// by blanks; "*" after one marks an executable.
type component struct {
	name  string
	files string
	bulk  string // a directory recorded as one dir: line
}

var (
	rustc = component{name: "rustc", files: "bin/rustc* lib/librustc_driver.so libexec/helper* etc/rustc.conf share/man/man1/rustc.1 share/doc/rust/README.md top.txt"}
	cargo = component{name: "cargo", files: "bin/cargo* share/doc/cargo/LICENSE"}
	docs  = component{name: "rust-docs", files: "share/doc/rust/html/index.html share/doc/rust/html/std/run* share/doc/rust/html/std/a.html", bulk: "share/doc/rust/html"}
)

// machine is a scratch directory in which one scenario runs.
type machine struct {
	t     *testing.T
	shell []string
	root  string // the scratch directory
	src   string // the unpacked archive
	env   []string
	dir   string // current directory of the script
}

func newMachine(t *testing.T, argv []string) *machine {
	t.Helper()
	testenv.Need(t, argv[0])
	m := &machine{t: t, shell: argv, root: t.TempDir()}
	m.dir = m.root
	m.src = filepath.Join(m.root, "src")
	m.write("etc/ld.so.conf.d/other.conf", "", 0o644)
	// Running the machine's own ldconfig would change the machine.
	m.write("stubs/ldconfig", "#!/bin/sh\necho ran >>\""+m.root+"/ldconfig.ran\"\nexit $LDCONFIG_STATUS\n", 0o755)
	m.env = []string{"PATH=" + m.root + "/stubs:" + os.Getenv("PATH"), "LDCONFIG_STATUS=0"}
	return m
}

func (m *machine) write(name, body string, mode fs.FileMode) {
	m.t.Helper()
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(m.root, name)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(data)
}

func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.root, name)); err != nil {
		m.t.Fatal(err)
	}
}

// script is install.sh for Rust, with the host's ld.so.conf.d replaced by the scratch one.
func (m *machine) script() []byte {
	m.t.Helper()
	script, err := Script(Options{
		Product:            "Rust",
		SuccessMessage:     "Rust is ready to roll.",
		RelManifestDir:     "rustlib",
		LegacyManifestDirs: []string{"rustlib", "cargo"},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, r := range [][2]string{
		{"ld_conf_dir=/etc/ld.so.conf.d", "ld_conf_dir='" + m.root + "/etc/ld.so.conf.d'"},
		{"ld_conf_libdir=/usr/local/lib", "ld_conf_libdir='" + m.root + "/usr/local/lib'"},
	} {
		if n := bytes.Count(script, []byte(r[0])); n != 1 {
			m.t.Fatalf("script has %d of %q, want 1", n, r[0])
		}
		script = bytes.Replace(script, []byte(r[0]), []byte(r[1]), 1)
	}
	return script
}

// unpack puts an archive of the components at m.src, as tar would. The files' text
// holds the version.
func (m *machine) unpack(version string, comps ...component) {
	m.t.Helper()
	if err := os.RemoveAll(m.src); err != nil {
		m.t.Fatal(err)
	}
	var names strings.Builder
	for _, c := range comps {
		names.WriteString(c.name + "\n")
		var dirs, files []string
		if c.bulk != "" {
			dirs = append(dirs, "dir:"+c.bulk+"\n")
		}
		for name := range strings.FieldsSeq(c.files) {
			name, executable := strings.CutSuffix(name, "*")
			mode := fs.FileMode(0o644)
			if executable {
				mode = 0o755
			}
			m.write(filepath.Join(m.src, c.name, name), fmt.Sprintf("%s %s %s\n", c.name, name, version), mode)
			if c.bulk == "" || !strings.HasPrefix(name, c.bulk+"/") {
				files = append(files, "file:"+name+"\n")
			}
		}
		slices.Sort(files)
		m.write(filepath.Join(m.src, c.name, "manifest.in"), strings.Join(append(dirs, files...), ""), 0o644)
	}
	m.write(filepath.Join(m.src, "components"), names.String(), 0o644)
	m.write(filepath.Join(m.src, "rust-installer-version"), "3\n", 0o644)
	m.write(filepath.Join(m.src, "version"), version, 0o644)
	m.write(filepath.Join(m.src, "README.md"), "overlay\n", 0o644)
	m.write(filepath.Join(m.src, "install.sh"), string(m.script()), 0o755)
}

type result struct {
	code        int
	out, stderr string
}

// run runs a script with the shell; the results show the scratch directory as "~".
func (m *machine) run(script string, args ...string) result {
	m.t.Helper()
	argv := slices.Concat(m.shell, []string{script}, args)
	cmd := exec.CommandContext(m.t.Context(), argv[0], argv[1:]...)
	cmd.Dir = m.dir
	cmd.Env = m.env
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	short := func(s string) string { return strings.ReplaceAll(s, m.root, "~") }
	return result{cmd.ProcessState.ExitCode(), short(out.String()), short(stderr.String())}
}

func (m *machine) install(args ...string) result {
	m.t.Helper()
	return m.run(filepath.Join(m.src, "install.sh"), args...)
}

// mustInstall installs below ~/p unless args say otherwise, and accepts no message.
func (m *machine) mustInstall(args ...string) result {
	m.t.Helper()
	r := m.install(append([]string{"--prefix=" + m.root + "/p"}, args...)...)
	if r.code != 0 || r.stderr != "" {
		m.t.Fatalf("install.sh %q: exit %d\n%s%s", args, r.code, r.out, r.stderr)
	}
	return r
}

// records are files that each installation has; tree leaves them out.
var records = []string{"install.log", "uninstall.sh", "rust-installer-version", "components"}

// tree lists the files below a directory of the scratch directory as "path" or, for
// executables, "path*". A mode other than 644 and 755 is shown in full.
func (m *machine) tree(name string) []string {
	m.t.Helper()
	root := filepath.Join(m.root, name)
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(records, d.Name()) {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(d.Name(), "manifest-") {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode() {
		case 0o644:
		case 0o755:
			rel += "*"
		default:
			rel += " " + info.Mode().String()
		}
		names = append(names, rel)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Fatal(err)
	}
	return names
}
