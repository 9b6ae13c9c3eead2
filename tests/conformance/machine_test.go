package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// upstream is rust-installer's program if it is to make the packages, else "".
func upstream() string { return os.Getenv("X_TEST_RUST_INSTALLER") }

// pkg is how a package is made.
type pkg struct {
	name    string // of the package, and of its component if image is set
	image   string // files, separated by "|", "*" after executable ones, " -> TARGET" after links
	version string // in the content of the files
	bulk    string // --bulk-dirs
	records string // --rel-manifest-dir, default rustlib
	overlay string // files of --non-installed-overlay
	parts   []pkg  // combined, if there is no image
}

// made are the packages of this run: they are only read.
var made sync.Map

type built struct {
	once sync.Once
	dir  string // work directory, with the unpacked package in name
	out  string // output directory, with name.tar.gz
	err  error
}

// build makes a package once for all tests.
func (p pkg) build(t *testing.T) *built {
	t.Helper()
	v, _ := made.LoadOrStore(fmt.Sprintf("%q", p), &built{})
	b := v.(*built)
	b.once.Do(func() {
		dir, err := os.MkdirTemp(runx.Scratch, "pkg")
		testenv.Must(t, err)
		b.dir, b.out = filepath.Join(dir, "work dir"), filepath.Join(dir, "out")
		if upstream() != "" {
			b.dir = filepath.Join(dir, "work") // it splits paths at blanks
		}
		testenv.Must(t, os.MkdirAll(b.dir, 0o755))
		records := p.records
		if records == "" {
			records = "rustlib"
		}
		args := []string{"--package-name", p.name, "--rel-manifest-dir", records, "--work-dir", b.dir, "--output-dir", b.out,
			"--compression-formats", "gz", "--compression-profile", "fast", "--product-name", "Rust", "--success-message", "Rust-is-ready-to-roll.",
			"--legacy-manifest-dirs", "rustlib,cargo"}
		if p.overlay != "" {
			writeFiles(t, filepath.Join(dir, "overlay"), p.overlay, "")
			args = append(args, "--non-installed-overlay", filepath.Join(dir, "overlay"))
		}
		if p.image == "" {
			var inputs []string
			for _, part := range p.parts {
				inputs = append(inputs, filepath.Join(part.build(t).out, part.name+".tar.gz"))
			}
			b.err = generator(t, dir, append([]string{"combine", "--input-tarballs", strings.Join(inputs, ",")}, args...)...)
			return
		}
		writeFiles(t, filepath.Join(dir, "image"), p.image, p.version)
		args = append(args, "--component-name", p.name, "--image-dir", filepath.Join(dir, "image"))
		if p.bulk != "" {
			args = append(args, "--bulk-dirs", p.bulk)
		}
		b.err = generator(t, dir, append([]string{"generate"}, args...)...)
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b
}

// generator runs a command of rust-installer.
func generator(t *testing.T, dir string, args ...string) error {
	t.Helper()
	cmd := runx.Command(t, dir, nil, append([]string{"installer"}, args...)...)
	if u := upstream(); u != "" {
		cmd = exec.CommandContext(t.Context(), u, args...)
		cmd.Dir = dir
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w\n%s", args, err, out)
	}
	return nil
}

// writeFiles writes files below root. Their content is their name, and the version. With
// " -> TARGET" a name is that of a symbolic link.
func writeFiles(t *testing.T, root, files, version string) {
	t.Helper()
	for name := range strings.SplitSeq(files, "|") {
		name, executable := strings.CutSuffix(name, "*")
		name, target, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(root, name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if isLink {
			testenv.Must(t, os.Symlink(target, path))
			continue
		}
		testenv.Must(t, os.WriteFile(path, []byte(name+version), 0o644))
		if executable {
			testenv.Must(t, os.Chmod(path, 0o755))
		}
	}
}

// installer is what installs and uninstalls: a shell, or x if argv is nil.
type installer struct {
	name string
	argv []string
}

var shells = []installer{{"dash", []string{"dash"}}, {"bash", []string{"bash"}}, {"busybox", []string{"busybox", "sh"}}}

// shellsOf returns the shells for scenario i: one in turn, unless it is about what shells
// do in their own ways. X_TEST_EVERY=1 has each run each.
func shellsOf(i int, every bool) []installer {
	switch {
	case upstream() != "":
		return shells[1:2]
	case every || os.Getenv("X_TEST_EVERY") == "1":
		return shells
	}
	return shells[i%len(shells) : i%len(shells)+1]
}

// machine is a scratch directory, "~" in the table, in which a scenario runs.
type machine struct {
	t    *testing.T
	by   installer
	root string
	pkg  pkg
}

func newMachine(t *testing.T, by installer) *machine {
	t.Helper()
	if by.argv != nil {
		testenv.Need(t, by.argv[0])
	}
	return &machine{t: t, by: by, root: t.TempDir()}
}

// path returns the path of a name in the table.
func (m *machine) path(s string) string {
	if strings.HasPrefix(s, "~~") {
		return s[1:] // for the installer to expand
	}
	if s == "~" || strings.HasPrefix(s, "~/") {
		return m.root + s[1:]
	}
	if option, value, ok := strings.Cut(s, "="); ok && strings.HasPrefix(s, "--") {
		return option + "=" + m.path(value)
	}
	return s
}

// run does one step of the table and returns its status and output.
func (m *machine) run(verb string, args []string) (int, string) {
	m.t.Helper()
	b := m.pkg.build(m.t)
	placed := slices.ContainsFunc(args, func(s string) bool { return strings.HasPrefix(s, "--prefix") })
	for i, arg := range args {
		args[i] = strings.Replace(m.path(arg), "PACKAGE", filepath.Join(b.dir, m.pkg.name), 1)
	}
	if !placed {
		args = append(args, "--prefix="+m.path("~/p"))
	}
	var cmd *exec.Cmd
	switch {
	case verb == "uninstall.sh":
		sh := m.by.argv
		if sh == nil {
			sh = shells[0].argv
		}
		cmd = exec.CommandContext(m.t.Context(), sh[0], append(sh[1:], m.path("~/p/lib/rustlib/uninstall.sh"))...)
	case m.by.argv == nil:
		words := []string{"uninstall"}
		if verb == "install" {
			words = []string{"install", filepath.Join(b.out, m.pkg.name+".tar.gz")}
		}
		for i, arg := range args {
			if names, ok := strings.CutPrefix(arg, "--components="); ok && verb == "uninstall" {
				args = slices.Concat(args[:i], strings.Split(names, ","), args[i+1:])
				break
			}
		}
		if verb == "install" {
			words = append(words, "--record-destdir") // as install.sh does
		}
		cmd = runx.Command(m.t, m.root, nil, append(words, args...)...)
	default:
		args = append(args, "--disable-ldconfig")
		if verb == "uninstall" {
			args = append(args, "--uninstall")
		}
		argv := slices.Concat(m.by.argv, []string{filepath.Join(b.dir, m.pkg.name, "install.sh")}, args)
		cmd = exec.CommandContext(m.t.Context(), argv[0], argv[1:]...)
	}
	cmd.Dir = m.root
	cmd.Env = append(cmd.Env, os.Environ()...)
	cmd.Env = append(cmd.Env, "HOME="+m.path("~/home"))
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(string(out), m.root, "~")
}

// change makes a change that is none of the installer's: "put NAME", "remove NAME",
// "link NAME TARGET" or "text NAME CONTENT".
func (m *machine) change(words []string) {
	m.t.Helper()
	path := m.path(words[1])
	testenv.Must(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	switch words[0] {
	case "put":
		testenv.Must(m.t, os.WriteFile(path, []byte("mine"), 0o644))
		soon := later()
		testenv.Must(m.t, os.Chtimes(path, soon, soon))
	case "remove":
		testenv.Must(m.t, os.RemoveAll(path))
	case "link":
		testenv.Must(m.t, os.Symlink(m.path(words[2]), path))
	case "text":
		testenv.Must(m.t, os.WriteFile(path, []byte(m.path(words[2])+"\n"), 0o644))
	default:
		m.t.Fatalf("unknown change %q", words[0])
	}
}

// own reports whether name is a file that installers write for themselves, without
// being the same in all of them.
func own(name string) bool {
	base := filepath.Base(name)
	return base == "install.log" || base == "uninstall.sh" || strings.HasPrefix(base, "digests-") && strings.Contains("/"+name, "/rustlib/")
}

// record reports whether name is one of the records that all installers write alike.
func record(name string) bool {
	base := filepath.Base(name)
	return base == "components" || base == "rust-installer-version" || strings.HasPrefix(base, "manifest-")
}

// snapshot maps the names of all files below the scratch directory to their modes and
// content. The scratch directory is "~" in them.
func (m *machine) snapshot() map[string]string {
	m.t.Helper()
	files := map[string]string{}
	testenv.Must(m.t, filepath.WalkDir(m.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, m.root+"/")
		info, err := d.Info()
		if err != nil || own(name) {
			return err
		}
		text := ""
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(data)
		} else if text, err = os.Readlink(path); err != nil {
			return err
		}
		files[name] = info.Mode().String() + " " + strings.ReplaceAll(text, m.root, "~")
		return nil
	}))
	return files
}
