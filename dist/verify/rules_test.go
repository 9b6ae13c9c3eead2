package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// packOf is an archive with one component and these lines.
func packOf(t *testing.T, file string, lines ...string) pack {
	t.Helper()
	name, err := manifests.ParseArchiveName(file)
	foreign := err != nil
	if foreign {
		if name, err = manifests.FindName(file, nil); err != nil {
			t.Fatal(err)
		}
	}
	l := &archive.Layout{Files: map[string]archive.Member{}, Dirs: map[string]bool{}, Lists: map[string]manifests.FileList{}, Components: []string{"c"}}
	for _, line := range lines {
		line, content, _ := strings.Cut(line, " ")
		kind, path, _ := strings.Cut(line, ":")
		d := manifests.Directive{Kind: manifests.FileDirective, Path: path}
		if kind == "dir" {
			d.Kind = manifests.DirDirective
			l.Files["c/"+content] = archive.Member{}
		}
		l.Lists["c"] = append(l.Lists["c"], d)
	}
	a := &scanned{Facts: &archive.Facts{}, archiveFile: archiveFile{path: file, file: file, stem: name.Stem()}}
	return pack{scanned: a, Layout: l, name: name, known: true, foreign: foreign}
}

// Conflicts are those that rustup detects: between archives that one toolchain can
// have, of paths and of what lies in the directory of another.
func TestOwnerConflicts(t *testing.T) {
	const gnu, wasm, arm = "-x86_64-unknown-linux-gnu.tar.xz", "-wasm32-unknown-unknown.tar.xz", "-aarch64-unknown-linux-gnu.tar.xz"
	type archives [][]string
	for name, tt := range map[string]struct {
		archives archives
		want     string
	}{
		"one host":                   {archives{{"rustc-1.95.0" + gnu, "file:bin/x"}, {"cargo-1.95.0" + gnu, "file:bin/x"}}, "bin/x"},
		"two hosts":                  {archives{{"rustc-1.95.0" + gnu, "file:bin/x"}, {"cargo-1.95.0" + arm, "file:bin/x"}}, ""},
		"two releases":               {archives{{"rustc-1.95.0" + gnu, "file:bin/x"}, {"cargo-1.94.0" + gnu, "file:bin/x"}}, ""},
		"host and all":               {archives{{"rustc-1.95.0" + gnu, "file:a"}, {"rust-src-1.95.0.tar.xz", "file:a"}}, "a"},
		"std of two targets":         {archives{{"rust-std-1.95.0" + gnu, "file:a"}, {"rust-std-1.95.0" + wasm, "file:a"}}, "a"},
		"directory inside":           {archives{{"rust-docs-1.95.0" + gnu, "dir:html html/rustc/i"}, {"rustc-docs-1.95.0" + gnu, "dir:html/rustc html/rustc/l"}}, ""},
		"directory inside, by files": {archives{{"rustc-docs-1.95.0" + gnu, "file:html/rustc/l", "file:html/rustc/m"}, {"rust-docs-1.95.0" + gnu, "dir:html html/i"}}, ""},
		"content inside":             {archives{{"rust-docs-1.95.0" + gnu, "dir:html html/rustc/i"}, {"rustc-docs-1.95.0" + gnu, "file:html/rustc/i"}}, "html/rustc/i"},
		"file above":                 {archives{{"rustc-1.95.0" + gnu, "file:share/x"}, {"cargo-1.95.0" + gnu, "file:share/x/y"}}, "share/x"},
		"component of others":        {archives{{"cargo-1.95.0" + gnu, "file:bin/cargo"}, {"acme-tool-7.1" + gnu, "file:bin/cargo"}}, "bin/cargo"},
		"two of others":              {archives{{"acme-7.1" + gnu, "file:bin/a"}, {"acme-headers-2.tar.xz", "file:bin/a"}}, "bin/a"},
		"rustup's records":           {archives{{"acme-7.1" + gnu, "file:lib/rustlib/multirust-config.toml"}}, "multirust-config.toml"},
	} {
		var packs []pack
		for _, a := range tt.archives {
			packs = append(packs, packOf(t, a[0], a[1:]...))
		}
		var got, warned []string
		for _, s := range checkOwners(packs) {
			for _, c := range s.checks() {
				warned = append(warned, c.Warnings...)
				if c.Status == Fail {
					got = append(got, c.Detail)
				}
			}
		}
		if nested := strings.HasPrefix(name, "directory inside"); nested != (len(warned) == 1) {
			t.Errorf("%s: got warnings %q, want one: %t", name, warned, nested)
		}
		if (len(got) > 0) != (tt.want != "") || tt.want != "" && !strings.Contains(got[0], tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// A channel holds the release that its name promises.
func TestChannelNames(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		ok            bool
	}{
		{"stable", "1.95.0 (a 2026-04-14)", true}, {"stable", "1.95.0-beta.1 (a 2026-04-14)", false}, {"beta", "1.96.0-beta.2 (a 2026-04-14)", true},
		{"beta", "1.95.0", false}, {"nightly", "1.97.0-nightly (a 2026-04-14)", true}, {"nightly", "1.97.0-beta.1", false}, {"1.95.0", "1.95.0", true},
		{"1.95", "1.95.1", true}, {"1.95", "1.94.0", false}, {"1.9", "1.95.0", false}, {"1.95.0", "1.95.1", false}, {"1.96.0-beta", "1.96.0-beta.2", true},
		{"1.96.0-beta.2", "1.96.0-beta.2", true}, {"1.96.0-beta.1", "1.96.0-beta.2", false}, {"1.96.0", "1.96.0-beta.2", false}, {"dev", "1.96.0-dev", true},
	} {
		c := channelFile{
			at: "dist/channel-rust-" + tt.name + ".toml", subject: newSubject(""),
			channel: &manifests.Channel{Packages: map[string]manifests.Package{"rust": {Version: tt.version}}},
		}
		c.named()
		if got := !c.subject.failed(channelName); got != tt.ok {
			t.Errorf("%s of %s: got %t, want %t", tt.name, tt.version, got, tt.ok)
		}
	}
}

// What good mirrors have beside archives and manifests is no fault; what is wrong
// with it is one.
func TestSideFiles(t *testing.T) {
	sum := func(text, name string) string {
		return string(manifests.FormatChecksum(manifests.HashOf([]byte(text)), name))
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  Status
	}{
		"signature":            {map[string]string{"a.tar.xz": "", "a.tar.xz.asc": "x"}, Skip},
		"signature of nothing": {map[string]string{"a.tar.xz.asc": "x"}, Fail},
		"manifests.txt":        {map[string]string{"manifests.txt": "static.rust-lang.org/dist/2026-04-16/channel-rust-stable.toml\n"}, Pass},
		"bad manifests.txt":    {map[string]string{"manifests.txt": "<html>\n"}, Fail},
		"version 1":            {map[string]string{"channel-rust-stable": "rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz\n"}, Pass},
		"version 1, checksum":  {map[string]string{"channel-rust-stable": "a\n", "channel-rust-stable.sha256": sum("a\n", "channel-rust-stable")}, Pass},
		"bare checksum":        {map[string]string{"a.msi": "a", "a.msi.sha256": manifests.HashOf([]byte("a")).String() + "\n"}, Pass},
		"wrong checksum":       {map[string]string{"a.msi": "a", "a.msi.sha256": sum("b", "a.msi")}, Fail},
		"unknown":              {map[string]string{"a.msi": "a"}, Fail},
	} {
		dir := t.TempDir()
		in := &input{checked: map[string]bool{}}
		for file, text := range tt.files {
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, ".tar.xz") {
				in.others = append(in.others, path)
			}
		}
		s := in.unchecked(Options{})
		if n := len(s.out[inputUnchecked].findings); n > 1 {
			t.Errorf("%s: got %q, want one finding at most", name, s.out[inputUnchecked].findings)
		}
		if got := worst(s.checks()); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// The records of an installer are read, not only counted.
func TestInstalledRecords(t *testing.T) {
	sound := map[string]string{
		"bin/cargo": "", "lib/rustlib/components": "cargo\n", "lib/rustlib/manifest-cargo": "file:bin/cargo\n", "lib/rustlib/rust-installer-version": "3",
		"lib/rustlib/multirust-config.toml": "config_version = \"1\"\n",
	}
	for name, change := range map[string]map[string]string{
		"":               {},
		"is empty":       {"lib/rustlib/manifest-cargo": ""},
		"is missing":     {"lib/rustlib/manifest-cargo": "file:bin/none\n"},
		"..":             {"lib/rustlib/manifest-cargo": "file:../../etc/passwd\n"},
		"has no list":    {"lib/rustlib/components": "cargo\nrustc\n"},
		"belongs to no":  {"lib/rustlib/components": "", "lib/rustlib/manifest-rustc": "file:bin/cargo\n"},
		"\"2\"":          {"lib/rustlib/rust-installer-version": "2"},
		"multirust-chan": {"lib/rustlib/multirust-channel-manifest.toml": "[[pkg.x]\n"},
		"multirust-conf": {"lib/rustlib/multirust-config.toml": "[[components]\n"},
	} {
		prefix := t.TempDir()
		for _, files := range []map[string]string{sound, change} {
			for file, text := range files {
				path := filepath.Join(prefix, filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := inventoryOf(prefix)
		if (len(got) > 0) != (name != "") || name != "" && !strings.Contains(strings.Join(got, "\n"), name) {
			t.Errorf("%q: got %q", name, got)
		}
	}
}

// inventoryOf returns what is wrong with the records of an installer.
func inventoryOf(prefix string) []string {
	c := &sysrootChecker{t: &toolchain{prefix: prefix}, s: newSubject("")}
	c.inventory()
	return c.s.out[treeInventory].findings
}

// A tree below DESTDIR has lists that name its place, and it may have as many components
// as there are targets.
func TestInstalledRecordsOfStagedTree(t *testing.T) {
	const place = "/opt/no-such-rust"
	prefix := filepath.Join(t.TempDir(), filepath.FromSlash(place))
	records := filepath.Join(prefix, "lib", "rustlib")
	for _, dir := range []string{records, filepath.Join(prefix, "share", "doc")} {
		testenv.Must(t, os.MkdirAll(dir, 0o755))
	}
	write := func(name, text string) {
		testenv.Must(t, os.WriteFile(filepath.Join(records, name), []byte(text), 0o644))
	}
	write("rust-installer-version", "3")
	var components strings.Builder
	for i := range 300 {
		name := fmt.Sprintf("rust-std-target%d-unknown-linux-gnu", i)
		fmt.Fprintln(&components, name)
		write("manifest-"+name, "dir:"+place+"/share/doc\nfile:"+place+"/lib/rustlib/components\n")
	}
	write("components", components.String())
	if got := inventoryOf(prefix); len(got) > 0 {
		t.Errorf("got %d findings, first %q", len(got), got[0])
	}
}
