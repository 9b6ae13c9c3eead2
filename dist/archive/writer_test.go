package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// bulkPackage is a package with n bytes of content, of lines that occur again.
func bulkPackage(t testing.TB, name string, n int) dist.Package {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	lines := make([]string, 500)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d: %016x %016x %016x %016x\n", i, r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	}
	var data []byte
	for len(data) < n {
		data = append(data, lines[r.IntN(len(lines))]...)
	}
	data = data[:n]
	var img dist.Image
	must(t, img.AddBytes("bin/"+name, data, dist.ModeExec))
	must(t, img.AddBytes("share/doc/"+name+"/README.md", data[:min(n, 100)], dist.ModeFile))
	return dist.Package{Name: name + "-1.0", Components: []dist.Component{{Name: name, Image: img}}}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dist")
	var last Progress
	w := Writer{Formats: []Format{Zst, GZ, XZ}, Progress: func(p Progress) { last = p }}
	p := samplePackage(t)
	artifacts, err := w.Write(t.Context(), dir, p)
	must(t, err)

	img, err := p.Image()
	must(t, err)
	plan, err := planTarball(img, ReversedPath, firstCommit)
	must(t, err)
	var want bytes.Buffer
	must(t, plan.write(t.Context(), &want))
	if diff := cmp.Diff(Progress{Package: p.Name, Done: plan.size, Total: plan.size}, last); diff != "" {
		t.Errorf("last progress (-want +got):\n%s", diff)
	}

	judges := map[Format][]string{GZ: {"gzip", "-dc"}, XZ: {"xz", "-dc"}, Zst: {"zstd", "-dcq"}}
	if len(artifacts) != 3 {
		t.Fatalf("got %d artifacts, want 3", len(artifacts))
	}
	for i, a := range artifacts {
		info, err := os.Stat(a.Path)
		must(t, err)
		got := a
		got.SHA256, got.DecoderMemory = manifests.Hash{}, 0
		wantA := Artifact{Name: p.Name + w.Formats[i].Ext(), Path: filepath.Join(dir, p.Name+w.Formats[i].Ext()), Package: p.Name, Format: w.Formats[i], Size: info.Size()}
		if diff := cmp.Diff(wantA, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if info.Mode() != 0o644 {
			t.Errorf("%s: got mode %v", a.Name, info.Mode())
		}
		judge := judges[a.Format]
		out, err := exec.Command(testenv.Need(t, judge[0]), append(judge[1:], a.Path)...).Output()
		must(t, err)
		if !bytes.Equal(out, want.Bytes()) {
			t.Errorf("%s: %s gives %d bytes, which differ from the %d of the tar stream", a.Name, judge[0], len(out), want.Len())
		}
	}
	check := exec.Command(testenv.Need(t, "sha256sum"), "--strict", "-c")
	check.Dir = dir
	var sums bytes.Buffer
	for _, a := range artifacts {
		data, err := os.ReadFile(a.Path + ".sha256")
		must(t, err)
		if want := a.SHA256.String() + "  " + a.Name + "\n"; string(data) != want {
			t.Errorf("%s.sha256: got %q, want %q", a.Name, data, want)
		}
		sums.Write(data)
	}
	check.Stdin = &sums
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum -c: %v\n%s", err, out)
	}
	if got := list(t, dir); len(got) != 6 {
		t.Errorf("got files %q, want three archives and their sums", got)
	}
}

// TestContainers looks at what rustup is particular about: one member, one
// stream, no check, and at the header fields that could tell one run from another.
func TestContainers(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		profile Profile
		xfl     byte
	}{{Fast, 0}, {Balanced, 0}, {Best, 2}} {
		p := bulkPackage(t, "c-"+string(tt.profile), 100_000)
		artifacts, err := Writer{Formats: []Format{GZ, XZ}, Profile: tt.profile}.Write(t.Context(), dir, p)
		must(t, err)
		gz, err := os.ReadFile(artifacts[0].Path)
		must(t, err)
		if want := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, tt.xfl, 255}; !bytes.HasPrefix(gz, want) {
			t.Errorf("%s: gz header: got % x, want % x", tt.profile, gz[:10], want)
		}
		out, err := exec.Command(testenv.Need(t, "xz"), "--robot", "-l", artifacts[1].Path).Output()
		must(t, err)
		for line := range strings.Lines(string(out)) {
			f := strings.Split(strings.TrimSpace(line), "\t")
			// file, streams, blocks, compressed, uncompressed, ratio, checks, padding
			if f[0] == "file" && (f[1] != "1" || f[6] != "CRC64" || f[7] != "0") {
				t.Errorf("%s: xz -l: got %q, want one stream with CRC64 and without padding", tt.profile, f)
			}
		}
	}
}

func TestReproducible(t *testing.T) {
	make := func(dir string, w Writer, order ...int) map[string]string {
		t.Helper()
		pkgs := []dist.Package{samplePackage(t), bulkPackage(t, "big", 9<<20), bulkPackage(t, "small", 100_000)}
		var picked []dist.Package
		for _, i := range order {
			picked = append(picked, pkgs[i])
		}
		w.Formats = []Format{GZ, XZ, Zst}
		artifacts, err := w.Write(t.Context(), dir, picked...)
		must(t, err)
		for i, a := range artifacts {
			if a.Package != picked[i/3].Name || a.Format != w.Formats[i%3] {
				t.Errorf("artifact %d: got %s", i, a.Name)
			}
		}
		return digests(t, dir)
	}
	want := make(t.TempDir(), Writer{Jobs: 1}, 0, 1, 2)
	for _, w := range []Writer{{MaxMemory: 400 << 20}, {Jobs: 7}} {
		got := make(filepath.Join(t.TempDir(), "elsewhere"), w, 2, 0, 1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("jobs %d, memory %d: bytes differ", w.Jobs, w.MaxMemory)
		}
	}
}

// TestReproducibleTrees packs equal trees that differ in everything that must
// not matter: place, times, group and other bits, order of creation.
func TestReproducibleTrees(t *testing.T) {
	build := func(names []string, mask os.FileMode, when time.Time) map[string]string {
		root := diskTree(t, names...)
		must(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if info, ierr := d.Info(); err == nil && ierr == nil && !d.IsDir() {
				must(t, os.Chmod(path, info.Mode()&^mask|0o400))
				must(t, os.Chtimes(path, when, when))
			}
			return err
		}))
		var img dist.Image
		must(t, img.AddTree("", root, nil))
		dir := t.TempDir()
		_, err := Writer{ModTime: time.Unix(1e9, 0)}.Write(t.Context(), dir, dist.Package{Name: "p", Components: []dist.Component{{Name: "c", Image: img}}})
		must(t, err)
		return digests(t, dir)
	}
	a := build([]string{"bin/a*", "lib/b", "lib/empty/"}, 0, time.Unix(1, 0))
	b := build([]string{"lib/empty/", "lib/b", "bin/a*"}, 0o077, time.Now())
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error("bytes differ")
	}
}

func TestWriterErrors(t *testing.T) {
	p := bulkPackage(t, "p", 10)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	taken := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(taken, "p-1.0.tar.xz", "x"), 0o755))

	tests := []struct {
		name string
		w    Writer
		dir  string
		pkgs []dist.Package
		want string
	}{
		{"format", Writer{Formats: []Format{"bz2"}}, "", []dist.Package{p}, `got "bz2", want gz, xz or zst`},
		{"format twice", Writer{Formats: []Format{GZ, GZ}}, "", []dist.Package{p}, "want each once"},
		{"profile", Writer{Profile: "slow"}, "", []dist.Package{p}, `got "slow", want fast, balanced, best or no-op`},
		{"order", Writer{Order: 7}, "", []dist.Package{p}, "file order 7"},
		{"jobs", Writer{Jobs: -1}, "", []dist.Package{p}, "got -1 jobs"},
		{"time", Writer{ModTime: time.Unix(-1, 0)}, "", []dist.Package{p}, "before 1970"},
		{"package twice", Writer{}, "", []dist.Package{p, p}, `package "p-1.0": it is there twice`},
		{"bad packages, all of them", Writer{}, "", []dist.Package{{Name: "a"}, {Name: "b"}}, `package "b"`},
		{"directory is a file", Writer{}, file, []dist.Package{p}, "not a directory"},
		{"directory below a file", Writer{}, filepath.Join(file, "x"), []dist.Package{p}, "not a directory"},
		{"directory without write access", Writer{}, "/proc/self", []dist.Package{p}, `creating "/proc/self/p-1.0.tar.gz"`},
		{"final name is a directory", Writer{}, taken, []dist.Package{p}, `p-1.0.tar.xz": it is a directory: remove it`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.dir
			if dir == "" {
				dir = filepath.Join(t.TempDir(), "out")
			}
			got, err := tt.w.Write(t.Context(), dir, tt.pkgs...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || got != nil {
				t.Errorf("got %v and error %v, want an error with %q", got, err, tt.want)
			}
			if _, err := os.Stat(dir); tt.dir == "" && err == nil {
				t.Errorf("the directory was created although nothing could be written")
			}
		})
	}
	// The gz archive got no name either.
	if got := list(t, taken); len(got) != 1 {
		t.Errorf("got files %q after a failed rename", got)
	}
}

func TestNoOp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	got, err := Writer{Profile: NoOp}.Write(t.Context(), dir, samplePackage(t))
	must(t, err)
	if _, err := os.Stat(dir); got != nil || err == nil {
		t.Errorf("got %v and a directory, want nothing", got)
	}
}

func TestCancel(t *testing.T) {
	dir := t.TempDir()
	p := bulkPackage(t, "p", 8<<20)
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := false
	w := Writer{Formats: []Format{GZ, Zst}, Progress: func(pr Progress) {
		if pr.Done > pr.Total/2 {
			cancelled = true
			cancel()
		}
	}}
	_, err := w.Write(ctx, dir, p)
	if !cancelled || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `writing package "p-1.0"`) {
		t.Errorf("got error %v, want context canceled", err)
	}
	if left := list(t, dir); len(left) > 0 {
		t.Errorf("files left: %q", left)
	}
}

// TestOldArchivesSurviveFailure says that a failed run leaves the archives of an
// earlier one whole.
func TestOldArchivesSurviveFailure(t *testing.T) {
	dir := t.TempDir()
	_, err := Writer{Formats: []Format{GZ}}.Write(t.Context(), dir, bulkPackage(t, "p", 1000))
	must(t, err)
	want := digests(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Writer{Formats: []Format{GZ}}).Write(ctx, dir, bulkPackage(t, "p", 2000)); err == nil {
		t.Fatal("got no error")
	}
	if diff := cmp.Diff(want, digests(t, dir)); diff != "" {
		t.Error("files changed")
	}
}

func TestRemoveStale(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".x-1.tmp", ".x-abc.tmp", ".x-.keep", "x-1.tmp", "a.tar.gz"} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	must(t, os.Mkdir(filepath.Join(dir, ".x-dir.tmp"), 0o755))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	n, err := dist.RemoveStale(root)
	must(t, err)
	if diff := cmp.Diff([]string{".x-.keep", ".x-dir.tmp", "a.tar.gz", "x-1.tmp"}, list(t, dir)); n != 2 || diff != "" {
		t.Errorf("removed %d (-want +got):\n%s", n, diff)
	}
}

func TestChangedFile(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
		want   string
	}{
		{"grown", func(p string) error { return os.WriteFile(p, []byte("longer than before"), 0o644) }, "got 18 bytes, want 5"},
		{"shrunk", func(p string) error { return os.Truncate(p, 1) }, "got 1 bytes, want 5"},
		{"touched", func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1, 0)) }, "modification time"},
		{"gone", os.Remove, "no such file"},
		{"replaced by a directory", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, "it is a directory, want a regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(diskTree(t, "file"), "file")
			var img dist.Image
			must(t, img.AddFile("bin/file", path))
			must(t, tt.change(path))
			dir := t.TempDir()
			_, err := Writer{}.WriteImage(t.Context(), dir, "pkg", img)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `writing member "pkg/bin/file"`) {
				t.Errorf("got %v, want an error with %q that names the member", err, tt.want)
			}
			if left := list(t, dir); len(left) > 0 {
				t.Errorf("files left: %q", left)
			}
		})
	}
}

func TestFanout(t *testing.T) {
	var input bytes.Buffer
	for i := range 200_000 {
		fmt.Fprintln(&input, i)
	}
	var done atomic.Int64
	f := newFanout(t.Context(), 3, func(n int) { done.Add(int64(n)) })
	outs := make([]bytes.Buffer, 3)
	errs := make(chan error)
	for i := range outs {
		go func() { errs <- f.drain(i, &outs[i]) }()
	}
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{bytes.NewReader(input.Bytes())}, make([]byte, 1000))
		f.close()
		errs <- err
	}()
	for range 4 {
		must(t, <-errs)
	}
	for i := range outs {
		if !bytes.Equal(outs[i].Bytes(), input.Bytes()) {
			t.Errorf("writer %d: got %d bytes that differ from the %d written", i, outs[i].Len(), input.Len())
		}
	}
	if done.Load() != int64(input.Len()) {
		t.Errorf("progress: got %d, want %d", done.Load(), input.Len())
	}
}

type failingWriter struct{ after int }

var errFull = errors.New("no room")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestFanoutFailure has one of two writers fail: the stream must not block for
// lack of chunks that the failed one never gives back.
func TestFanoutFailure(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	f := newFanout(ctx, 2, func(int) {})
	errs := make(chan error, 2)
	for i, w := range []io.Writer{io.Discard, &failingWriter{after: 3 * chunkSize}} {
		go func() {
			err := f.drain(i, w)
			cancel(err)
			errs <- err
		}()
	}
	var err error
	for range 100 {
		if _, err = f.Write(make([]byte, chunkSize)); err != nil {
			break
		}
	}
	if !errors.Is(err, errFull) {
		t.Errorf("got error %v, want %v", err, errFull)
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, errFull) {
			t.Errorf("writer: got error %v, want %v", err, errFull)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "channel.toml")
	for _, text := range []string{"first, longer", "second"} {
		must(t, dist.WriteFile(path, []byte(text)))
		if diff := cmp.Diff(map[string]string{"channel.toml": text}, digests(t, dir)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if err := dist.WriteFile(filepath.Join(path, "below"), nil); err == nil || !strings.Contains(err.Error(), "below") {
		t.Errorf("below a file: got %v", err)
	}
}
