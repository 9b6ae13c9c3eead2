package verify_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"x.go/dist/archive"
	"x.go/dist/recompress"
	"x.go/dist/verify"
	"x.go/dist/xz"
)

// comp is the component directory of the archive that mutants are made of.
const comp = "rustfmt-preview/"

// mutants are the ways to break an archive, each with the check that must name
// it. They are the rows of what rustup 1.29 refuses and of what it wrongly
// accepts.
var mutants = []struct {
	name   string
	ext    string // of the archive; default gz
	mutate func(m *mutant)
	opts   verify.Options
	want   string
}{
	// The container.
	{name: "gz cut short", mutate: cut, want: "archive/readable"},
	{name: "xz cut short", ext: "xz", mutate: cut, want: "archive/readable"},
	{name: "zst cut short", ext: "zst", mutate: cut, want: "archive/readable"},
	{name: "gz with a flipped bit", mutate: flip, want: "archive/readable"},
	{name: "zst with a flipped bit", ext: "zst", mutate: flip, want: "archive/readable"},
	{name: "empty file", mutate: func(m *mutant) { m.packed = func([]byte) []byte { return nil } }, want: "archive/readable"},
	{name: "bare tar", mutate: func(m *mutant) { m.codec = "none" }, want: "archive/readable"},
	{name: "gz named xz", ext: "xz", mutate: func(m *mutant) { m.codec = "gz" }, want: "archive/format"},
	{name: "xz named gz", mutate: func(m *mutant) { m.codec = "xz" }, want: "archive/format"},
	{name: "zst named xz", ext: "xz", mutate: func(m *mutant) { m.codec = "zst" }, want: "archive/format"},
	{name: "two gzip members", mutate: func(m *mutant) { halves(m, "gz") }, want: "archive/single-stream"},
	{name: "two xz streams", ext: "xz", mutate: func(m *mutant) { halves(m, "xz") }, want: "archive/single-stream"},
	{name: "bytes after gzip", mutate: trail("junk"), want: "archive/trailing-bytes"},
	{name: "bytes after xz", ext: "xz", mutate: trail("junk"), want: "archive/trailing-bytes"},
	{name: "bytes after zstd", ext: "zst", mutate: trail("junk of some length"), want: "archive/trailing-bytes"},
	{name: "zeros that are no stream padding after xz", ext: "xz", mutate: trail("\x00\x00\x00"), want: "archive/trailing-bytes"},
	{name: "window of 256 MiB", ext: "zst", mutate: func(m *mutant) { m.codec = "zst-wide" }, want: "archive/decoder-memory"},
	{name: "dictionary of 192 MiB", ext: "xz", mutate: wideDictionary, want: "archive/decoder-memory"},
	{name: "more bytes than allowed", opts: verify.Options{Limits: archive.Limits{Unpacked: 100 << 10}}, want: "archive/limits"},
	{name: "more members than allowed", opts: verify.Options{Limits: archive.Limits{Members: 5}}, want: "archive/limits"},

	// The tar.
	{name: "tar cut in a member", mutate: func(m *mutant) { m.tar = func(b []byte) []byte { return b[:len(b)/2/512*512+100] } }, want: "archive/readable"},
	{name: "no zero blocks", mutate: cutTar(1024), want: "archive/tar-end"},
	{name: "one zero block", mutate: cutTar(512), want: "archive/tar-end"},
	{name: "bytes after the tar", mutate: func(m *mutant) { m.tar = func(b []byte) []byte { return append(b, "hidden"...) } }, want: "archive/tar-end"},
	{name: "broken header", mutate: func(m *mutant) { m.tar = func(b []byte) []byte { b[512+148] = 'z'; return b } }, want: "archive/readable"},

	{name: "a header that describes no member", mutate: func(m *mutant) {
		m.tar = func(b []byte) []byte { return slices.Concat(b[:len(b)-1024], paxHeader(), make([]byte, 1024)) }
	}, want: "archive/readable"},
	{name: "a malformed pax record", mutate: func(m *mutant) {
		m.tar = func(b []byte) []byte {
			return append(bytes.Replace(paxHeader(), []byte("13 comment"), []byte("14 comment"), 1), b...)
		}
	}, want: "archive/tar-header"},
	{name: "filter of ARM64", ext: "xz", mutate: func(m *mutant) {
		m.codec = "none"
		m.packed = func(b []byte) []byte {
			var out bytes.Buffer
			w := archive.Writer{Profile: archive.Fast, BCJ: xz.BCJARM64}
			if err := w.Compress(context.Background(), archive.XZ, &out, bytes.NewReader(b), 0); err != nil {
				panic(err)
			}
			return out.Bytes()
		}
	}, want: "archive/filter"},

	// The members.
	{name: "./ before all names", mutate: func(m *mutant) { rename(m, func(n string) string { return "./" + n }) }, want: "archive/member-name"},
	{name: "absolute name", mutate: func(m *mutant) { m.add("x", 0o644, ""); last(m).Name = "/etc/x" }, want: "archive/member-name"},
	{name: "name with ..", mutate: func(m *mutant) { m.add(comp+"../../x", 0o644, "") }, want: "archive/member-name"},
	{name: "name with a backslash", mutate: func(m *mutant) { m.add(comp+`bin\x`, 0o644, "") }, want: "archive/member-name"},
	{name: "name with a newline", mutate: func(m *mutant) { m.add(comp+"bin/x\ny", 0o644, "") }, want: "archive/member-name"},
	{name: "name that is no UTF-8", mutate: func(m *mutant) { m.add(comp+"bin/\xff", 0o644, "") }, want: "archive/member-name"},
	{name: "name with an empty part", mutate: func(m *mutant) { m.add(comp+"bin//x", 0o644, "") }, want: "archive/member-name"},
	{name: "symbolic link", mutate: func(m *mutant) { m.addLink(comp+"bin/x", tar.TypeSymlink, "rustfmt") }, want: "archive/member-kind"},
	{name: "hard link", mutate: func(m *mutant) { m.addLink(comp+"bin/x", tar.TypeLink, m.stem+"/install.sh") }, want: "archive/member-kind"},
	{name: "fifo", mutate: func(m *mutant) { m.addLink(comp+"bin/x", tar.TypeFifo, "") }, want: "archive/member-kind"},
	{name: "character device", mutate: func(m *mutant) { m.addLink(comp+"bin/x", tar.TypeChar, "") }, want: "archive/member-kind"},
	{name: "writable by all", mutate: mode(comp+"bin/cargo-fmt", 0o777), want: "archive/member-mode"},
	{name: "set-uid program", mutate: mode(comp+"bin/cargo-fmt", 0o4755), want: "archive/member-mode"},
	{name: "file without permissions", mutate: mode("version", 0), want: "archive/member-mode"},
	{name: "closed directory", mutate: mode(comp+"bin", 0o700), want: "archive/member-mode"},
	{name: "owner by number", mutate: func(m *mutant) { m.members[3].Uid = 1000 }, want: "archive/member-owner"},
	{name: "owner by name", mutate: func(m *mutant) { m.members[3].Uname = "builder" }, want: "archive/member-owner"},
	{name: "time of a file", mutate: touch("version"), want: "archive/member-time"},
	{name: "time of a directory", mutate: touch(comp + "bin"), want: "archive/member-time"},
	{name: "file twice", mutate: func(m *mutant) { m.members = append(m.members, m.members[m.at("version")]) }, want: "archive/duplicate-member"},
	{name: "directory twice", mutate: func(m *mutant) { m.members = append(m.members, m.members[m.at(comp+"bin")]) }, want: "archive/duplicate-member"},
	{name: "directory after its content", mutate: func(m *mutant) { moveLast(m, comp+"bin") }, want: "archive/folder-order"},
	{name: "no directory entries", mutate: func(m *mutant) {
		m.members = slices.DeleteFunc(m.members, func(r rawMember) bool { return r.Typeflag == tar.TypeDir })
	}, want: "archive/folder-order"},
	{name: "directory before its parent", mutate: func(m *mutant) { moveFirst(m, comp+"share/doc") }, want: "archive/folder-order"},
	{name: "second top directory", mutate: func(m *mutant) { m.add("x", 0o644, ""); last(m).Name = "other/x" }, want: "archive/top-folder"},
	{name: "top directory of another name", mutate: func(m *mutant) {
		rename(m, func(n string) string { return strings.Replace(n, m.stem, "rustfmt", 1) })
	}, want: "archive/top-folder"},
	{name: "file without a directory", mutate: func(m *mutant) { m.add("x", 0o644, ""); last(m).Name = "x" }, want: "archive/top-folder"},

	// rust-installer's contract.
	{name: "no installer version", mutate: func(m *mutant) { m.drop("rust-installer-version") }, want: "archive/installer-version"},
	{name: "installer version 2", mutate: func(m *mutant) { m.text("rust-installer-version", "3", "2") }, want: "archive/installer-version"},
	{name: "installer version without newline", mutate: func(m *mutant) { m.text("rust-installer-version", "\n", "") }, want: "archive/installer-version"},
	{name: "no components", mutate: func(m *mutant) { m.drop("components") }, want: "archive/components"},
	{name: "empty components", mutate: func(m *mutant) { m.text("components", "rustfmt-preview\n", "") }, want: "archive/components"},
	{name: "components names another", mutate: func(m *mutant) { m.text("components", "rustfmt", "clippy") }, want: "archive/components"},
	{name: "components without newline", mutate: func(m *mutant) { m.text("components", "\n", "") }, want: "archive/components"},
	{name: "component twice", mutate: func(m *mutant) { m.text("components", "\n", "\nrustfmt-preview\n") }, want: "archive/components"},
	{name: "component with a path", mutate: func(m *mutant) { m.text("components", "rustfmt-preview", "../rustfmt-preview") }, want: "archive/components"},
	{name: "unlisted component", mutate: func(m *mutant) {
		m.addDir("extra")
		m.add("extra/manifest.in", 0o644, "file:bin/x\n")
	}, want: "archive/components"},
	{name: "no manifest.in", mutate: func(m *mutant) { m.drop(comp + "manifest.in") }, want: "archive/manifest"},
	{name: "empty manifest.in", mutate: func(m *mutant) { m.edit(comp+"manifest.in", func(r *rawMember) { r.data = nil }) }, want: "archive/manifest"},
	{name: "unknown directive", mutate: manifest("file:bin", "link:bin"), want: "archive/manifest"},
	{name: "line without colon", mutate: manifest("file:bin", "bin"), want: "archive/manifest"},
	{name: "empty line", mutate: manifest("\n", "\n\n"), want: "archive/manifest"},
	{name: "carriage return", mutate: manifest("\n", "\r\n"), want: "archive/manifest"},
	{name: "no last newline", mutate: func(m *mutant) {
		m.edit(comp+"manifest.in", func(r *rawMember) { r.data = bytes.TrimSuffix(r.data, []byte("\n")) })
	}, want: "archive/manifest"},
	{name: "line twice", mutate: manifest("file:bin/cargo-fmt\n", "file:bin/cargo-fmt\nfile:bin/cargo-fmt\n"), want: "archive/manifest-duplicate"},
	{name: "line inside a listed directory", mutate: manifest("file:bin/cargo-fmt\n", "dir:bin\nfile:bin/cargo-fmt\n"), want: "archive/manifest-duplicate"},
	{name: "lines out of order", mutate: func(m *mutant) {
		m.edit(comp+"manifest.in", func(r *rawMember) {
			lines := bytes.SplitAfter(r.data, []byte("\n"))
			lines[0], lines[1] = lines[1], lines[0]
			r.data = bytes.Join(lines, nil)
		})
	}, want: "archive/manifest-order"},
	{name: "path that leaves the prefix", mutate: func(m *mutant) {
		m.text(comp+"manifest.in", "file:bin/cargo-fmt\n", "file:../evil\nfile:bin/cargo-fmt\n")
		m.add("evil", 0o644, "")
	}, want: "archive/manifest-path"},
	{name: "absolute path", mutate: manifest("file:bin/cargo-fmt", "file:/bin/cargo-fmt"), want: "archive/manifest-path"},
	{name: "file: names a directory", mutate: manifest("file:bin/cargo-fmt", "file:bin"), want: "archive/manifest-kind"},
	{name: "dir: names a file", mutate: manifest("file:bin/cargo-fmt", "dir:bin/cargo-fmt"), want: "archive/manifest-kind"},
	{name: "absent file", mutate: manifest("file:bin/cargo-fmt\n", "file:bin/cargo-fmt\nfile:bin/none\n"), want: "archive/manifest-absent-file"},
	{name: "unlisted file", mutate: manifest("file:bin/cargo-fmt\n", ""), want: "archive/unlisted-file"},
	{name: "two owners", mutate: func(m *mutant) {
		m.text("components", "\n", "\nsecond\n")
		m.addDir("second")
		m.addDir("second/bin")
		m.add("second/manifest.in", 0o644, "file:bin/cargo-fmt\n")
		m.add("second/bin/cargo-fmt", 0o755, "")
	}, want: "archive/owner-conflict"},
	{name: "program not executable", mutate: mode(comp+"bin/cargo-fmt", 0o644), want: "archive/executable"},
	{name: "no install.sh", mutate: func(m *mutant) {
		m.add("README", 0o644, "") // keeps a file whose time others have
		m.drop("install.sh")
	}, want: "archive/install-script"},
	{name: "install.sh not executable", mutate: mode("install.sh", 0o644), want: "archive/install-script"},
	{name: "no version", mutate: func(m *mutant) { m.drop("version") }, want: "archive/version"},
	{name: "version of two lines", mutate: func(m *mutant) { m.text("version", " ", "\n") }, want: "archive/version"},
	{name: "stray file", mutate: func(m *mutant) { m.add("core.1234", 0o644, "") }, want: "archive/stray-member"},
	{name: "stray directory", mutate: func(m *mutant) { m.addDir("tmp") }, want: "archive/stray-member"},

	// What lies beside the archive.
	{name: "unknown name", mutate: func(m *mutant) { m.file = "rustfmt.tar.gz" }, want: "archive/file-name"},
	{name: "no checksum", mutate: func(m *mutant) { m.checksum = func(string, string) error { return nil } }, want: "archive/checksum-file"},
	{name: "checksum in upper case", mutate: sum(func(s, n string) string { return strings.ToUpper(s) + "  " + n + "\n" }), want: "archive/checksum-file"},
	{name: "short checksum", mutate: sum(func(s, n string) string { return s[:63] + "\n" }), want: "archive/checksum-file"},
	{name: "checksum of another file", mutate: sum(func(s, n string) string { return strings.Repeat("0", 64) + "  " + n + "\n" }), want: "archive/checksum-file"},
	{name: "checksum for another name", mutate: sum(func(s, n string) string { return s + "  other\n" }), want: "archive/checksum-file"},
	{name: "empty checksum", mutate: sum(func(s, n string) string { return "" }), want: "archive/checksum-file"},
	{name: "file that nothing checks", mutate: func(m *mutant) {
		m.extra = func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes.bin"), nil, 0o644) }
	}, want: "input/unchecked-file"},
	{name: "directory that nothing checks", mutate: func(m *mutant) {
		m.extra = func(dir string) error { return os.Mkdir(filepath.Join(dir, "2026-04-16"), 0o755) }
	}, want: "input/unchecked-file"},
	{name: "link in the directory", mutate: func(m *mutant) {
		m.extra = func(dir string) error { return os.Symlink("/etc/hosts", filepath.Join(dir, "hosts")) }
	}, want: "input/unchecked-file"},
}

func TestMutants(t *testing.T) {
	if n := len(mutants); n < 60 {
		t.Errorf("got %d mutants, want at least 60", n)
	}
	known := map[string]bool{}
	for _, c := range verify.Catalogue() {
		known[c.Name] = true
	}
	for _, tt := range mutants {
		t.Run(strings.ReplaceAll(tt.name, "/", "_"), func(t *testing.T) {
			t.Parallel()
			m := newMutant(t, defaultTo(tt.ext, "gz"))
			if tt.mutate != nil {
				tt.mutate(m)
			}
			dir := t.TempDir()
			if err := m.write(dir); err != nil {
				t.Fatal(err)
			}
			opts := tt.opts
			opts.Inputs, opts.Groups = []string{dir}, []verify.Group{verify.Static}
			report := verifyAll(t, opts)
			failed := failedNames(report)
			if !slices.Contains(failed, tt.want) {
				t.Errorf("got failures %q, want %s among them", failed, tt.want)
			}
			for _, name := range failed {
				if !known[name] {
					t.Errorf("check %s is not in the catalogue", name)
				}
			}
		})
	}
}

// The archive that the mutants are made of, packed by the same code, is sound,
// and so is the directory it comes from.
func TestNoMutant(t *testing.T) {
	t.Parallel()
	for _, ext := range []string{"gz", "xz", "zst"} {
		m := newMutant(t, ext)
		dir := t.TempDir()
		if err := m.write(dir); err != nil {
			t.Fatal(err)
		}
		// What x itself leaves beside archives is no stray file.
		for _, name := range []string{".x-lock", recompress.RecordName} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static}})
		if got := report.Status(); got != verify.Pass {
			t.Errorf("%s: got %s, failures %q", ext, got, failedNames(report))
		}
	}
	dir, err := smallDist()
	if err != nil {
		t.Fatal(err)
	}
	report := verifyAll(t, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static}})
	if got := report.Status(); got != verify.Pass {
		t.Errorf("got %s, failures %q", got, failedNames(report))
	}
	if got := len(report.Archives); got != 18 {
		t.Errorf("got %d archives, want six in three formats", got)
	}
}

func defaultTo(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func cut(m *mutant) { m.packed = func(b []byte) []byte { return b[:len(b)*2/3] } }

func flip(m *mutant) {
	m.packed = func(b []byte) []byte {
		b[len(b)/2] ^= 0x10
		return b
	}
}

func trail(junk string) func(*mutant) {
	return func(m *mutant) { m.packed = func(b []byte) []byte { return append(b, junk...) } }
}

// halves compresses the two halves of the tar by themselves.
func halves(m *mutant, codec string) {
	m.codec = "none"
	m.packed = func(b []byte) []byte {
		first, err1 := compress(codec, b[:len(b)/2])
		second, err2 := compress(codec, b[len(b)/2:])
		if err1 != nil || err2 != nil {
			panic("compressing a fixture")
		}
		return append(first, second...)
	}
}

// wideDictionary patches the block header: property byte 33 says 192 MiB.
func wideDictionary(m *mutant) {
	m.packed = func(b []byte) []byte {
		header := b[12 : 12+(int(b[12])+1)*4]
		i := bytes.Index(header, []byte{0x21, 1})
		header[i+2] = 33
		binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
		return b
	}
}

func cutTar(n int) func(*mutant) {
	return func(m *mutant) { m.tar = func(b []byte) []byte { return b[:len(b)-n] } }
}

func rename(m *mutant, f func(string) string) {
	for i := range m.members {
		m.members[i].Name = f(m.members[i].Name)
	}
}

// paxHeader is a pax header that says nothing of weight.
func paxHeader() []byte {
	var b bytes.Buffer
	err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: "x", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"comment": "x"}})
	if err != nil {
		panic(err)
	}
	return b.Bytes()[:1024]
}

func last(m *mutant) *rawMember { return &m.members[len(m.members)-1] }

func mode(name string, mode int64) func(*mutant) {
	return func(m *mutant) { m.edit(name, func(r *rawMember) { r.Mode = mode }) }
}

func touch(name string) func(*mutant) {
	return func(m *mutant) { m.edit(name, func(r *rawMember) { r.ModTime = time.Unix(1700000000, 0) }) }
}

func moveLast(m *mutant, name string) {
	r := m.members[m.at(name)]
	m.drop(name)
	m.members = append(m.members, r)
}

func moveFirst(m *mutant, name string) {
	r := m.members[m.at(name)]
	m.drop(name)
	m.members = slices.Insert(m.members, 1, r)
}

func manifest(from, to string) func(*mutant) {
	return func(m *mutant) { m.text(comp+"manifest.in", from, to) }
}

// sum writes a wrong .sha256.
func sum(text func(sum, name string) string) func(*mutant) {
	return func(m *mutant) {
		m.checksum = func(path, sum string) error { return os.WriteFile(path, []byte(text(sum, m.file)), 0o644) }
	}
}
