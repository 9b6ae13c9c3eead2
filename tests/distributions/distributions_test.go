package distributions

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/linkage"
	"x.go/dist/loader"
	"x.go/tests/debian"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// dependency matches a line of apt-cache depends that names a package.
var dependency = regexp.MustCompile(`(?m)^[ |]+(?:Pre)?Depends: ([^<\s]+)$`)

// depends returns the packages that others depend on.
func depends(t *testing.T, packages []string) []string {
	t.Helper()
	out, err := exec.Command("apt-cache", append([]string{"depends", "--important"}, packages...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("apt-cache depends %q: %v\n%s", packages, err, out)
	}
	var names []string
	for _, m := range dependency.FindAllSubmatch(out, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

// installed reports whether the machine has a package.
func installed(name string) bool {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${db:Status-Status}", name).Output()
	return err == nil && string(out) == "installed"
}

// debianToolchain is one of Debian's, unpacked: nothing of it is installed.
type debianToolchain struct {
	usr   string              // its directory usr
	env   []string            // with which its programs run as they do where they are installed
	files map[string][]string // by package of Rust: "/usr/bin/rustc", with the target of a link
}

// unpackDebian downloads packages with those of Rust that they depend on into dir, and
// the libraries of the system that the machine does not have beside them. Versions are
// those of the machine's Debian.
func unpackDebian(t *testing.T, dir string, packages ...string) debianToolchain {
	t.Helper()
	debian.Require(t, packages...)
	tree, system := packages, []string(nil)
	for next := packages; len(next) > 0; {
		var more []string
		for _, name := range depends(t, next) {
			switch {
			case !strings.HasPrefix(name, "lib") || strings.HasPrefix(name, "libc6") || slices.Contains(tree, name) || slices.Contains(system, name):
				continue
			case strings.HasPrefix(name, "libstd-rust"):
				tree = append(tree, name)
			case installed(name):
				continue
			default:
				system = append(system, name)
			}
			more = append(more, name)
		}
		next = more
	}
	fetchDebian(t, filepath.Join(dir, "system"), system)
	files := fetchDebian(t, filepath.Join(dir, "tree"), tree)
	libraries, err := filepath.Glob(filepath.Join(dir, "*", "usr/lib/*-linux-gnu"))
	testenv.Must(t, err)
	return debianToolchain{filepath.Join(dir, "tree/usr"), []string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}, files}
}

// fetchDebian downloads packages and unpacks them into dir. It returns the files of each.
func fetchDebian(t *testing.T, dir string, packages []string) map[string][]string {
	t.Helper()
	contents := map[string][]string{}
	debian.Fetch(t, dir, packages, func(name string, files []byte) { contents[name] = debianFiles(t, files) })
	return contents
}

// debianFiles returns the files of a package's tar.
func debianFiles(t *testing.T, data []byte) []string {
	t.Helper()
	var out []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		testenv.Must(t, err)
		if h.Typeflag != tar.TypeDir {
			out = append(out, fileAndLink(path.Join("/", h.Name), h.Linkname))
		}
	}
}

func fileAndLink(name, link string) string {
	if link != "" {
		name += " -> " + link
	}
	return name
}

// driver returns the compiler's library, by its path below usr.
func (d debianToolchain) driver(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(d.usr, "lib", "*", "librustc_driver-*.so"))
	testenv.Must(t, err)
	if len(found) != 1 {
		t.Fatalf("got the compiler's libraries %q, want one", found)
	}
	rel, err := filepath.Rel(d.usr, found[0])
	testenv.Must(t, err)
	return rel
}

func TestDebian(t *testing.T) {
	debian.On(t)
	for _, packages := range [][]string{{"rustc"}, {"rustc-web", "rust-web-llvm"}} {
		t.Run(packages[0], func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := unpackDebian(t, dir, packages...)
			args := func(more ...string) []string {
				return append(more, "--sysroot", d.usr, "--set", "rust.lld=false", "--set", "build.extended=false", "--set", `dist.compression-formats=["zst"]`)
			}
			d.check(t, dir, packages)
			if slices.Contains(packages, "rust-web-llvm") {
				d.layout(t, dir)
			}
			d.dryRun(t, dir, args)
			archives, err := filepath.Glob(filepath.Join(dir, "build/dist/rustc-*.tar.zst"))
			testenv.Must(t, err)
			if len(archives) != 1 {
				t.Fatalf("got rustc's archives %q, want one", archives)
			}
			d.members(t, archives[0])
			// A user who made the compiler run has LD_LIBRARY_PATH set: nobody else has.
			d.verify(t, dir, "build/dist")
			runx.Must(t, dir, d.env, args("install", "--quiet", "--prefix", "/usr", "--destdir", "staged")...)
			d.verify(t, dir, "staged/usr")
			for name, text := range records(t, filepath.Join(dir, "staged/usr/lib/rustlib")) {
				if strings.Contains(text, dir) {
					t.Errorf("%s names the staging directory:\n%s", name, text)
				}
			}
		})
	}
}

// notOfLayout matches the files of Debian's packages that the toolchain does not have,
// or has otherwise: those of debian/, and gcc-ld with the names of 2021, with which gcc
// does not find LLD.
var notOfLayout = regexp.MustCompile(`^/usr/share/(doc|lintian|rustc)/|/gcc-ld/|/bin/rust-lld -> \.\./`)

// layout requires that the layout for Debian gives its packages the files that they have
// today.
func (d debianToolchain) layout(t *testing.T, dir string) {
	t.Helper()
	args := []string{"install", "--layout", "debian", "--sysroot", d.usr, "--quiet", "--destdir", "packages", "--lists", "lists", "--layout-set", "suffix=-web"}
	var llvm string
	for _, file := range d.files["rust-web-llvm"] {
		if _, version, ok := strings.Cut(file, "/usr/bin/rust-lld -> lld-"); ok {
			llvm = version
		}
	}
	runx.Must(t, dir, d.env, append(args, "--layout-set", "llvm="+llvm)...)
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		list, err := os.ReadFile(filepath.Join(dir, "lists", name+".install"))
		testenv.Must(t, err)
		got := []string{}
		for line := range strings.Lines(string(list)) {
			if place := strings.TrimSpace(line); !strings.HasPrefix(place, "#") {
				got = append(got, installedAt(t, filepath.Join(dir, "packages"), place)...)
			}
		}
		isOwn := func(file string) bool { return notOfLayout.MatchString(file) }
		got, want := slices.DeleteFunc(got, isOwn), slices.DeleteFunc(d.files[name], isOwn)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("package %s (-Debian +layout):\n%s", name, diff)
		}
	}
}

// installedAt returns the files that a glob of a .install file names, in order.
func installedAt(t *testing.T, root, glob string) []string {
	t.Helper()
	places, err := filepath.Glob(filepath.Join(root, glob))
	testenv.Must(t, err)
	var out []string
	for _, at := range places {
		testenv.Must(t, filepath.WalkDir(at, func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			link := ""
			if e.Type() == fs.ModeSymlink {
				link, err = os.Readlink(p)
			}
			out = append(out, fileAndLink(strings.TrimPrefix(p, root), link))
			return err
		}))
	}
	slices.Sort(out)
	return out
}

// records returns the lists and records of an installation.
func records(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range testenv.List(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			data, err := os.ReadFile(filepath.Join(dir, name))
			testenv.Must(t, err)
			out[name] = string(data)
		}
	}
	if len(out) == 0 {
		t.Errorf("got no records in %q", dir)
	}
	return out
}

// check holds what x check says, with LLD by default: the toolchain can be packaged,
// and what it takes from the system is named.
func (d debianToolchain) check(t *testing.T, dir string, packages []string) {
	t.Helper()
	r := runx.Must(t, dir, d.env, "check", "--sysroot", d.usr)
	text := r.Stdout + r.Stderr
	info, err := linkage.ReadFile(filepath.Join(d.usr, d.driver(t)))
	testenv.Must(t, err)
	want := []string{"so the system has to bring them: ", "has no RUNPATH", "not relocatable"}
	for _, library := range info.Needed {
		if !loader.Common(library) && !loader.Own(library) {
			want = append(want, fmt.Sprintf("%q (for [%q])", library, d.driver(t)))
		}
	}
	if slices.Contains(packages, "rust-web-llvm") && !installed("rust-web-llvm") {
		want = append(want, "note: component llvm-tools is left out, because the toolchain does not have all of it")
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("x check: got no %q in\n%s", w, text)
		}
	}
}

// dryRun writes the archives: those that x dist --dry-run names.
func (d debianToolchain) dryRun(t *testing.T, dir string, args func(...string) []string) {
	t.Helper()
	var plan []struct{ Object string }
	testenv.Must(t, json.Unmarshal([]byte(runx.Must(t, dir, d.env, args("dist", "--dry-run", "--json")...).Stdout), &plan))
	want := map[string]bool{}
	for _, action := range plan {
		want[filepath.Base(action.Object)] = true
	}
	runx.Must(t, dir, d.env, args("dist", "--quiet")...)
	got := map[string]bool{}
	for _, name := range testenv.List(t, filepath.Join(dir, "build/dist")) {
		if strings.HasSuffix(name, ".tar.zst") {
			got[name] = true
		}
	}
	maps.DeleteFunc(want, func(name string, _ bool) bool { return !strings.HasSuffix(name, ".tar.zst") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archives (-dry run +dist):\n%s", diff)
	}
}

// members requires the libraries of Rust that the compiler needs in its archive.
func (d debianToolchain) members(t *testing.T, archive string) {
	t.Helper()
	testenv.Need(t, "zstd")
	out, err := exec.Command(testenv.Need(t, "tar"), "-tf", archive).Output()
	testenv.Must(t, err)
	need := []string{"bin/rustc", d.driver(t)}
	info, err := linkage.ReadFile(filepath.Join(d.usr, d.driver(t)))
	testenv.Must(t, err)
	for _, library := range info.Needed {
		if loader.Own(library) {
			need = append(need, filepath.Join(filepath.Dir(d.driver(t)), library))
		}
	}
	for _, name := range need {
		if !strings.Contains(string(out), "/rustc/"+name+"\n") {
			t.Errorf("got no %q in %s", name, filepath.Base(archive))
		}
	}
}

// verify requires that archives or a tree fail, because the compiler does not find its
// own library, and that no link is judged.
func (d debianToolchain) verify(t *testing.T, dir, what string) {
	t.Helper()
	r := runx.X(t, dir, d.env, "verify", "--json", "--checks", "static,sysroot,link", what)
	if r.Code != 1 {
		t.Errorf("verify %s: got exit status %d, want 1\n%s", what, r.Code, r.Stderr)
	}
	report := decodeReport(t, r.Stdout)
	named := false
	links := 0
	for _, c := range report {
		if c.Name == "sysroot/needed-libraries" && c.Status == "FAIL" {
			named = strings.Contains(strings.Join(append(c.Findings, c.Detail), "\n"), "bin/rustc needs "+filepath.Base(d.driver(t))+", which is in "+filepath.Dir(d.driver(t))+", but has no RUNPATH")
		}
		if strings.HasPrefix(c.Name, "link/") {
			links++
			if c.Status != "SKIP" {
				t.Errorf("verify %s: got %s of %s, want it skipped", what, c.Status, c.Name)
			}
		}
	}
	if !named {
		t.Errorf("verify %s: got no failure that names the library:\n%s", what, r.Stdout)
	}
	if links == 0 {
		t.Errorf("verify %s: got no word on links", what)
	}
}

// reportCheck is a check of a report.
type reportCheck struct {
	Name, Status, Detail string
	Findings             []string
}

func decodeReport(t *testing.T, text string) []reportCheck {
	t.Helper()
	var report struct{ Checks []reportCheck }
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return report.Checks
}

// systemLinkers are LLD and mold of Debian, under the names that C compilers look for.
var systemLinkers = []string{"lld", "ld.lld", "mold", "ld.mold"}

// withLinkers returns an environment whose PATH has the machine's LLD and mold too.
func withLinkers(t *testing.T) []string {
	t.Helper()
	bin := t.TempDir()
	for _, name := range systemLinkers {
		path := filepath.Join("/usr/bin", name)
		if _, err := os.Stat(path); err != nil {
			testenv.Missing(t, "program %q: %v", path, err)
		}
		testenv.Must(t, os.Symlink(path, filepath.Join(bin, name)))
	}
	return []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
}

// TestArch packs a toolchain in the layout of Arch: rust-lld and gcc-ld are links to
// the system's LLD, and libraries are links to files of other packages. Links with it
// are made by that LLD, with another one and mold in PATH.
func TestArch(t *testing.T) {
	t.Parallel()
	debian.On(t) // its LLD needs a library that only it brings
	env := withLinkers(t)
	root := t.TempDir()
	usr := filepath.Join(root, "usr")
	testenv.Must(t, runx.MakeSlim(testenv.Sysroot(t, "stable"), usr, []string{"rustc", "rust-std"}))
	lists, err := filepath.Glob(filepath.Join(usr, "lib/rustlib/manifest-*"))
	testenv.Must(t, err)
	for _, list := range lists {
		testenv.Must(t, os.Remove(list))
	}
	bin := filepath.Join(usr, "lib/rustlib/x86_64-unknown-linux-gnu/bin")
	for _, name := range []string{"rust-lld", "gcc-ld/ld.lld", "gcc-ld/ld64.lld", "gcc-ld/lld-link", "gcc-ld/wasm-ld"} {
		testenv.Must(t, os.Remove(filepath.Join(bin, name)))
		testenv.Must(t, os.Symlink("/usr/bin/lld", filepath.Join(bin, name)))
	}
	testenv.Must(t, os.Mkdir(filepath.Join(root, "elsewhere"), 0o755))
	for _, name := range testenv.List(t, filepath.Join(usr, "lib")) {
		if strings.Contains(name, ".so") {
			testenv.Must(t, os.Rename(filepath.Join(usr, "lib", name), filepath.Join(root, "elsewhere", name)))
			testenv.Must(t, os.Symlink("../../elsewhere/"+name, filepath.Join(usr, "lib", name)))
		}
	}
	r := runx.Must(t, root, env, "check", "--sysroot", usr)
	for _, want := range []string{"so the system has to bring them: ", "bin/rust-lld: warning: rust.lld: it is a symlink"} {
		if !strings.Contains(r.Stdout+r.Stderr, want) {
			t.Errorf("x check: got no %q in\n%s%s", want, r.Stdout, r.Stderr)
		}
	}
	runx.Must(t, root, env, "dist", "--quiet", "--sysroot", usr, "--set", `dist.compression-formats=["zst"]`, "rustc", "rust-std")
	runx.Must(t, root, env, "verify", "--checks", "sysroot,link", "--expect", "lld", "build/dist")
}

// TestNix gives x a toolchain as Nix lays it out: bin/rustc is a script that runs
// another one, which has the absolute paths of the store in its RUNPATH.
func TestNix(t *testing.T) {
	t.Parallel()
	stable := testenv.Sysroot(t, "stable")
	dir := t.TempDir()
	store, wrapped := filepath.Join(dir, "store"), filepath.Join(dir, "wrapped")
	testenv.Must(t, runx.MakeSlim(stable, store, []string{"rustc", "rust-std"}))
	program, err := os.ReadFile(filepath.Join(store, "bin/rustc"))
	testenv.Must(t, err)
	link := fmt.Sprintf("/tmp/n%08d", os.Getpid()) // as long as the RUNPATH
	testenv.Must(t, os.Symlink(filepath.Join(store, "lib"), link))
	t.Cleanup(func() { os.Remove(link) })
	testenv.Must(t, os.Remove(filepath.Join(store, "bin/rustc"))) // a link to the toolchain's own file
	program = bytes.Replace(program, []byte("$ORIGIN/../lib\x00"), []byte(link+"\x00"), 1)
	testenv.Must(t, os.WriteFile(filepath.Join(store, "bin/rustc"), program, 0o755))
	testenv.Must(t, os.CopyFS(filepath.Join(wrapped, "lib/rustlib/etc"), os.DirFS(filepath.Join(store, "lib/rustlib/etc"))))
	testenv.Must(t, os.Mkdir(filepath.Join(wrapped, "bin"), 0o755))
	testenv.Must(t, os.Symlink(filepath.Join(store, "bin/rustdoc"), filepath.Join(wrapped, "bin/rustdoc")))
	testenv.Must(t, os.Symlink(filepath.Join(store, "lib/rustlib/x86_64-unknown-linux-gnu"), filepath.Join(wrapped, "lib/rustlib/x86_64-unknown-linux-gnu")))
	script := fmt.Sprintf("#!%s -e\nexport PATH=$PATH:'/nix/store/2-gcc-wrapper/bin'\nexec -a \"$0\" \"%s/bin/rustc\"  --sysroot %s \"$@\"\n", testenv.Need(t, "bash"), store, wrapped)
	testenv.Must(t, os.WriteFile(filepath.Join(wrapped, "bin/rustc"), []byte(script), 0o755))
	for command, status := range map[string]int{"check": 2, "dist": 1} {
		r := runx.X(t, dir, nil, command, "--sysroot", wrapped)
		if text := r.Stdout + r.Stderr; r.Code != status || !strings.Contains(text, fmt.Sprintf("it is a script that runs %q", filepath.Join(store, "bin/rustc"))) {
			t.Errorf("x %s of the wrapper: got exit status %d, want %d and the program behind it\n%s", command, r.Code, status, text)
		}
	}
	r := runx.Must(t, dir, nil, "check", "--sysroot", store)
	if text := r.Stdout + r.Stderr; !strings.Contains(text, fmt.Sprintf("has the RUNPATH %q", link)) {
		t.Errorf("x check: got no word on the RUNPATH %q in\n%s", link, text)
	}
	runx.Must(t, dir, nil, "dist", "--quiet", "--sysroot", store, "--set", `dist.compression-formats=["zst"]`, "rustc", "rust-std")
	v := runx.X(t, dir, nil, "verify", "--json", "--checks", "sysroot", "build/dist")
	failed := []string{}
	for _, c := range decodeReport(t, v.Stdout) {
		if c.Status == "FAIL" {
			failed = append(failed, c.Name)
		}
	}
	if want := "sysroot/runpath"; v.Code != 1 || !slices.Contains(failed, want) {
		t.Errorf("verify: got exit status %d and failures %q, want %s", v.Code, failed, want)
	}
}
