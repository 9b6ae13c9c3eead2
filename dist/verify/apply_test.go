package verify_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/verify"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// groupsOf returns the groups that a report's checks belong to.
func groupsOf(r verify.Report) []verify.Group {
	group := map[string]verify.Group{}
	for _, c := range verify.Catalogue() {
		group[c.Name] = c.Group
	}
	var out []verify.Group
	for _, c := range r.Checks {
		if g := group[c.Name]; !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// A group that cannot apply to the input is absent, not skipped: a tool's own
// archive has nothing that links.
func TestLoneArchive(t *testing.T) {
	t.Parallel()
	m := newMutant(t, "xz")
	dir := t.TempDir()
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{Inputs: []string{filepath.Join(dir, m.file)}})
	if report.Status() != verify.Pass {
		t.Errorf("got %s, failures %q", report.Status(), failedNames(report))
	}
	if d := cmp.Diff([]verify.Group{verify.Static}, groupsOf(report)); d != "" {
		t.Errorf("groups (-want +got):\n%s", d)
	}
}

// Sources are a bare tree: no component, no installer, and links are allowed.
func TestSourceArchive(t *testing.T) {
	var image dist.Image
	for name, text := range map[string]string{
		"Cargo.lock": "version = 4\n", "Cargo.toml": "", "x.py": "", "version": "1.95.0 (59807616e 2026-04-14)", "src/version": "1.95.0\n", "src/ci/channel": "stable\n",
		"src/bootstrap/Cargo.toml": "", "src/bootstrap/bootstrap.py": "", "library/std/Cargo.toml": "", "compiler/rustc/Cargo.toml": "", "src/main.rs": "fn main() {}\n",
	} {
		if err := image.AddBytes(name, []byte(text), dist.ModeFile); err != nil {
			t.Fatal(err)
		}
	}
	if err := image.AddSymlink("src/link.rs", "main.rs"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := (archive.Writer{Formats: []archive.Format{manifests.GZ}}).WriteImage(t.Context(), dir, "rustc-1.95.0-src", image); err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{Inputs: []string{dir}})
	if report.Status() != verify.Pass {
		t.Errorf("got %s, failures %q", report.Status(), failedNames(report))
	}
}

// A compiler for another machine cannot be run: a skip with its reason.
func TestForeignCompiler(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "rustc")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tr := tree{t, linkTree(t, c), c.host.String()}
	for _, name := range []string{"bin/rustc", "lib/librustc_driver-*.so"} {
		tr.replace(name, func(b []byte) []byte { b[18], b[19] = 22, 0; return b }) // EM_S390
	}
	report := verifyAll(t, verify.Options{Inputs: []string{tr.root}, Groups: []verify.Group{verify.Link}})
	if report.Status() != verify.Skip {
		t.Errorf("got %s, want SKIP; failures %q", report.Status(), failedNames(report))
	}
	if !slices.ContainsFunc(report.Checks, func(c verify.Check) bool {
		return c.Status == verify.Skip && strings.Contains(c.Detail, "another machine")
	}) {
		t.Errorf("no skip says that the compiler is for another machine: %+v", report.Checks)
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, opts := range []verify.Options{
		{Expect: "gold"}, {Groups: []verify.Group{"all"}}, {Legs: []string{"defualt"}},
	} {
		if _, err := verify.Run(t.Context(), opts); err == nil {
			t.Errorf("%+v: got no error", opts)
		}
	}
}

// CHECKS.md is what people read; it is written from the catalogue:
//
//	X_UPDATE=1 go test -run TestChecksDocument ./dist/verify
func TestChecksDocument(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Checks\n\nEvery check of `x verify`, in the order of reports. The names are stable.\n")
	var group verify.Group
	for _, c := range verify.Catalogue() {
		if c.Group != group {
			group = c.Group
			fmt.Fprintf(&b, "\n## %s\n\n| check | passes if |\n|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Name, strings.ReplaceAll(c.What, "|", "\\|"))
	}
	if os.Getenv("X_UPDATE") != "" {
		if err := os.WriteFile("CHECKS.md", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("CHECKS.md")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(got)); d != "" {
		t.Errorf("CHECKS.md is not up to date (-want +got):\n%s", d)
	}
}
