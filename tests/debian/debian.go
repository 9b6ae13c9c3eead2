// Package debian downloads packages of Debian for tests, and unpacks them: nothing is
// installed, and the machine's lists of packages stay as they are.
package debian

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"x.go/tests/testenv"
)

// On ends a test on other systems than Debian, whose apt knows no packages of it.
func On(t *testing.T) {
	t.Helper()
	testenv.Long(t, "it downloads and packs a distribution's toolchain")
	release, err := os.ReadFile("/etc/os-release")
	if err != nil || !regexp.MustCompile(`(?m)^ID="?debian"?$`).Match(release) {
		testenv.Missing(t, "Debian: its packages run on no other system")
	}
	for _, name := range []string{"apt-get", "apt-cache", "dpkg", "dpkg-deb", "dpkg-query", "tar"} {
		testenv.Need(t, name)
	}
}

// Require ends a test if apt knows no such package, of this machine's release of Debian.
func Require(t *testing.T, packages ...string) {
	t.Helper()
	for _, p := range packages {
		name, _, _ := strings.Cut(p, "=")
		out, err := exec.Command("apt-cache", "policy", name).Output()
		if err == nil && bytes.Contains(out, []byte("Candidate: ")) && !bytes.Contains(out, []byte("Candidate: (none)")) {
			continue
		}
		if exec.Command("apt-cache", "show", "libc6").Run() != nil {
			testenv.Missing(t, "apt's lists of packages: run apt-get update")
		}
		testenv.Missing(t, "package %s in this release of Debian", p)
	}
}

// Fetch downloads packages for this machine and unpacks them into dir. It calls each with
// the name of a package and its files as a tar.
func Fetch(t *testing.T, dir string, packages []string, each func(name string, files []byte)) {
	t.Helper()
	if len(packages) == 0 {
		return
	}
	files := filepath.Join(dir, "packages")
	testenv.Must(t, os.MkdirAll(files, 0o755))
	cmd := exec.Command("apt-get", append([]string{"download", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"}, packages...)...)
	cmd.Dir = files
	if out, err := cmd.CombinedOutput(); err != nil {
		testenv.Missing(t, "packages of Debian: %v: %v\n%s", cmd.Args, err, out)
	}
	for _, file := range testenv.List(t, files) {
		data := unpack(t, dir, filepath.Join(files, file))
		name, _, _ := strings.Cut(file, "_")
		each(name, data)
	}
	testenv.Must(t, os.RemoveAll(files))
}

// unpack unpacks a package into dir, and returns its files as a tar: what takes long is
// to decompress it.
func unpack(t *testing.T, dir, file string) []byte {
	t.Helper()
	data, err := exec.Command("dpkg-deb", "--fsys-tarfile", file).Output()
	testenv.Must(t, err)
	tar := exec.Command("tar", "-x", "-C", dir)
	tar.Stdin = bytes.NewReader(data)
	if out, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("unpacking %s: %v\n%s", file, err, out)
	}
	return data
}

// maxPackage bounds a download, in bytes.
const maxPackage = 256 << 20

// FetchFor downloads the packages of another architecture, such as arm64, in the versions
// that this machine's apt has, and unpacks them into dir.
func FetchFor(t *testing.T, arch, dir string, packages ...string) {
	t.Helper()
	Require(t, packages...)
	out, err := exec.Command("apt-get", append([]string{"download", "--print-uris", "-qq"}, packages...)...).Output()
	if err != nil {
		testenv.Missing(t, "the places of the packages %q: %v", packages, err)
	}
	testenv.Must(t, os.MkdirAll(dir, 0o755))
	own, err := exec.Command("dpkg", "--print-architecture").Output()
	testenv.Must(t, err)
	for line := range strings.Lines(string(out)) {
		url, _, _ := strings.Cut(strings.TrimPrefix(line, "'"), "'")
		url = strings.TrimSuffix(url, "_"+strings.TrimSpace(string(own))+".deb")
		if !strings.HasSuffix(url, "_all.deb") {
			url += "_" + arch + ".deb"
		}
		file := filepath.Join(dir, path.Base(url))
		if err := download(url, file); err != nil {
			testenv.Missing(t, "package of Debian: %v", err)
		}
		unpack(t, dir, file)
		testenv.Must(t, os.Remove(file))
	}
}

func download(url, file string) error {
	r, err := http.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, r.Status)
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxPackage))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return os.WriteFile(file, data, 0o644)
}
