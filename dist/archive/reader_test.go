package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"x.go/dist"
	"x.go/dist/xz"
)

// members is a tar stream of headers; content is filled up with "x".
func members(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		must(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg || h.Typeflag == 0 {
			_, err := w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
			must(t, err)
		}
	}
	must(t, w.Close())
	return out.Bytes()
}

func file(name string, size int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size}
}

func dir(name string) tar.Header {
	return tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func xzOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.NewWriter(&out, xz.WriterConfig{Profile: xz.Fast})
	must(t, err)
	_, err = w.Write(data)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func zst(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	must(t, err)
	return w.EncodeAll(data, nil)
}

// readAll returns the names of all members, or the first error.
func readAll(a *Reader) ([]string, error) {
	var names []string
	for {
		m, err := a.Next()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return names, err
		}
		names = append(names, m.Name)
		if _, err := io.Copy(io.Discard, a); err != nil {
			return names, err
		}
	}
}

func TestReaderReadsEveryFormat(t *testing.T) {
	data := members(t, dir("p"), file("p/a", 3), file("p/"+strings.Repeat("long/", 50)+"b", 0))
	want := []string{"p", "p/a", "p/" + strings.Repeat("long/", 50) + "b"}
	// GNU tar fills its last record of 10 KiB with zeros.
	record := append(bytes.Clone(data), make([]byte, 10240-len(data)%10240)...)
	for format, file := range map[Format][]byte{GZ: gz(t, data), XZ: xzOf(t, record), Zst: zst(t, data)} {
		a, err := newReader(bytes.NewReader(file), "test", Limits{})
		must(t, err)
		if a.format != format {
			t.Errorf("got format %s, want %s", a.format, format)
		}
		got, err := readAll(a)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", format, err, diff)
		}
		if _, err := a.Next(); err != io.EOF {
			t.Errorf("%s: after the end: got %v, want EOF", format, err)
		}
		must(t, a.Close())
	}
}

func TestReaderRefuses(t *testing.T) {
	data := members(t, dir("p"), file("p/a", 3000))
	text := members(t, dir("p"), file("p/a", 100_000))
	bad := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 0x55
		return b
	}
	tests := []struct {
		name   string
		file   []byte
		limits Limits
		want   string
	}{
		{"empty", nil, Limits{}, "not a gz, xz or zst file"},
		{"plain tar", data, Limits{}, "not a gz, xz or zst file"},
		{"zip", []byte("PK\x03\x04"), Limits{}, "not a gz"},
		{"gz cut", gz(t, data)[:40], Limits{}, "unexpected EOF"},
		{"xz cut", xzOf(t, data)[:60], Limits{}, "EOF"},
		{"zst cut", zst(t, data)[:30], Limits{}, "unexpected EOF"},
		{"gz with a wrong sum", bad(gz(t, data), len(gz(t, data))-6), Limits{}, "checksum"},
		{"tar cut, gz whole", gz(t, data[:1600]), Limits{}, "cut short"},
		{"tar without its end, cut at a member", gz(t, data[:512+100]), Limits{}, "cut short"},
		{"tar header with a wrong sum", gz(t, bad(data, 3)), Limits{}, "a header fails its checksum"},
		{"data after the tar stream", gz(t, append(bytes.Clone(data), 1)), Limits{}, "data after the end of the tar stream"},
		{"two gz members", append(gz(t, data), gz(t, data)...), Limits{}, "data after the end of the gz stream, which rustup does not read"},
		{"byte after gz", append(gz(t, data), 1), Limits{}, "data after the end of the gz stream"},
		{"two xz streams", append(xzOf(t, data), xzOf(t, data)...), Limits{}, "stream"},
		{"too many members", gz(t, data), Limits{Members: 1}, "more than 1 members"},
		{"too long names", gz(t, data), Limits{Names: 4}, "more than 4 bytes of names"},
		{"too large file", gz(t, text), Limits{File: 99_999}, `member "p/a": got 100000 bytes, the limit is 99999`},
		{"too large stream", gz(t, text), Limits{Unpacked: 50_000}, "the files unpack to more than 50000 bytes"},
		{"too much after the files", zst(t, append(bytes.Clone(data), make([]byte, 50_000)...)), Limits{Unpacked: 10_000, Members: 3}, "unpacking more than 10000 bytes"},
		{"too much memory", xzOf(t, text), Limits{Memory: 1000}, "memory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := newReader(bytes.NewReader(tt.file), "some.tar.gz", tt.limits)
			if err == nil {
				_, err = readAll(a)
				if _, again := a.Next(); err != nil && again == nil {
					t.Error("got no error after an error")
				}
				must(t, a.Close())
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `archive "some.tar.gz"`) {
				t.Errorf("got %v, want an error with %q that names the archive", err, tt.want)
			}
			p, _ := errors.AsType[Problem](err)
			if limited := tt.limits != (Limits{}) && tt.limits.Memory == 0; limited != (p.Kind == ProblemLimits) {
				t.Errorf("got kind %q of %v", p.Kind, err)
			}
		})
	}
}

// writeTemp puts an archive on disk.
func writeTemp(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	must(t, os.WriteFile(path, data, 0o644))
	return path
}

func TestUnpackRoundTrip(t *testing.T) {
	p := samplePackage(t)
	artifacts, err := Writer{Formats: []Format{GZ, XZ, Zst}}.Write(t.Context(), t.TempDir(), p)
	must(t, err)
	img, err := p.Image()
	must(t, err)
	want := map[string]string{}
	for _, dir := range img.Dirs() {
		want[dir+"/"] = "drwxr-xr-x"
	}
	for e := range img.Entries() {
		if !e.IsDir() {
			want[e.Name] = e.Mode.String() + " " + content(t, img, e.Name)
		}
	}
	for _, a := range artifacts {
		dest := filepath.Join(t.TempDir(), "new", "dir")
		must(t, Unpack(t.Context(), a.Path, dest, UnpackOptions{}))
		if diff := cmp.Diff(want, tree(t, dest)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", a.Name, diff)
		}
	}
}

func TestUnpackOptions(t *testing.T) {
	p := samplePackage(t)
	artifacts, err := Writer{Formats: []Format{GZ}}.Write(t.Context(), t.TempDir(), p)
	must(t, err)
	dest := t.TempDir()
	must(t, Unpack(t.Context(), artifacts[0].Path, dest, UnpackOptions{
		StripTop: true,
		Keep:     func(name string) bool { return strings.HasPrefix(name, p.Name+"/rustc/bin/") },
	}))
	want := map[string]string{
		"rustc/": "drwxr-xr-x", "rustc/bin/": "drwxr-xr-x",
		"rustc/bin/rustc": "-rwxr-xr-x bin/rustc\n", "rustc/bin/rust-gdb": "-rwxr-xr-x bin/rust-gdb\n",
	}
	if diff := cmp.Diff(want, tree(t, dest)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Unpack(ctx, artifacts[0].Path, t.TempDir(), UnpackOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context canceled", err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	link := func(kind byte, name, target string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: target}
	}
	tests := []struct {
		name    string
		headers []tar.Header
		want    string
	}{
		{"parent", []tar.Header{file("../evil", 1)}, `member "../evil": name has ".."`},
		{"parent inside", []tar.Header{file("p/../../evil", 1)}, `name has ".."`},
		{"absolute", []tar.Header{file("/tmp/evil", 1)}, "name is absolute"},
		{"dot first", []tar.Header{file("./p/a", 1)}, `name starts with "."`},
		{"backslash", []tar.Header{file(`p\a`, 1)}, `"\"`},
		{"control character", []tar.Header{file("p/a\x1b[2J", 1)}, "control character"},
		{"not UTF-8", []tar.Header{file("p/\xff", 1)}, "UTF-8"},
		{"symbolic link", []tar.Header{link(tar.TypeSymlink, "p/l", "/etc")}, `member "p/l" is a symbolic link`},
		{"hard link", []tar.Header{file("p/a", 1), link(tar.TypeLink, "p/l", "p/a")}, `member "p/l" is a hard link`},
		{"character device", []tar.Header{link(tar.TypeChar, "p/tty", "")}, "is a character device"},
		{"block device", []tar.Header{link(tar.TypeBlock, "p/disk", "")}, "is a block device"},
		{"named pipe", []tar.Header{link(tar.TypeFifo, "p/fifo", "")}, "is a fifo"},
		{"twice", []tar.Header{file("p/a", 1), file("p/a", 2)}, `member "p/a" occurs twice`},
		{"directory twice", []tar.Header{dir("p"), dir("p")}, "occurs twice"},
		{"file becomes directory", []tar.Header{file("p", 1), dir("p")}, "occurs twice"},
		{"file used as directory", []tar.Header{file("p", 1), file("p/a", 1)}, `"p" is a file of this archive`},
		{"directory of a member becomes file", []tar.Header{file("p/a/b", 1), file("p/a", 1)}, "also the directory of another member"},
		{"directory after its file", []tar.Header{file("p/a", 1), dir("p")}, `directory "p" comes after a member inside it`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			outer := t.TempDir()
			must(t, os.WriteFile(filepath.Join(outer, "canary"), []byte("alive"), 0o644))
			archive := writeTemp(t, gz(t, members(t, tt.headers...)))
			err := Unpack(t.Context(), archive, filepath.Join(outer, "root"), UnpackOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), archive) {
				t.Errorf("got %v, want an error with %q that names the archive", err, tt.want)
			}
			if diff := cmp.Diff([]string{"canary", "root"}, list(t, outer)); diff != "" {
				t.Errorf("outside of the root (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnpackMissing unpacks an archive that is not there: no directory is created.
func TestUnpackMissing(t *testing.T) {
	outer := t.TempDir()
	err := Unpack(t.Context(), filepath.Join(outer, "none.tar.gz"), filepath.Join(outer, "root"), UnpackOptions{})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.tar.gz") {
		t.Errorf("got %v, want an error that names the missing archive", err)
	}
	if got := list(t, outer); len(got) > 0 {
		t.Errorf("got %q created, want nothing", got)
	}
}

// TestUnpackIntoTraps unpacks into a directory that somebody has prepared.
func TestUnpackIntoTraps(t *testing.T) {
	outer := diskTree(t, "outside/canary", "root/up -> ../outside", "root/file", "root/abs -> /", "root/in -> real", "root/real/")
	archive := func(name string) string { return writeTemp(t, gz(t, members(t, file(name, 1)))) }
	tests := []struct{ name, want string }{
		{"up/evil", "escapes"},
		{"abs/evil", "escapes"},
		{"file", "file exists"},
		{"file/x", `"file" exists and is not a directory`},
		{"up", "file exists"},
		{"in/x", ""}, // a link that stays inside is the owner's business
	}
	for _, tt := range tests {
		err := Unpack(t.Context(), archive(tt.name), filepath.Join(outer, "root"), UnpackOptions{})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"canary"}, list(t, filepath.Join(outer, "outside"))); diff != "" {
		t.Errorf("outside (-want +got):\n%s", diff)
	}
}

// fuzzLimits keep a hostile input from taking the fuzzer's memory and time.
var fuzzLimits = Limits{Members: 100, Names: 1 << 16, File: 1 << 20, Unpacked: 4 << 20, Memory: 16 << 20}

func fuzzSeeds(f *testing.F) [][]byte {
	data := members(f, dir("p"), file("p/components", 3), file("p/a/manifest.in", 9), file("p/"+strings.Repeat("n", 120), 513))
	link := tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "../.."}
	return [][]byte{
		data, data[:700], make([]byte, 1024),
		members(f, file("../evil", 1)), members(f, link, file("l/evil", 1)), members(f, file("a", 1), dir("a"), file("a/b", 1)),
	}
}

// FuzzReader reads whatever comes: no panic, and no more than the limits allow.
func FuzzReader(f *testing.F) {
	for _, data := range fuzzSeeds(f) {
		f.Add(gz(f, data))
		f.Add(xzOf(f, data))
		f.Add(zst(f, data))
		f.Add(append(gz(f, data), gz(f, data)...))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := newReader(bytes.NewReader(data), "fuzz", fuzzLimits)
		if err != nil {
			return
		}
		defer a.Close()
		var total int64
		for n := 0; ; n++ {
			m, err := a.Next()
			if err != nil {
				break
			}
			size, err := io.Copy(io.Discard, a)
			total += size
			if err == nil && m.IsFile() && size != m.Size {
				t.Errorf("member %q: got %d bytes, the header says %d", m.Name, size, m.Size)
			}
			if n > fuzzLimits.Members || total > fuzzLimits.Unpacked {
				t.Fatalf("got %d members, %d bytes", n, total)
			}
		}
	})
}

// FuzzUnpack unpacks whatever tar stream comes: nothing may change outside of the
// root, and inside there may be only directories and regular files of two modes.
func FuzzUnpack(f *testing.F) {
	for _, data := range fuzzSeeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		must(t, os.WriteFile(filepath.Join(outer, "canary"), []byte("alive"), 0o644))
		err := Unpack(t.Context(), writeTemp(t, gz(t, data)), filepath.Join(outer, "root"), UnpackOptions{Limits: fuzzLimits})
		_ = err // any error is fine

		if diff := cmp.Diff([]string{"canary", "root"}, list(t, outer)); diff != "" {
			t.Fatalf("outside of the root (-want +got):\n%s", diff)
		}
		if canary, err := os.ReadFile(filepath.Join(outer, "canary")); err != nil || string(canary) != "alive" {
			t.Fatalf("canary: got %q, %v", canary, err)
		}
		must(t, filepath.WalkDir(filepath.Join(outer, "root"), func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if m := info.Mode(); err == nil && m != dist.ModeFile && m != dist.ModeExec && m != dist.ModeDir {
				t.Errorf("%q: got mode %v", path, m)
			}
			return err
		}))
	})
}
