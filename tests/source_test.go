package tests

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

const sourceCommit = "ac68faa20e3ae2bb9f5ed4e9d0ba6e1e4ba0d84f"

// sourceFiles are a source tree of Rust in small, with what upstream leaves out.
func sourceFiles() map[string]string {
	digest := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	const manifest, lib = "[package]\nname = \"memchr\"\nversion = \"2.7.4\"\n", "// memchr\n"
	lock := "version = 4\n\n[[package]]\nname = \"rustc\"\nversion = \"0.0.0\"\n\n[[package]]\nname = \"memchr\"\nversion = \"2.7.4\"\n" +
		"source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"" + digest("crate") + "\"\n"
	files := map[string]string{
		"src/version": "1.96.0\n", "src/ci/channel": "stable\n", "git-commit-hash": sourceCommit, "git-commit-info": sourceCommit + "\n" + sourceCommit[:9] + "\n2026-05-25\n",
		"Cargo.lock": lock, "Cargo.toml": "[workspace]\nmembers = [\"compiler/rustc\"]\n", "x.py": "#!/usr/bin/env python3\n", "configure": "#!/bin/sh\n", "COPYRIGHT": "c\n",
		".gitmodules": "[submodule]\n", "bootstrap.toml": "change-id = \"ignore\"\n", "LICENSE-MIT": "m\n", "LICENSE-APACHE": "a\n", "README.md": "r\n",
		"src/bootstrap/Cargo.toml": "[package]\n", "src/bootstrap/bootstrap.py": "pass\n", "src/stage0": "x\n", "compiler/rustc/Cargo.toml": "[package]\nname = \"rustc\"\n",
		"library/std/Cargo.toml": "[package]\nname = \"std\"\n", "library/std/src/lib.rs": "//! std\n", "library/backtrace/crates/as-if-std/Cargo.toml": "[package]\n",
		"library/stdarch/Cargo.toml": "[workspace]\n", "library/stdarch/crates/core_arch/src/lib.rs": "\n",
		".cargo/config.toml":               "[source.crates-io]\nreplace-with = \"vendored-sources\"\n\n[source.vendored-sources]\ndirectory = \"vendor\"\n",
		"vendor/memchr-2.7.4/Cargo.toml":   manifest,
		"vendor/memchr-2.7.4/src/lib.rs":   lib,
		"vendor/memchr-2.7.4/.gitignore":   "target\n",
		"src/llvm-project/llvm/lib/a.cpp":  "int a;\n",
		"src/llvm-project/libunwind/u.cpp": "int u;\n",
		// What upstream leaves out, and what is a build's.
		"src/llvm-project/llvm/test/a.ll": "left", "src/llvm-project/polly/a.cpp": "left", "src/llvm-project/third-party/benchmark/a.cc": "left",
		"src/gcc/gcc.c": "left", "library/std/.gitignore": "left", "library/std/src/lib.rs~": "left", "src/etc/a.pyc": "left", "src/etc/__pycache__/b": "left",
		".git/HEAD.lock": "left", "build/x86_64/stage2/bin/rustc": "left", "src/bootstrap/target/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
		"src/bootstrap/target/debug/a.rlib": "left",
		"src/tools/cargo/tests/.gitignore":  "kept",
	}
	delete(files, ".git/HEAD.lock")
	files["vendor/memchr-2.7.4/.cargo-checksum.json"] = fmt.Sprintf(`{"files":{"Cargo.toml":%q,"src/lib.rs":%q,".gitignore":%q},"package":%q}`,
		digest(manifest), digest(lib), digest("target\n"), digest("crate"))
	return files
}

func writeSource(t *testing.T, dir string) {
	t.Helper()
	for name, text := range sourceFiles() {
		p := filepath.Join(dir, name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		testenv.Must(t, os.WriteFile(p, []byte(text), mode))
	}
	testenv.Must(t, os.Symlink("lib.rs", filepath.Join(dir, "vendor/memchr-2.7.4/src/../../link")))
	testenv.Must(t, os.Remove(filepath.Join(dir, "vendor/link")))
	testenv.Must(t, os.Symlink("../version", filepath.Join(dir, "src/etc/link")))
}

// distSource makes the archive of sources in dir, and returns its path.
func distSource(t *testing.T, dir string, env ...string) string {
	t.Helper()
	runx.Must(t, dir, env, "dist", "rustc-src", "--source", filepath.Join(dir, "rust"), "--set", `dist.compression-formats=["gz"]`)
	return filepath.Join(dir, "build/dist/rustc-1.96.0-src.tar.gz")
}

// TestSourceArchive: the archive has what upstream's has, its bytes depend on the tree
// alone, tar unpacks it, and x verify passes it.
func TestSourceArchive(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), filepath.Join(t.TempDir(), "another/directory")
	writeSource(t, filepath.Join(a, "rust"))
	path := distSource(t, a)
	testenv.Must(t, os.MkdirAll(b, 0o755))
	if out, err := exec.Command("cp", "-a", filepath.Join(a, "rust"), b).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	testenv.Must(t, exec.Command("chmod", "-R", "g-rwx,o-rwx", b).Run()) // as after umask 077
	if x, y := readFile(t, path), readFile(t, distSource(t, b, "TZ=Asia/Tokyo", "LC_ALL=C")); !bytes.Equal(x, y) {
		t.Error("the archives of two directories differ")
	}

	out := t.TempDir()
	if text, err := exec.Command(testenv.Need(t, "tar"), "-xf", path, "-C", out).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, text)
	}
	top := filepath.Join(out, "rustc-1.96.0-src")
	var got, want []string
	testenv.Must(t, filepath.WalkDir(top, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(top, p)
			got = append(got, rel)
		}
		return err
	}))
	for name, text := range sourceFiles() {
		if text != "left" && name != "bootstrap.toml" && name != "src/bootstrap/target/CACHEDIR.TAG" {
			want = append(want, name)
		}
	}
	want = append(want, "src/etc/link", "src/gcc/notice.txt", "version")
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files of the archive (-want +got):\n%s", d)
	}
	if got, want := string(readFile(t, filepath.Join(top, "version"))), "1.96.0 (ac68faa20 2026-05-25)"; got != want {
		t.Errorf("version: got %q, want %q", got, want)
	}
	if r := runx.X(t, a, nil, "check", "--source", "rust"); r.Code != 0 || !strings.Contains(r.Stdout, "rust/bootstrap.toml") {
		t.Errorf("x check: got exit status %d, want 0 for the tree's own configuration\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := runx.X(t, a, nil, "verify", path); r.Code != 0 {
		t.Errorf("x verify: got exit status %d, want 0\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	testenv.Must(t, err)
	return b
}

// TestSourceComponent: rust-src of a tree is installed like that of a toolchain.
func TestSourceComponent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeSource(t, filepath.Join(dir, "rust"))
	runx.Must(t, dir, nil, "dist", "rust-src", "--source", "rust", "--set", `dist.compression-formats=["gz"]`)
	path := filepath.Join(dir, "build/dist/rust-src-1.96.0.tar.gz")
	out, err := exec.Command(testenv.Need(t, "tar"), "-xOf", path, "rust-src-1.96.0/rust-src/manifest.in").Output()
	testenv.Must(t, err)
	want := ""
	for _, name := range []string{"library/std/Cargo.toml", "library/std/src/lib.rs", "library/stdarch/crates/core_arch/src/lib.rs", "src/llvm-project/libunwind/u.cpp"} {
		want += "file:lib/rustlib/src/rust/" + name + "\n"
	}
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Errorf("manifest.in (-want +got):\n%s", d)
	}
	if r := runx.X(t, dir, nil, "verify", path); r.Code != 0 {
		t.Errorf("x verify: got exit status %d, want 0\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// TestSourceFaults: x verify names what is wrong with an archive of sources.
func TestSourceFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeSource(t, filepath.Join(dir, "rust"))
	good := distSource(t, dir)
	const crate = "vendor/memchr-2.7.4/"
	for name, fault := range map[string]struct {
		check string // that fails
		says  string
		files map[string]string // added or replaced; "" removes
		links map[string]string
	}{
		"object":      {"source/build-products", "an ELF file", map[string]string{"src/bootstrap/helper": "\x7fELF\x02\x01\x01"}, nil},
		"cache":       {"source/build-products", "__pycache__", map[string]string{"src/etc/__pycache__/a.cpython-311.pyc": "x"}, nil},
		"target":      {"source/build-products", "cargo's", map[string]string{"src/bootstrap/target/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55", "src/bootstrap/target/a": "x"}, nil},
		"git":         {"source/excluded-files", ".git", map[string]string{"src/tools/cargo/.git/config": "x"}, nil},
		"own config":  {"source/excluded-files", "bootstrap.toml", map[string]string{"bootstrap.toml": "x"}, nil},
		"cargo path":  {"source/absolute-paths", "/home/me", map[string]string{".cargo/config.toml": strings.Replace(sourceFiles()[".cargo/config.toml"], `"vendor"`, `"/home/me/rust/vendor"`, 1)}, nil},
		"crate path":  {"source/absolute-paths", "/home/me", map[string]string{"compiler/rustc/Cargo.toml": "[dependencies]\na = { path = \"/home/me/a\" }\n"}, nil},
		"link out":    {"source/links", "out of the archive", nil, map[string]string{"src/etc/out": "../../../secret"}},
		"link abs":    {"source/links", "an absolute path", nil, map[string]string{"src/etc/abs": "/etc/passwd"}},
		"no crate":    {"source/vendored-crates", `"vendor" is missing`, map[string]string{crate + "Cargo.toml": "", crate + "src/lib.rs": "", crate + ".gitignore": "", crate + ".cargo-checksum.json": ""}, nil},
		"other crate": {"source/vendored-crates", "memchr2 2.7.4", map[string]string{"Cargo.lock": strings.ReplaceAll(sourceFiles()["Cargo.lock"], "memchr", "memchr2")}, nil},
		"changed":     {"source/vendor-checksums", crate + "src/lib.rs", map[string]string{crate + "src/lib.rs": "// other\n"}, nil},
		"file gone":   {"source/vendor-checksums", crate + "src/lib.rs", map[string]string{crate + "src/lib.rs": ""}, nil},
		"file more":   {"source/vendor-checksums", crate + "build.rs", map[string]string{crate + "build.rs": "fn main() {}\n"}, nil},
		"no sums":     {"source/vendor-checksums", ".cargo-checksum.json", map[string]string{crate + ".cargo-checksum.json": ""}, nil},
		"lock sum":    {"source/vendor-checksums", "Cargo.lock wants", map[string]string{"Cargo.lock": strings.Replace(sourceFiles()["Cargo.lock"], `checksum = "`, `checksum = "0`, 1)}, nil},
		"version":     {"source/one-version", "src/version says", map[string]string{"src/version": "1.95.0\n"}, nil},
		"commit":      {"source/one-version", "git-commit-hash", map[string]string{"git-commit-hash": strings.Repeat("0", 40)}, nil},
		"no lock":     {"source/files", "Cargo.lock", map[string]string{"Cargo.lock": ""}, nil},
		"no script":   {"source/files", "x.py", map[string]string{"x.py": ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := filepath.Join(t.TempDir(), filepath.Base(good))
			reseed(t, good, bad, fault.files, fault.links)
			r := runx.X(t, dir, nil, "verify", "--json", bad)
			var report struct {
				Checks []struct{ Name, Status, Detail string }
			}
			testenv.Must(t, json.Unmarshal([]byte(r.Stdout), &report))
			if r.Code != 1 {
				t.Errorf("got exit status %d, want 1", r.Code)
			}
			named := false
			for _, c := range report.Checks {
				named = named || c.Name == fault.check && c.Status == "FAIL" && strings.Contains(c.Detail, fault.says)
				if c.Status == "FAIL" && c.Name != fault.check && c.Name != "archive/checksum-file" {
					t.Logf("also %s: %s", c.Name, c.Detail)
				}
			}
			if !named {
				t.Errorf("want %s to name %q, got:\n%+v", fault.check, fault.says, report.Checks)
			}
		})
	}
}

// reseed copies an archive, with other files and links.
func reseed(t *testing.T, good, bad string, files, links map[string]string) {
	t.Helper()
	const top = "rustc-1.96.0-src/"
	z, err := gzip.NewReader(bytes.NewReader(readFile(t, good)))
	testenv.Must(t, err)
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	left := maps.Clone(files)
	dirs := map[string]bool{}
	add := func(h tar.Header, data string) {
		for i, c := range h.Name {
			if c == '/' && !dirs[h.Name[:i]] && i < len(h.Name)-1 {
				dirs[h.Name[:i]] = true
				testenv.Must(t, tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: h.Name[:i+1], Mode: 0o755, ModTime: h.ModTime}))
			}
		}
		h.Size = int64(len(data))
		testenv.Must(t, tw.WriteHeader(&h))
		_, err := io.WriteString(tw, data)
		testenv.Must(t, err)
	}
	var last tar.Header
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		testenv.Must(t, err)
		if h.Typeflag == tar.TypeDir {
			continue // written with what they hold
		}
		data, err := io.ReadAll(tr)
		testenv.Must(t, err)
		name := strings.TrimPrefix(h.Name, top)
		if text, ok := files[name]; ok {
			delete(left, name)
			if text == "" {
				continue
			}
			data = []byte(text)
		}
		last = *h
		add(*h, string(data))
	}
	for name, text := range left {
		add(tar.Header{Typeflag: tar.TypeReg, Name: top + name, Mode: 0o644, ModTime: last.ModTime}, text)
	}
	for name, to := range links {
		add(tar.Header{Typeflag: tar.TypeSymlink, Name: top + name, Linkname: to, Mode: 0o777, ModTime: last.ModTime}, "")
	}
	testenv.Must(t, tw.Close())
	testenv.Must(t, zw.Close())
	testenv.Must(t, os.WriteFile(bad, out.Bytes(), 0o644))
}

// TestSourceIncomplete: what a distribution has left out of the vendored crates is
// recorded, and anything beyond it is found.
func TestSourceIncomplete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeSource(t, filepath.Join(dir, "rust"))
	testenv.Must(t, os.Remove(filepath.Join(dir, "rust/vendor/memchr-2.7.4/.gitignore")))
	good := distSource(t, dir)
	if r := runx.X(t, dir, nil, "verify", good); r.Code != 0 || !strings.Contains(runx.X(t, dir, nil, "verify", "-v", good).Stdout, "x-source.json records 1 crates and files") {
		t.Errorf("x verify: got exit status %d, want 0 and the record\n%s", r.Code, r.Stdout)
	}
	if r := runx.X(t, dir, nil, "check", "--source", "rust"); r.Code != 0 || !strings.Contains(r.Stdout, "lack 1 crates and files") {
		t.Errorf("x check: got exit status %d, want 0 and a warning\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	bad := filepath.Join(t.TempDir(), filepath.Base(good))
	reseed(t, good, bad, map[string]string{"vendor/memchr-2.7.4/src/lib.rs": ""}, nil)
	if r := runx.X(t, dir, nil, "verify", bad); r.Code != 1 || !strings.Contains(r.Stdout, "src/lib.rs") {
		t.Errorf("x verify: got exit status %d, want 1\n%s", r.Code, r.Stdout)
	}
}
