package manifests_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"x.go/manifests"
	"x.go/tests/testenv"
)

// dist is a dist directory with tiny archives, as rustup wants to find it.
type dist struct {
	server  string // RUSTUP_DIST_SERVER
	dir     string
	channel *manifests.Channel
}

// distComponents are the archives of the tests. A second rust-std is for
// `target add`.
var distComponents = []struct{ archive, target, file string }{
	{"rustc", linuxGNU, "bin/rustc"},
	{"rust-std", linuxGNU, "lib/rustlib/" + linuxGNU + "/lib/libstd.rlib"},
	{"rust-std", "wasm32-unknown-unknown", "lib/rustlib/wasm32-unknown-unknown/lib/libstd.rlib"},
	{"cargo", linuxGNU, "bin/cargo"},
	{"rust-docs", linuxGNU, "share/doc/rust/html/index.html"},
	{"rustfmt", linuxGNU, "bin/rustfmt"},
	{"clippy", linuxGNU, "bin/cargo-clippy"},
	{"rust-src", "", "lib/rustlib/src/rust/library/core/src/lib.rs"},
}

// newDist writes the archives and the channel files.
func newDist(t *testing.T, format manifests.Format) dist {
	t.Helper()
	server := filepath.Join(t.TempDir(), "the server")
	d := dist{server: "file://" + strings.ReplaceAll(server, " ", "%20"), dir: filepath.Join(server, "dist")}
	if err := os.MkdirAll(d.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := manifests.ChannelPlan{Version: stable, Date: day, URLBase: d.server + "/dist"}
	for _, row := range distComponents {
		c, ok := manifests.LookupComponent(row.archive)
		if !ok {
			t.Fatalf("%s: no such component", row.archive)
		}
		name := manifests.ArchiveName{Component: c, Version: stable.PackageVersion(), Format: format}
		if row.target != "" {
			name.Target = triple(t, row.target)
		}
		data := packArchive(t, name, row.file)
		writeFile(t, filepath.Join(d.dir, name.String()), data)
		p.Archives = append(p.Archives, manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf(data)})
	}
	d.channel = build(t, p)
	for _, f := range manifests.ChannelFiles(stable.Names(), stable.CommitHash, d.channel, manifests.DialectDist) {
		writeFile(t, filepath.Join(d.dir, f.Name), f.Data)
	}
	return d
}

// packArchive writes an archive of one component with one file.
func packArchive(t *testing.T, name manifests.ArchiveName, file string) []byte {
	t.Helper()
	var list manifests.FileList
	for _, bulk := range name.Component.BulkDirs {
		list = append(list, manifests.Directive{Kind: manifests.DirDirective, Path: bulk})
	}
	if list == nil {
		list = manifests.FileList{{Kind: manifests.FileDirective, Path: file}}
	}
	dir := name.Component.Dir(name.Target)
	members := []struct{ name, data string }{
		{manifests.VersionFile, manifests.InstallerVersion + "\n"},
		{manifests.ComponentsFile, string(manifests.EncodeComponentNames(dir))},
		{dir + "/" + manifests.ManifestFile, string(list.Encode())},
		{dir + "/" + file, "#!/bin/sh\necho 'rustc 1.95.0 (59807616e 2026-04-14)'\n"},
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	made := map[string]bool{}
	var mkdir func(string)
	mkdir = func(d string) {
		if d == "." || made[d] {
			return
		}
		mkdir(filepath.Dir(d))
		made[d] = true
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range members {
		mkdir(filepath.Dir(name.Stem() + "/" + m.name))
	}
	for _, m := range members {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name.Stem() + "/" + m.name, Mode: 0o755, Size: int64(len(m.data))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return compress(t, name.Format, buf.Bytes())
}

func compress(t *testing.T, f manifests.Format, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	var err error
	switch f {
	case manifests.GZ:
		w := gzip.NewWriter(&buf)
		if _, err = w.Write(data); err == nil {
			err = w.Close()
		}
	case manifests.XZ:
		var w *xz.Writer
		if w, err = xz.NewWriter(&buf); err == nil {
			if _, err = w.Write(data); err == nil {
				err = w.Close()
			}
		}
	default:
		t.Fatalf("no encoder for %s in this test", f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeManifest replaces the manifest of the channel stable, with its .sha256.
func (d dist) writeManifest(t *testing.T, data []byte) {
	t.Helper()
	const name = "channel-rust-stable.toml"
	writeFile(t, filepath.Join(d.dir, name), data)
	writeFile(t, filepath.Join(d.dir, name+".sha256"), manifests.FormatChecksum(manifests.HashOf(data), name))
}

// client is a rustup with homes of its own.
type client struct {
	path, home, server string
}

func newClient(t *testing.T, d dist) client {
	t.Helper()
	return client{testenv.Need(t, "rustup"), t.TempDir(), d.server}
}

// run returns what rustup prints and whether it accepted.
func (c client) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "RUSTUP_HOME=" + c.home + "/rustup", "CARGO_HOME=" + c.home + "/cargo",
		"RUSTUP_DIST_SERVER=" + c.server, "RUSTUP_MAX_RETRIES=0", "RUSTUP_IO_THREADS=1",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c client) must(t *testing.T, args ...string) {
	t.Helper()
	if out, err := c.run(t, args...); err != nil {
		t.Fatalf("rustup %q: %v\n%s", args, err, out)
	}
}

const stableToolchain = "stable-" + linuxGNU

// install installs a toolchain for the tests' host, whatever machine this is.
func (c client) install(t *testing.T, toolchain, profile string) (string, error) {
	t.Helper()
	return c.run(t, "toolchain", "install", toolchain, "--profile", profile, "--no-self-update", "--force-non-host")
}

// components returns the components that rustup recorded.
func (c client) components(t *testing.T, toolchain string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.home, "rustup/toolchains", toolchain, "lib/rustlib", manifests.ComponentsFile))
	if err != nil {
		t.Fatal(err)
	}
	names, err := manifests.ParseComponentNames(data)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func withHost(names ...string) []string {
	for i, n := range names {
		names[i] = n + "-" + linuxGNU
	}
	return names
}

func TestRustupInstallsProfiles(t *testing.T) {
	minimal := withHost("cargo", "rust-std", "rustc")
	all := withHost("cargo", "clippy-preview", "rust-docs", "rust-std", "rustc", "rustfmt-preview")
	tests := []struct {
		name, toolchain, profile string
		format                   manifests.Format
		want                     []string
	}{
		{"minimal", stableToolchain, "minimal", manifests.XZ, minimal},
		{"default", stableToolchain, "default", manifests.XZ, all},
		{"complete", stableToolchain, "complete", manifests.XZ, slices.Sorted(slices.Values(append(slices.Clone(all), "rust-src")))},
		{"gz", stableToolchain, "minimal", manifests.GZ, minimal},
		{"version", "1.95.0-" + linuxGNU, "minimal", manifests.XZ, minimal},
		{"short version", "1.95-" + linuxGNU, "minimal", manifests.XZ, minimal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDist(t, tt.format)
			c := newClient(t, d)
			if out, err := c.install(t, tt.toolchain, tt.profile); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if diff := cmp.Diff(tt.want, c.components(t, tt.toolchain)); diff != "" {
				t.Errorf("components (-want +got)\n%s", diff)
			}
			kept, err := os.ReadFile(filepath.Join(c.home, "rustup/toolchains", tt.toolchain, "lib/rustlib/multirust-channel-manifest.toml"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(kept), string(d.channel.Encode(manifests.DialectInstalled))); diff != "" {
				t.Errorf("manifest that rustup keeps (-rustup +ours)\n%s", diff)
			}
		})
	}
}

func TestRustupAddsAndRemovesComponents(t *testing.T) {
	t.Parallel()
	d := newDist(t, manifests.XZ)
	c := newClient(t, d)
	if out, err := c.install(t, stableToolchain, "minimal"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	minimal := withHost("cargo", "rust-std", "rustc")
	for _, tt := range []struct {
		what, name, installed string
	}{
		{"component", "rustfmt", "rustfmt-preview-" + linuxGNU},
		{"component", "clippy-preview", "clippy-preview-" + linuxGNU},
		{"component", "rust-docs", "rust-docs-" + linuxGNU},
		{"component", "rust-src", "rust-src"},
		{"target", "wasm32-unknown-unknown", "rust-std-wasm32-unknown-unknown"},
	} {
		c.must(t, tt.what, "add", tt.name, "--toolchain", stableToolchain)
		want := slices.Sorted(slices.Values(append(slices.Clone(minimal), tt.installed)))
		if diff := cmp.Diff(want, c.components(t, stableToolchain)); diff != "" {
			t.Errorf("after adding %s (-want +got)\n%s", tt.name, diff)
		}
		c.must(t, tt.what, "remove", tt.name, "--toolchain", stableToolchain)
		if diff := cmp.Diff(minimal, c.components(t, stableToolchain)); diff != "" {
			t.Errorf("after removing %s (-want +got)\n%s", tt.name, diff)
		}
	}
}

// TestRustupReadsDialects installs from each layout of the same channel.
func TestRustupReadsDialects(t *testing.T) {
	for _, dialect := range []manifests.Dialect{manifests.DialectDist05, manifests.DialectInstalled} {
		d := newDist(t, manifests.XZ)
		d.writeManifest(t, d.channel.Encode(dialect))
		if out, err := newClient(t, d).install(t, stableToolchain, "minimal"); err != nil {
			t.Errorf("dialect %d: %v\n%s", dialect, err, out)
		}
	}
}

// mutants are broken manifests: the finding that each has, and whether
// rustup 1.29 refuses to install the profile default from it.
var mutants = []struct {
	name     string
	old, new string // replaced once in the text
	id       manifests.FindingID
	refused  bool
}{
	{"manifest version", `manifest-version = "2"`, `manifest-version = "3"`, manifests.FindingManifestVersion, true},
	{"manifest version is a number", `manifest-version = "2"`, `manifest-version = 2`, manifests.FindingSyntax, true},
	{"no date", `date = "2026-04-16"`, ``, manifests.FindingKeyMissing, true},
	{"odd date", `date = "2026-04-16"`, `date = "today"`, manifests.FindingDate, false},
	{"no package rust", "", "", manifests.FindingRustMissing, true},
	{"no version", "[pkg.rustc]\nversion = \"1.95.0 (59807616e 2026-04-14)\"", "[pkg.rustc]", manifests.FindingKeyMissing, true},
	{"empty version", "[pkg.rustc]\nversion = \"1.95.0 (59807616e 2026-04-14)\"", "[pkg.rustc]\nversion = \"\"", manifests.FindingVersionMissing, false},
	{"other version", "[pkg.rustc]\nversion = \"1.95.0 (59807616e 2026-04-14)\"", "[pkg.rustc]\nversion = \"1.94.0\"", manifests.FindingVersionMismatch, false},
	{"no available", "[pkg.cargo.target.x86_64-unknown-linux-gnu]\navailable = true", "[pkg.cargo.target.x86_64-unknown-linux-gnu]", manifests.FindingKeyMissing, true},
	{"not available", "[pkg.cargo.target.x86_64-unknown-linux-gnu]\navailable = true", "[pkg.cargo.target.x86_64-unknown-linux-gnu]\navailable = false", manifests.FindingUnavailableURL, true},
	{"component of no package", "pkg = \"cargo\"", "pkg = \"cargos\"", manifests.FindingComponentPackage, true},
	{"component of no target", "pkg = \"cargo\"\ntarget = \"x86_64-unknown-linux-gnu\"", "pkg = \"cargo\"\ntarget = \"x86_64-unknown-linux-musl\"", manifests.FindingComponentTarget, true},
	{"extension of no package", "pkg = \"rust-src\"\ntarget = \"*\"", "pkg = \"rust-source\"\ntarget = \"*\"", manifests.FindingComponentPackage, true},
	{"rename to no package", "to = \"rustfmt-preview\"", "to = \"rustfmt-review\"", manifests.FindingRenameTarget, true},
	{"profile of another name", "minimal = [", "small = [", manifests.FindingProfileName, true},
	{"profile missing", "default = [\"rustc\", \"cargo\", \"rust-std\", \"rust-docs\", \"rustfmt-preview\", \"clippy-preview\"]\n", "", manifests.FindingProfileMissing, true},
	{"profile of no package", "default = [\"rustc\"", "default = [\"rustc-typo\"", manifests.FindingProfilePackage, false},
	{"relative URL", "xz_url = \"{base}/cargo", "xz_url = \"dist/cargo", manifests.FindingURL, true},
	{"URL of another scheme", "xz_url = \"file://", "xz_url = \"ftp://", manifests.FindingURL, true},
	{"hash in upper case", "", "", manifests.FindingHash, true},
	{"empty hash", "", "", manifests.FindingHash, true},
	{"URL without hash", "", "", manifests.FindingURLWithoutHash, true},
	{"hash without URL", "", "", manifests.FindingHashWithoutURL, true},
	{"gz under the key of xz", "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz", "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.gz", manifests.FindingURLFormat, true},
	{"archive of another component", "rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz", "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz", manifests.FindingURLArchive, true},
	{"duplicate table", "[renames.rustfmt]", "[renames.clippy]", manifests.FindingSyntax, true},
	{"not TOML", "[renames.rustfmt]", "[renames.rustfmt", manifests.FindingSyntax, true},
	{"component twice", "pkg = \"cargo\"", "pkg = \"rustc\"", manifests.FindingComponentDuplicate, false},
	{"no components", "", "", manifests.FindingRustMissing, false},
	{"package name leaves the directory", "", "", manifests.FindingPackageName, false},
}

// edits are the mutants that take more than one replacement.
var edits = map[string]func(string) string{
	"no package rust":    cutPackage("rust"),
	"hash in upper case": editHash(strings.ToUpper),
	"empty hash":         editHash(func(string) string { return "" }),
	"URL without hash":   cutLine("xz_hash = "),
	"hash without URL":   cutLine("xz_url = "),
	"no components":      func(s string) string { return strings.ReplaceAll(s, ".components]]", ".parts]]") },
	"package name leaves the directory": func(s string) string {
		return s + "\n[pkg.\"../x\"]\nversion = \"1\"\n[pkg.\"../x\".target.\"*\"]\navailable = false\n"
	},
}

// cutPackage removes the tables of a package.
func cutPackage(name string) func(string) string {
	return func(s string) string {
		tables := strings.SplitAfter(s, "\n\n")
		return strings.Join(slices.DeleteFunc(tables, func(t string) bool {
			head := strings.TrimLeft(t, "[")
			return strings.HasPrefix(head, "pkg."+name+"]") || strings.HasPrefix(head, "pkg."+name+".")
		}), "")
	}
}

// editHash changes the first hash, which is that of cargo.
func editHash(change func(string) string) func(string) string {
	return func(s string) string {
		before, rest, _ := strings.Cut(s, `xz_hash = "`)
		return before + `xz_hash = "` + change(rest[:64]) + rest[64:]
	}
}

// cutLine removes the first line with prefix start.
func cutLine(start string) func(string) string {
	return func(s string) string {
		before, rest, _ := strings.Cut(s, "\n"+start)
		_, rest, _ = strings.Cut(rest, "\n")
		return before + "\n" + rest
	}
}

func TestMutants(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			d := newDist(t, manifests.XZ)
			sound := string(d.channel.Encode(manifests.DialectDist))
			text := strings.Replace(sound, strings.ReplaceAll(m.old, "{base}", d.server+"/dist"), m.new, 1)
			if edit := edits[m.name]; edit != nil {
				text = edit(sound)
			}
			if text == sound {
				t.Fatal("the mutant is the original")
			}
			_, findings, _ := manifests.CheckChannel([]byte(text))
			if !slices.ContainsFunc(findings, func(f manifests.Finding) bool { return f.ID == m.id }) {
				t.Errorf("got findings %v, want %s", findings, m.id)
			}
			d.writeManifest(t, []byte(text))
			out, err := newClient(t, d).install(t, stableToolchain, "default")
			if refused := err != nil; refused != m.refused {
				t.Errorf("rustup: got refused %v, want %v: %v\n%s", refused, m.refused, err, out)
			}
		})
	}
}

// TestRustupInstallsFromEditedChannel mirrors a part of a channel that was made
// on two machines to another place, and lets rustup install from there.
func TestRustupInstallsFromEditedChannel(t *testing.T) {
	t.Parallel()
	d := newDist(t, manifests.XZ)
	docs := subset(t, d.channel, manifests.Selection{Packages: []string{"rust-docs", "clippy", "rust-std"}})
	tools := subset(t, d.channel, manifests.Selection{Packages: []string{"rustc", "cargo", "rust-std", "rustfmt"}})
	merged := merge(t, docs, tools) // all but rust-src
	part := subset(t, merged, manifests.Selection{Packages: []string{"rustc", "cargo", "rust-std", "rustfmt"}})
	server := t.TempDir()
	mirror := dist{server: "file://" + server, dir: filepath.Join(server, "dist")}
	if err := os.Mkdir(mirror.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var err error
	if mirror.channel, err = part.Rebase(d.server+"/dist", mirror.server+"/dist"); err != nil {
		t.Fatal(err)
	}
	for _, download := range mirror.channel.Downloads() {
		name := filepath.Base(download.URL)
		if err := os.Rename(filepath.Join(d.dir, name), filepath.Join(mirror.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	version, err := mirror.channel.Version()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifests.ChannelFiles(version.Names(), version.CommitHash, mirror.channel, manifests.DialectDist) {
		writeFile(t, filepath.Join(mirror.dir, f.Name), f.Data)
	}
	c := newClient(t, mirror)
	if out, err := c.install(t, "1.95-"+linuxGNU, "default"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := withHost("cargo", "rust-std", "rustc", "rustfmt-preview")
	if diff := cmp.Diff(want, c.components(t, "1.95-"+linuxGNU)); diff != "" {
		t.Errorf("components (-want +got)\n%s", diff)
	}
	c.must(t, "target", "add", wasm, "--toolchain", "1.95-"+linuxGNU)
	if out, err := c.run(t, "component", "add", "clippy", "--toolchain", "1.95-"+linuxGNU); err == nil {
		t.Errorf("rustup added what is not in the channel:\n%s", out)
	}
}
