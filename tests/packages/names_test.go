package packages

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// oddNames mean something to debhelper's or rpm's lists.
var oddNames = []string{
	"bin/x", "share/!m", `share/"i"`, "share/#j", "share/%%H%%", "share/%g", "share/'l'", "share/*?", "share/@k", "share/[d]", "share/a b", "share/n;o|p&q", "share/{e,f}", "share/~", "share/é",
	"share/$c", "share/${Space}", "share/man/man1/x.1",
}

// stageOdd stages an archive whose files have odd names, and returns their places.
func stageOdd(t *testing.T, dir, format string) []string {
	t.Helper()
	var places []string
	for _, name := range oddNames {
		file := filepath.Join(dir, "image", name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		testenv.Must(t, os.WriteFile(file, []byte(name), 0o644))
		places = append(places, "/usr/"+name)
	}
	text := fmt.Sprintf("prefix = \"/usr\"\n[list]\nformat = %q\n[[package]]\nname = \"odd\"\nfiles = [\"/**\"]\n", format)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "odd.toml"), []byte(text), 0o644))
	runx.Must(t, dir, nil, "installer", "generate", "--component-name=odd", "--package-name=odd", "--image-dir=image", "--work-dir=w", "--output-dir=o", "--compression-formats=gz")
	runx.Must(t, dir, nil, "install", "--quiet", "--layout=odd.toml", "--build-dir=b", "--destdir=debian/tmp", "--lists=debian", "o/odd.tar.gz")
	slices.Sort(places)
	return places
}

// TestOddNamesDeb has dh_install read a list of odd names.
func TestOddNamesDeb(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "dh_install")
	testenv.Need(t, "dh_missing")
	dir := t.TempDir()
	want := stageOdd(t, dir, "debhelper")
	const control = "Source: odd\nMaintainer: A <a@example.org>\nBuild-Depends: debhelper-compat (= 13)\n\nPackage: odd\nArchitecture: all\nDescription: odd\n"
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "debian/control"), []byte(control), 0o644))
	run(t, dir, "dh_install")
	run(t, dir, "dh_missing", "--fail-missing")
	if diff := cmp.Diff(want, installed(t, filepath.Join(dir, "debian/odd"))); diff != "" {
		t.Errorf("files (-staged +installed):\n%s", diff)
	}
}

// TestOddNamesRPM has rpmbuild read a list of odd names.
func TestOddNamesRPM(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rpmbuild", "rpm2cpio", "cpio"} {
		testenv.Need(t, name)
	}
	dir := t.TempDir()
	want := stageOdd(t, dir, "rpm")
	spec := strings.ReplaceAll(`%global debug_package %{nil}
%global __os_install_post %{nil}
Name: odd
Version: 1
Release: 1
Summary: odd
License: MIT
BuildArch: noarch
AutoReqProv: no
%description
odd
%install
cp -a DIR/debian/tmp/. %{buildroot}
%files -f DIR/debian/odd.files
`, "DIR", dir)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "odd.spec"), []byte(spec), 0o644))
	run(t, dir, "rpmbuild", "-bb", "--define", "_topdir "+filepath.Join(dir, "top"), "odd.spec")
	root := filepath.Join(dir, "root")
	testenv.Must(t, os.Mkdir(root, 0o755))
	run(t, root, "sh", "-c", `rpm2cpio ../top/RPMS/noarch/odd-1-1.noarch.rpm | cpio -idm --quiet`)
	if diff := cmp.Diff(want, installed(t, root)); diff != "" {
		t.Errorf("files (-staged +installed):\n%s", diff)
	}
}
