package install

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/tests/testenv"
)

const (
	thisHost  = "x86_64-unknown-linux-gnu"
	otherHost = "aarch64-unknown-linux-gnu"
	tgz       = "-" + thisHost + ".tar.gz"
)

// shop has archives, written once for all tests: of two releases and two hosts, one in
// three formats, a combined one, and one of a component that Rust does not have.
var shop struct {
	sync.Once
	files map[string]string // content by name
}

func archives(t testing.TB) map[string]string {
	t.Helper()
	shop.Do(func() {
		rustc := dist.Component{Name: "rustc", Image: image(t, "bin/rustc*", "lib/librustc_driver.so", "share/man/man1/rustc.1", "share/doc/rust/README", "etc/rust.conf")}
		std := dist.Component{Name: "rust-std-" + thisHost, Image: image(t, "lib/rustlib/"+thisHost+"/lib/libstd.rlib")}
		far := dist.Component{Name: "rust-std-" + otherHost, Image: image(t, "lib/rustlib/"+otherHost+"/lib/libstd.rlib")}
		cargo := dist.Component{Name: "cargo", Image: image(t, "bin/cargo*", "etc/bash_completion.d/cargo", "libexec/credential*")}
		docs := dist.Component{Name: "rust-docs", BulkDirs: []string{"share/doc/rust/html"}, Image: image(t, "share/doc/rust/html/index.html")}
		clippy := dist.Component{Name: "clippy-preview", Image: image(t, "bin/cargo-clippy*")}
		dir := t.TempDir()
		write := func(name string, formats []archive.Format, components ...dist.Component) {
			w := archive.Writer{Formats: formats, SkipReadBack: true}
			_, err := w.Write(t.Context(), dir, dist.Package{Name: name, Components: components})
			testenv.Must(t, err)
		}
		gz := []archive.Format{archive.GZ}
		write("rustc-1.95.0-"+thisHost, gz, rustc)
		write("rust-std-1.95.0-"+thisHost, gz, std)
		write("rust-std-1.95.0-"+otherHost, gz, far)
		write("cargo-1.95.0-"+thisHost, []archive.Format{archive.GZ, archive.XZ, archive.Zst}, cargo)
		write("cargo-1.95.0-"+otherHost, gz, cargo)
		write("cargo-1.96.0-"+thisHost, gz, cargo)
		write("rust-docs-1.95.0-"+thisHost, gz, docs)
		write("clippy-1.95.0-"+thisHost, gz, clippy)
		write("rust-1.95.0-"+thisHost, gz, rustc, std, cargo, docs, clippy)
		write("tool-1.0", gz, dist.Component{Name: "tool", Image: image(t, "bin/tool*")})
		shop.files = testenv.Contents(t, dir)
	})
	return shop.files
}

// box is a directory with all that a test may touch: archives in src, the prefix p, and
// what is outside of it.
type box struct {
	t    *testing.T
	top  string
	opts Options
	from From
}

func newBox(t *testing.T) *box {
	b := &box{t: t, top: t.TempDir()}
	b.opts = Options{Prefix: b.path("p")}
	b.from = From{Dir: b.path("src"), Host: thisHost}
	put(t, b.path("outside/canary"), "mine")
	testenv.Must(t, os.Mkdir(b.path("src"), 0o755))
	return b
}

func (b *box) path(name string) string { return filepath.Join(b.top, name) }

// has copies archives to src, without their digests.
func (b *box) has(names ...string) {
	b.t.Helper()
	for _, name := range names {
		data, ok := archives(b.t)[name]
		if !ok {
			b.t.Fatalf("no archive is called %q", name)
		}
		put(b.t, b.path("src/"+name), data)
	}
}

// takes installs from these sources; has copies the archives among them.
func (b *box) takes(names ...string) {
	b.t.Helper()
	b.has(names...)
	b.from.Sources = append(b.from.Sources, names...)
}

// all copies the archives of the release 1.95.0 for this host and has all of them for sources.
func (b *box) all() {
	b.t.Helper()
	for name := range archives(b.t) {
		if strings.Contains(name, "-1.95.0-") && !strings.HasSuffix(name, manifests.ChecksumExt) {
			b.has(name)
		}
	}
	b.from.Sources = []string{b.path("src")}
}

// unpacked unpacks an archive to a directory.
func (b *box) unpacked(name, dir string) {
	b.t.Helper()
	b.has(name)
	testenv.Must(b.t, archive.Unpack(b.t.Context(), b.path("src/"+name), b.path(dir), archive.UnpackOptions{StripTop: true}))
	b.from.Sources = append(b.from.Sources, b.path(dir))
}

// link plants a symbolic link.
func (b *box) link(name, target string) {
	b.t.Helper()
	testenv.Must(b.t, os.MkdirAll(filepath.Dir(b.path(name)), 0o755))
	testenv.Must(b.t, os.Symlink(target, b.path(name)))
}

// change edits an archive.
func (b *box) change(name string, f func([]byte) []byte) {
	b.t.Helper()
	data, err := os.ReadFile(b.path("src/" + name))
	testenv.Must(b.t, err)
	testenv.Must(b.t, os.WriteFile(b.path("src/"+name), f(data), 0o644))
}

// fails holds that the installation fails with a message, and that nothing at all is
// changed by it.
func (b *box) fails(want string) {
	b.t.Helper()
	before := testenv.Tree(b.t, b.top)
	done, err := RunFrom(b.t.Context(), b.opts, b.from)
	switch {
	case err == nil:
		b.t.Fatalf("got components %q, want an error with %q", done.Components, want)
	case !strings.Contains(err.Error(), want):
		b.t.Errorf("got error %q, want one with %q", err, want)
	case strings.Contains(err.Error(), "escapes from parent"), len(err.Error()) > 1000:
		b.t.Errorf("the error reads badly: %q", err)
	}
	if diff := cmp.Diff(before, testenv.Tree(b.t, b.top)); diff != "" {
		b.t.Errorf("(-before +after)\n%s", diff)
	}
}

// packed is a tar.gz file of hand-made members, by pairs of name and content: "NAME -> TARGET" for links.
func packed(t testing.TB, members ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for i := 0; i < len(members); i += 2 {
		h := &tar.Header{Name: members[i], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(members[i+1])), Format: tar.FormatGNU}
		if name, target, ok := strings.Cut(h.Name, " -> "); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		}
		testenv.Must(t, w.WriteHeader(h))
		_, err := w.Write([]byte(members[i+1]))
		testenv.Must(t, err)
	}
	testenv.Must(t, w.Close())
	testenv.Must(t, z.Close())
	return out.String()
}

// tool is the archive of a component tool, with more members.
func tool(t testing.TB, version string, more ...string) string {
	return packed(t, slices.Concat([]string{
		"tool-1/rust-installer-version", version, "tool-1/components", "tool\n", "tool-1/tool/manifest.in", "file:bin/tool\n", "tool-1/tool/bin/tool", "#!/bin/sh\n",
	}, more)...)
}

// TestRefusedSources has what cannot be installed, or not so.
func TestRefusedSources(t *testing.T) {
	const cargo, rustc, whole = "cargo-1.95.0" + tgz, "rustc-1.95.0" + tgz, "rust-1.95.0" + tgz
	for _, tt := range []struct {
		name, want string
		set        func(b *box)
	}{
		// Names.
		{"unknown component of an archive", `choosing component "carg": no such component; the sources have cargo: did you mean cargo?`, func(b *box) {
			b.takes(cargo)
			b.from.Components = []string{"carg"}
		}},
		{"unknown component of a combined archive", `choosing component "rustcc": no such component`, func(b *box) {
			b.takes(whole)
			b.from.Components = []string{"rustc", "rustcc"}
		}},
		{"unknown component of a directory", `choosing component "clipy": no such component`, func(b *box) {
			b.all()
			b.from.Components = []string{"rustc", "clipy"}
		}},
		{"unknown component to leave out", `choosing component "clipy": no such component`, func(b *box) {
			b.all()
			b.from.Without = []string{"clipy"}
		}},
		{"component of another target", `choosing component "rust-std-i686-unknown-linux-gnu": no such component`, func(b *box) {
			b.all()
			b.from.Components = []string{"rust-std-i686-unknown-linux-gnu"}
		}},
		{"nothing left", "nothing to install", func(b *box) {
			b.takes(cargo)
			b.from.Without = []string{"cargo"}
		}},
		{"nothing left of a directory", "nothing", func(b *box) {
			b.all()
			b.from.Components, b.from.Without = []string{"cargo"}, []string{"cargo"}
		}},
		{"target that is not there", `choosing target "riscv64gc-unknown-linux-gnu": the sources have no rust-std for it`, func(b *box) {
			b.all()
			b.from.Targets = []string{"riscv64gc-unknown-linux-gnu"}
		}},
		{"target of an archive", `choosing target "aarch64-unknown-linux-gnu": the sources are single archives`, func(b *box) {
			b.takes(rustc)
			b.from.Targets = []string{otherHost}
		}},
		{"profile of a directory without a channel", `choosing profile "minimal": only a channel has profiles`, func(b *box) {
			b.all()
			b.from.Profile = "minimal"
		}},
		{"profile of an archive", `choosing profile "minimal": only a channel has profiles`, func(b *box) {
			b.takes(rustc)
			b.from.Profile = "minimal"
		}},
		{"host that is not there", `no archives for host "powerpc-unknown-linux-gnu", only for aarch64-unknown-linux-gnu, x86_64-unknown-linux-gnu`, func(b *box) {
			b.all()
			b.from.Host = "powerpc-unknown-linux-gnu"
		}},

		// Several sources.
		{"two releases in a directory", "the directory has archives of 1.95.0 and of 1.96.0: name the archives of one", func(b *box) {
			b.all()
			b.has("cargo-1.96.0" + tgz)
			testenv.Must(b.t, os.Remove(b.path("src/"+cargo)))
			testenv.Must(b.t, os.Remove(b.path("src/cargo-1.95.0-"+thisHost+".tar.xz")))
			testenv.Must(b.t, os.Remove(b.path("src/cargo-1.95.0-"+thisHost+".tar.zst")))
		}},
		{"a component in two releases", `component "cargo" is also in`, func(b *box) { b.takes(cargo, "cargo-1.96.0"+tgz) }},
		{"a component in two formats", `component "cargo" is also in`, func(b *box) { b.takes(cargo, "cargo-1.95.0-"+thisHost+".tar.xz") }},
		{"a combined archive and one of its parts", `component "cargo" is also in`, func(b *box) { b.takes(whole, cargo) }},
		{"an unpacked archive and itself", `component "cargo" is also in`, func(b *box) {
			b.takes(cargo)
			b.unpacked(cargo, "tree")
		}},
		{"two owners of a file", `"bin/tool" belongs to component`, func(b *box) {
			b.takes("tool-1.0.tar.gz")
			put(b.t, b.path("src/other-1.tar.gz"), packed(b.t, "o/rust-installer-version", "3\n", "o/components", "other\n", "o/other/manifest.in", "file:bin/tool\n", "o/other/bin/tool", "x"))
			b.from.Sources = append(b.from.Sources, "other-1.tar.gz")
		}},

		// Damage.
		{"cut in the middle", cargo, func(b *box) {
			b.takes(cargo)
			b.change(cargo, func(d []byte) []byte { return d[:len(d)/2] })
		}},
		{"cut at its end", cargo, func(b *box) {
			b.takes(cargo)
			b.change(cargo, func(d []byte) []byte { return d[:len(d)-1] })
		}},
		{"empty", cargo, func(b *box) {
			b.takes(cargo)
			b.change(cargo, func([]byte) []byte { return nil })
		}},
		{"a byte changed", cargo, func(b *box) {
			b.takes(cargo)
			b.change(cargo, func(d []byte) []byte { d[len(d)/2] ^= 0xff; return d })
		}},
		{"more behind its end", cargo, func(b *box) {
			b.takes(cargo)
			b.change(cargo, func(d []byte) []byte { return append(d, "more"...) })
		}},
		{"a page of a server", "not a gz, xz or zst file", func(b *box) {
			b.takes(cargo)
			b.change(cargo, func([]byte) []byte { return []byte("<!DOCTYPE html>\n<p>Not found\n") })
		}},
		{"another digest beside it", "want " + strings.Repeat("0", 64) + ": it is damaged, or not the file that was meant", func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("src/"+cargo+".sha256"), strings.Repeat("0", 64)+"  "+cargo+"\n")
		}},
		{"no digest in the file beside it", "parsing checksum file", func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("src/"+cargo+".sha256"), "")
		}},
		{"a directory for a digest", ".sha256", func(b *box) {
			b.takes(cargo)
			testenv.Must(b.t, os.Mkdir(b.path("src/"+cargo+".sha256"), 0o755))
		}},
		{"the second of two is damaged", rustc, func(b *box) {
			b.takes(cargo, rustc)
			b.change(rustc, func(d []byte) []byte { d[len(d)-20] ^= 0xff; return d })
		}},
		{"of version 1", "version", func(b *box) { b.archive(tool(b.t, "1\n")) }},
		{"of version 4", "version", func(b *box) { b.archive(tool(b.t, "4\n")) }},
		{"no installer's", "rust-installer-version is missing", func(b *box) { b.archive(packed(b.t, "a/b", "c")) }},
		{"a file that no list names", `names "bin/more"`, func(b *box) { b.archive(tool(b.t, "3\n", "tool-1/tool/bin/more", "x")) }},
		{"a name that climbs out", "..", func(b *box) { b.archive(tool(b.t, "3\n", "tool-1/tool/../../outside/evil", "x")) }},
		{"an absolute name", "/tmp/evil", func(b *box) { b.archive(tool(b.t, "3\n", "/tmp/evil", "x")) }},
		{"a link", "link", func(b *box) { b.archive(tool(b.t, "3\n", "tool-1/tool/lib -> /", "")) }},
		{"a list that climbs out", "..", func(b *box) {
			b.archive(packed(b.t, "t/rust-installer-version", "3\n", "t/components", "tool\n", "t/tool/manifest.in", "file:../../evil\n", "t/tool/bin/tool", "x"))
		}},
		{"a component that climbs out", "..", func(b *box) {
			b.archive(packed(b.t, "t/rust-installer-version", "3\n", "t/components", "..\n", "t/tool/manifest.in", "file:bin/tool\n", "t/tool/bin/tool", "x"))
		}},
		{"a component that is not there", `component "lost" is listed, but has no directory`, func(b *box) {
			b.archive(packed(b.t, "t/rust-installer-version", "3\n", "t/components", "lost\n", "t/version", "1\n"))
		}},

		// Sources.
		{"empty name", `source "": it is empty`, func(b *box) { b.from.Sources = []string{""} }},
		{"a digest", `source "` + cargo + `.sha256": it is a digest: name the archive "` + cargo + `"`, func(b *box) { b.takes(cargo + ".sha256") }},
		{"the same unknown name twice", `choosing component "carg": no such component; the sources have cargo, clippy, rust-docs, rust-std, rustc: did you mean cargo?`, func(b *box) {
			b.all()
			b.from.Without = []string{"carg", "carg"}
		}},
		{"misspelt", `source "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.g": no such file or directory: did you mean ` + cargo + "?", func(b *box) {
			b.has(cargo)
			b.from.Sources = []string{strings.TrimSuffix(cargo, "z")}
		}},
		{"empty directory", "the directory has neither archives", func(b *box) { b.from.Sources = []string{b.path("src")} }},
		{"archives of sources", "sources", func(b *box) {
			put(b.t, b.path("src/rust-src-1.95.0.tar.gz"), tool(b.t, "3\n"))
			b.from.Sources = []string{"rustc-1.95.0-src.tar.gz"}
			put(b.t, b.path("src/rustc-1.95.0-src.tar.gz"), packed(b.t, "rustc-1.95.0-src/x.py", "x"))
		}},
		{"installed toolchain", "it is an installed toolchain", func(b *box) {
			put(b.t, b.path("tree/lib/rustlib/components"), "cargo\n")
			b.from.Sources = []string{b.path("tree")}
		}},
		{"link in an unpacked archive", `cargo: no line of manifest.in names "lib"`, func(b *box) {
			b.unpacked(cargo, "tree")
			b.link("tree/cargo/lib", "/")
		}},
		{"file missing in an unpacked archive", "file:bin/cargo names no member", func(b *box) {
			b.unpacked(cargo, "tree")
			testenv.Must(b.t, os.Remove(b.path("tree/cargo/bin/cargo")))
		}},
		{"unpacked archive of version 4", "version", func(b *box) {
			b.unpacked(cargo, "tree")
			put(b.t, b.path("tree/rust-installer-version"), "4\n")
		}},

		// Places.
		{"into the source", "is what it is to be installed from: name another directory", func(b *box) {
			b.unpacked(cargo, "tree")
			b.opts.Prefix = b.path("tree")
		}},
		{"below the source", "is what it is to be installed from", func(b *box) {
			b.unpacked(cargo, "tree")
			b.opts.Prefix = b.path("tree/cargo/new")
		}},
		{"into the source, through a link", "is what it is to be installed from", func(b *box) {
			b.unpacked(cargo, "tree")
			b.link("p", "tree")
		}},
		{"one directory in the source", "is what it is to be installed from", func(b *box) {
			b.unpacked(cargo, "tree")
			b.opts.Sysconfdir = b.path("tree/etc")
		}},
		{"staged into the source", "is what it is to be installed from", func(b *box) {
			b.unpacked(cargo, "tree")
			b.opts = Options{DestDir: b.path("tree"), Prefix: "/usr"}
		}},
		{"a file in the way of a directory", `bin" exists and is not a directory`, func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("p/bin"), "mine")
		}},
		{"a file for the prefix", "not a directory", func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("p"), "mine")
		}},
		{"an installation of version 1", `got installed version "1"`, func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("p/lib/rustlib/rust-installer-version"), "1\n")
		}},
		{"an installation of version 4", `got installed version "4"`, func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("p/lib/rustlib/rust-installer-version"), "4\n")
		}},
		{"a file of another component", `it belongs to installed component "other"; install that too, or uninstall it first`, func(b *box) {
			b.takes(cargo)
			put(b.t, b.path("p/lib/rustlib/components"), "other\n")
			put(b.t, b.path("p/lib/rustlib/manifest-other"), "file:"+b.path("p/bin/cargo")+"\n")
		}},
		{"the root", "the prefix is the root directory", func(b *box) {
			b.takes(cargo)
			b.opts.Prefix = "/"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			tt.set(b)
			b.fails(tt.want)
			if b.opts.Prefix != "/" {
				b.opts.DryRun = true
				b.fails(tt.want)
			}
		})
	}
}

// archive installs from an archive of this content.
func (b *box) archive(data string) {
	put(b.t, b.path("src/made-1.tar.gz"), data)
	b.from.Sources = []string{"made-1.tar.gz"}
}

// TestLinksOut has links that lead out of the prefix, or out of the staging directory,
// in the place of each directory that is written to.
func TestLinksOut(t *testing.T) {
	const rustc, docs = "rustc-1.95.0" + tgz, "rust-docs-1.95.0" + tgz
	for _, staged := range []bool{false, true} {
		below := "p/"
		if staged {
			below = "d/usr/"
		}
		for _, name := range []string{"lib", "lib/rustlib", "bin", "share", "share/man", "share/man/man1", "share/doc/rust", "share/doc/rust/html", "etc", "/usr", "/etc"} {
			for _, target := range []string{"TOP/outside", "DOTS/outside"} {
				t.Run(fmt.Sprintf("%t %s %s", staged, name, target), func(t *testing.T) {
					t.Parallel()
					b := newBox(t)
					b.takes(rustc, docs)
					at := below + name
					if staged {
						b.opts = Options{DestDir: b.path("d"), Prefix: "/usr"}
					}
					if name[0] == '/' {
						if !staged {
							return
						}
						at = "d" + name
						b.opts.Sysconfdir = "/etc"
					}
					dots := strings.Repeat("../", strings.Count(at, "/"))
					b.link(at, strings.NewReplacer("TOP", b.top, "DOTS/", dots).Replace(target))
					b.fails(fmt.Sprintf("the link %q leads out of %q", b.path(at), cmpOr(staged, b.path("d"), b.path("p"))))
				})
			}
		}
	}
}

func cmpOr(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// TestOddPlaces has links and other files in places where they may be: they are
// followed as far as they stay inside, or kept.
func TestOddPlaces(t *testing.T) {
	const cargo = "cargo-1.95.0" + tgz
	for _, tt := range []struct {
		name string
		set  func(b *box)
		want []string // of the outside, and of what else matters
	}{
		{"the prefix is a link", func(b *box) { b.link("p", "real"); testenv.Must(b.t, os.Mkdir(b.path("real"), 0o755)) }, []string{"real/bin/cargo"}},
		{"the staging directory is a link", func(b *box) {
			b.link("d", "real")
			testenv.Must(b.t, os.Mkdir(b.path("real"), 0o755))
			b.opts = Options{DestDir: b.path("d"), Prefix: "/usr", Sysconfdir: "/etc"}
		}, []string{"real/usr/bin/cargo", "real/etc/bash_completion.d/cargo"}},
		{"a directory is a link that stays inside", func(b *box) {
			b.link("p/bin", "tools")
			testenv.Must(b.t, os.Mkdir(b.path("p/tools"), 0o755))
		}, []string{"p/tools/cargo"}},
		{"a file is a link that leads out", func(b *box) { b.link("p/bin/cargo", b.path("outside/canary")) }, []string{"p/bin/cargo", "p/bin/cargo.old"}},
		{"a file is a link to nowhere", func(b *box) { b.link("p/bin/cargo", "/nowhere/at/all") }, []string{"p/bin/cargo", "p/bin/cargo.old"}},
		{"a directory in the way of a file", func(b *box) { put(b.t, b.path("p/bin/cargo/mine"), "mine") }, []string{"p/bin/cargo", "p/bin/cargo.old/mine"}},
		{"no prefix above", func(b *box) { b.opts.Prefix = b.path("a/b/c") }, []string{"a/b/c/bin/cargo"}},
		{"dots in the staged prefix", func(b *box) { b.opts = Options{DestDir: b.path("d"), Prefix: "/../../usr"} }, []string{"d/usr/bin/cargo"}},
		{"dots in a staged directory", func(b *box) {
			b.opts = Options{DestDir: b.path("d"), Prefix: "/usr", Sysconfdir: "/../../etc", Bindir: "../../../sbin"}
		}, []string{"d/etc/bash_completion.d/cargo", "d/sbin/cargo"}},
		{"the records are there, empty", func(b *box) { testenv.Must(b.t, os.MkdirAll(b.path("p/lib/rustlib"), 0o755)) }, []string{"p/bin/cargo"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.takes(cargo)
			tt.set(b)
			_, err := RunFrom(t.Context(), b.opts, b.from)
			testenv.Must(t, err)
			tree := testenv.Tree(t, b.top)
			for _, name := range tt.want {
				if tree[name] == "" {
					t.Errorf("%q is missing", name)
				}
			}
			if diff := cmp.Diff(map[string]string{"canary": "-rw-r--r-- mine"}, testenv.Tree(t, b.path("outside"))); diff != "" {
				t.Errorf("outside (-want +got)\n%s", diff)
			}
			// What was installed goes again, and what was there is still there.
			_, err = Uninstall(t.Context(), b.opts)
			testenv.Must(t, err)
			for name := range testenv.Tree(t, b.top) {
				if strings.HasSuffix(name, "cargo") || strings.Contains(name, "rustlib") && !strings.Contains(tt.name, "records") {
					t.Errorf("%q is left", name)
				}
			}
		})
	}
}

// TestSpellings chooses components by every name that they have.
func TestSpellings(t *testing.T) {
	whole := []string{"rust-1.95.0" + tgz}
	dir, small := []string{""}, []string{"."}
	singles := []string{"rustc-1.95.0" + tgz, "clippy-1.95.0" + tgz, "rust-std-1.95.0" + tgz}
	const std, far = "rust-std-" + thisHost, "rust-std-" + otherHost
	for _, tt := range []struct {
		name          string
		sources       []string
		only, without string
		targets       string
		want          string
	}{
		{"archive", []string{"cargo-1.95.0" + tgz}, "", "", "", "cargo"},
		{"another host's archive", []string{"cargo-1.95.0-" + otherHost + ".tar.gz"}, "", "", "", "cargo"},
		{"unknown archive", []string{"tool-1.0.tar.gz"}, "", "", "", "tool"},
		{"unknown archive by name", []string{"tool-1.0.tar.gz"}, "tool", "", "", "tool"},
		{"archive and digest", []string{"cargo-1.95.0" + tgz, "cargo-1.95.0" + tgz + ".sha256"}, "", "", "", "cargo"},
		{"combined", whole, "", "", "", "rustc " + std + " cargo rust-docs clippy-preview"},
		{"package name", whole, "clippy-preview", "", "", "clippy-preview"},
		{"archive name", whole, "clippy", "", "", "clippy-preview"},
		{"with the target", whole, "clippy-" + thisHost, "", "", "clippy-preview"},
		{"package name with the target", whole, "clippy-preview-" + thisHost, "", "", "clippy-preview"},
		{"short", whole, "rust-std,rustc", "", "", std + " rustc"},
		{"long", whole, std, "", "", std},
		{"twice", whole, "clippy,clippy-preview,clippy", "", "", "clippy-preview"},
		{"without a short name", whole, "", "rust-std,clippy,rust-docs", "", "cargo rustc"},
		{"without a long name", whole, "", std + ",clippy-preview-" + thisHost + ",rust-docs-" + thisHost, "", "cargo rustc"},
		{"both", whole, "rustc,cargo,clippy", "cargo", "", "rustc clippy-preview"},
		{"single archives", singles, "", "clippy", "", "rustc " + std},
		{"single archives by name", singles, "clippy-preview," + std, "", "", "clippy-preview " + std},
		{"directory", dir, "", "", "", "rustc " + std + " cargo rust-docs clippy-preview"},
		{"directory, one", dir, "clippy-preview", "", "", "clippy-preview"},
		{"directory, one of another target", dir, far, "", "", far},
		{"directory, both targets", dir, "", "rust-docs,clippy,cargo", otherHost, "rustc " + std + " " + far},
		{"directory, this target again", dir, "", "rust-docs,clippy,cargo", thisHost, "rustc " + std},
		{"directory, short for one target", dir, "rust-std", "", "", std},
		{"directory, short for both targets", dir, "rust-std", "", otherHost, std + " " + far},
		{"directory, a target besides a component", dir, "cargo", "", otherHost, "cargo " + far},
		{"directory of a combined archive", small, "", "", "", "rustc " + std + " cargo rust-docs clippy-preview"},
		{"directory of a combined archive, both targets", small, "", "rust-docs", otherHost, "rustc " + std + " cargo clippy-preview " + far},
		{"directory of a combined archive, a target besides a component", small, "cargo", "", thisHost + "," + otherHost, "cargo " + far},
		{"directory without", dir, "", "rust-docs,clippy-preview", "", "rustc cargo " + std},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			switch tt.sources[0] {
			case "":
				b.all()
			case ".":
				b.has("rust-1.95.0"+tgz, "rust-std-1.95.0-"+otherHost+".tar.gz")
				b.from.Sources = []string{b.path("src")}
			default:
				b.takes(tt.sources...)
			}
			b.from.Components, b.from.Without, b.from.Targets = list(tt.only), list(tt.without), list(tt.targets)
			want := strings.Fields(tt.want)
			slices.Sort(want)
			b.opts.DryRun = true
			for range 2 {
				done, err := RunFrom(t.Context(), b.opts, b.from)
				testenv.Must(t, err)
				slices.Sort(done.Components)
				if diff := cmp.Diff(want, done.Components); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				b.opts.DryRun = false
			}
			data, err := os.ReadFile(b.path("p/lib/rustlib/components"))
			testenv.Must(t, err)
			got := strings.Fields(string(data))
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the records (-want +got)\n%s", diff)
			}
		})
	}
}

func list(names string) []string {
	if names == "" {
		return nil
	}
	return strings.Split(names, ",")
}

// TestUnwritable installs where it must not write.
func TestUnwritable(t *testing.T) {
	for _, dir := range []string{"p", "q"} {
		b := newBox(t)
		b.takes("cargo-1.95.0" + tgz)
		testenv.Must(t, os.MkdirAll(b.path(dir), 0o755))
		before := testenv.Tree(t, b.top)
		testenv.Must(t, os.Chmod(filepath.Dir(b.top), 0o755))
		testenv.Must(t, os.Chmod(b.path(dir), 0o555))
		b.opts.Prefix = b.path(map[string]string{"p": "p", "q": "q/p"}[dir])
		testenv.AsNobody(t, func() {
			_, err := RunFrom(t.Context(), b.opts, b.from)
			if err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), b.opts.Prefix) {
				t.Errorf("%s: got error %v", dir, err)
			}
		})
		testenv.Must(t, os.Chmod(b.path(dir), 0o755))
		if diff := cmp.Diff(before, testenv.Tree(t, b.top)); diff != "" {
			t.Errorf("%s (-before +after)\n%s", dir, diff)
		}
	}
}
