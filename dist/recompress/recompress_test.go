package recompress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/xz"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// tarOf creates a tar stream of about n bytes with GNU tar, which fills it up to a
// whole record; different seeds give different content.
func tarOf(t testing.TB, seed, n int) []byte {
	t.Helper()
	dir := t.TempDir()
	var text strings.Builder
	for i := 0; text.Len() < n; i++ {
		fmt.Fprintf(&text, "line %d of %d: %x\n", i, seed, manifests.HashOf(fmt.Append(nil, seed, i/3)))
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "file"), []byte(text.String()), 0o644))
	out, err := exec.Command(testenv.Need(t, "tar"), "-C", dir, "--mtime=@1", "-c", "file").Output()
	testenv.Must(t, err)
	return out
}

// packers compress as other programs do.
var packers = map[archive.Format][]string{"": {"cat"}, archive.GZ: {"gzip", "-1"}, archive.XZ: {"xz", "-0"}, archive.Zst: {"zstd", "-q1"}}

// ext is the end of a file name, for .tar too.
func ext(f archive.Format) string {
	if f == "" {
		return ".tar"
	}
	return f.Ext()
}

// pack writes content to dir as an archive in each format, and returns the paths.
func pack(t testing.TB, dir, stem string, content []byte, formats ...archive.Format) (paths []string) {
	t.Helper()
	testenv.Must(t, os.MkdirAll(dir, 0o755))
	for _, f := range formats {
		cmd := exec.Command(testenv.Need(t, packers[f][0]), packers[f][1:]...)
		cmd.Stdin = bytes.NewReader(content)
		data, err := cmd.Output()
		testenv.Must(t, err)
		paths = append(paths, filepath.Join(dir, stem+ext(f)))
		testenv.Must(t, os.WriteFile(paths[len(paths)-1], data, 0o600))
	}
	return paths
}

// unpacked returns the content of an archive as the program of its format reads
// it.
func unpacked(t testing.TB, path string) []byte {
	t.Helper()
	_, f, _ := splitArchiveName(filepath.Base(path))
	judge := map[archive.Format][]string{"": {"cat"}, archive.GZ: {"gzip", "-dc"}, archive.XZ: {"xz", "-dc"}, archive.Zst: {"zstd", "-dcq"}}[f]
	out, err := exec.Command(testenv.Need(t, judge[0]), append(judge[1:], path)...).Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// recompress plans and runs, and expects no problems.
func recompress(t testing.TB, r Options, files ...string) (*Job, []Result) {
	t.Helper()
	c, err := Plan(t.Context(), files, r)
	testenv.Must(t, err)
	out, err := c.Run(t.Context())
	testenv.Must(t, err)
	return c, out
}

// planNames lists the archives that a plan is going to write.
func planNames(c *Job) []string {
	names := []string{}
	for _, p := range c.Plans {
		for _, a := range p.Archives {
			names = append(names, a.Name)
		}
	}
	return names
}

// checkSums runs sha256sum on all checksum files of dir.
func checkSums(t testing.TB, dir string) (checked int) {
	t.Helper()
	for _, name := range testenv.List(t, dir) {
		if !strings.HasSuffix(name, manifests.ChecksumExt) {
			continue
		}
		checked++
		cmd := exec.Command(testenv.Need(t, "sha256sum"), "--strict", "-c", name)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	return checked
}

// TestRecompress goes from every format to every format.
func TestRecompress(t *testing.T) {
	content := tarOf(t, 1, 60_000)
	for _, from := range []archive.Format{"", archive.GZ, archive.XZ, archive.Zst} {
		t.Run("from "+ext(from), func(t *testing.T) {
			in, out := t.TempDir(), filepath.Join(t.TempDir(), "new", "out")
			paths := pack(t, in, "a-1.0", content, from)
			var last archive.Progress
			r := Options{Formats: []archive.Format{archive.Zst, archive.GZ, archive.XZ}, Dir: out, Progress: func(p archive.Progress) { last = p }}
			c, got := recompress(t, r, paths...)
			if diff := cmp.Diff([]string{"a-1.0.tar.zst", "a-1.0.tar.gz", "a-1.0.tar.xz"}, planNames(c)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			size := int64(len(content))
			if want := (archive.Progress{Package: "a-1.0", Done: size, Total: size}); last != want {
				t.Errorf("progress: got %v, want %v", last, want)
			}
			want := Result{Name: "a-1.0", Inputs: paths, TarSize: size, Tar: manifests.HashOf(content)}
			for i, f := range r.Formats {
				path := filepath.Join(out, "a-1.0"+f.Ext())
				if !bytes.Equal(unpacked(t, path), content) {
					t.Errorf("%s: the content changed", path)
				}
				data, err := os.ReadFile(path)
				testenv.Must(t, err)
				info, err := os.Stat(path)
				testenv.Must(t, err)
				if info.Mode() != 0o644 {
					t.Errorf("%s: got mode %v", path, info.Mode())
				}
				a := archive.Artifact{
					Name: filepath.Base(path), Path: path, Package: "a-1.0", Format: f,
					Size: int64(len(data)), SHA256: manifests.HashOf(data), DecoderMemory: c.Plans[0].Archives[i].DecoderMemory,
				}
				var before int64
				if f == from {
					info, err := os.Stat(paths[0])
					testenv.Must(t, err)
					before = info.Size()
				}
				want.Archives = append(want.Archives, Output{Artifact: a, Before: before})
			}
			if diff := cmp.Diff([]Result{want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := checkSums(t, out); n != 3 {
				t.Errorf("got %d checksum files, want 3", n)
			}
			if diff := cmp.Diff([]string{"a-1.0" + ext(from)}, testenv.List(t, in)); diff != "" {
				t.Errorf("directory of the input (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecompressLikeWriter compares with archives that were compressed as hard at once.
func TestRecompressLikeWriter(t *testing.T) {
	in, want, got := t.TempDir(), t.TempDir(), t.TempDir()
	var img dist.Image
	testenv.Must(t, img.AddBytes("share/text", tarOf(t, 1, 300_000), dist.ModeFile))
	p := dist.Package{Name: "p-1.0", Components: []dist.Component{{Name: "p", Image: img}}}
	_, err := archive.Writer{Formats: []archive.Format{archive.XZ}}.Write(t.Context(), in, p)
	testenv.Must(t, err)
	_, err = archive.Writer{Profile: archive.Best, Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}}.Write(t.Context(), want, p)
	testenv.Must(t, err)
	recompress(t, Options{Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}, Dir: got}, filepath.Join(in, "p-1.0.tar.xz"))
	testenv.Must(t, os.Remove(filepath.Join(got, RecordName)))
	if diff := cmp.Diff(testenv.Contents(t, want), testenv.Contents(t, got)); diff != "" {
		t.Error("bytes differ")
	}
}

// TestRecompressInPlace replaces the files of a directory, and a second time
// nothing.
func TestRecompressInPlace(t *testing.T) {
	dir := t.TempDir()
	a, b := tarOf(t, 1, 90_000), tarOf(t, 2, 30_000)
	pack(t, dir, "a", a, archive.XZ, archive.GZ)
	pack(t, dir, "b", b, archive.XZ)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644))
	before := testenv.Contents(t, dir)
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "sub.tar"), 0o755))
	c, got := recompress(t, Options{}, dir)
	if diff := cmp.Diff([]string{"a.tar.gz", "a.tar.xz", "b.tar.gz", "b.tar.xz"}, planNames(c)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	want := []string{RecordName, "a.tar.gz", "a.tar.gz.sha256", "a.tar.xz", "a.tar.xz.sha256", "b.tar.gz", "b.tar.gz.sha256", "b.tar.xz", "b.tar.xz.sha256", "notes.txt", "sub.tar"}
	if diff := cmp.Diff(want, testenv.List(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range got {
		for _, art := range r.Archives {
			if art.Before != int64(len(before[art.Name])) || art.Done {
				t.Errorf("%s: got %+v", art.Name, art)
			}
		}
	}
	for name, content := range map[string][]byte{"a": a, "b": b} {
		for _, f := range []archive.Format{archive.GZ, archive.XZ} {
			if !bytes.Equal(unpacked(t, filepath.Join(dir, name+f.Ext())), content) {
				t.Errorf("%s%s: the content changed", name, f.Ext())
			}
		}
	}
	checkSums(t, dir)

	once := testenv.Tree(t, dir)
	c, again := recompress(t, Options{}, dir)
	if len(c.Plans) > 0 || len(c.Done) != 4 {
		t.Errorf("second run: got plans %+v, done %q", c.Plans, c.Done)
	}
	if diff := cmp.Diff(once, testenv.Tree(t, dir)); diff != "" {
		t.Error("second run: files changed")
	}
	for i, r := range again {
		if r.Tar != got[i].Tar || r.TarSize != got[i].TarSize {
			t.Errorf("second run: got %+v, want %+v", r, got[i])
		}
		for k, art := range r.Archives {
			if !art.Done || art.SHA256 != got[i].Archives[k].SHA256 || art.DecoderMemory != got[i].Archives[k].DecoderMemory {
				t.Errorf("second run: got %+v", art)
			}
		}
	}
}

// TestRecompressResume changes something between two runs, and looks at what the
// second one does again.
func TestRecompressResume(t *testing.T) {
	content := tarOf(t, 1, 40_000)
	both := []string{"a.tar.gz", "a.tar.xz"}
	first := Options{Profile: archive.Fast}
	with := func(change func(*Options)) Options {
		r := first
		change(&r)
		return r
	}
	remove := func(name string) func(t *testing.T, in, out string) {
		return func(t *testing.T, _, out string) { testenv.Must(t, os.Remove(filepath.Join(out, name))) }
	}
	nothing := func(*testing.T, string, string) {}
	tests := []struct {
		name   string
		r      Options
		change func(t *testing.T, in, out string)
		want   []string // done again
	}{
		{"nothing", first, nothing, nil},
		{"an output is gone", first, remove("a.tar.gz"), []string{"a.tar.gz"}},
		{"a checksum file is gone", first, remove("a.tar.xz.sha256"), nil},
		{"a checksum file is wrong", first, func(t *testing.T, _, out string) {
			testenv.Must(t, os.WriteFile(filepath.Join(out, "a.tar.gz.sha256"), []byte("0\n"), 0o644))
		}, nil},
		{"an output is damaged", first, func(t *testing.T, _, out string) {
			path := filepath.Join(out, "a.tar.xz")
			data, err := os.ReadFile(path)
			testenv.Must(t, err)
			data[len(data)/2] ^= 1
			testenv.Must(t, os.WriteFile(path, data, 0o644))
		}, []string{"a.tar.xz"}},
		{"an output is a link", first, func(t *testing.T, in, out string) {
			testenv.Must(t, os.Rename(filepath.Join(out, "a.tar.xz"), filepath.Join(in, "elsewhere")))
			testenv.Must(t, os.Symlink(filepath.Join(in, "elsewhere"), filepath.Join(out, "a.tar.xz")))
		}, []string{"a.tar.xz"}},
		{"the record is gone", first, remove(RecordName), both},
		{"another profile", with(func(r *Options) { r.Profile = archive.Balanced }), nothing, both},
		{"a filter", with(func(r *Options) { r.BCJ = xz.BCJX86 }), nothing, []string{"a.tar.xz"}},
		{"other jobs, no limit reached", with(func(r *Options) { r.Jobs, r.MaxMemory = 1, 1<<30 }), nothing, nil},
		{"a format more", with(func(r *Options) { r.Formats = []archive.Format{archive.GZ, archive.XZ, archive.Zst} }), nothing, []string{"a.tar.zst"}},
		{"a format less", with(func(r *Options) { r.Formats = []archive.Format{archive.XZ} }), nothing, nil},
		{"the input has other content", first, func(t *testing.T, in, _ string) { pack(t, in, "a", tarOf(t, 2, 40_000), archive.XZ) }, both},
		{"the input has other bytes", first, func(t *testing.T, in, _ string) {
			cmd := exec.Command(testenv.Need(t, "xz"), "-9")
			cmd.Stdin = bytes.NewReader(content)
			data, err := cmd.Output()
			testenv.Must(t, err)
			testenv.Must(t, os.WriteFile(filepath.Join(in, "a.tar.xz"), data, 0o644))
		}, nil},
		{"the input has another format", first, func(t *testing.T, in, _ string) {
			testenv.Must(t, os.Remove(filepath.Join(in, "a.tar.xz")))
			pack(t, in, "a", content, archive.Zst)
		}, nil},
		{"the input has a further format", first, func(t *testing.T, in, _ string) { pack(t, in, "a", content, "") }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, out := t.TempDir(), t.TempDir()
			pack(t, in, "a", content, archive.XZ)
			first.Dir, tt.r.Dir = out, out
			recompress(t, first, in)
			tt.change(t, in, out)
			c, got := recompress(t, tt.r, in)
			if diff := cmp.Diff(append([]string{}, tt.want...), planNames(c)); diff != "" {
				t.Errorf("done again (-want +got):\n%s", diff)
			}
			for _, a := range got[0].Archives {
				if again := slices.Contains(tt.want, a.Name); again == a.Done {
					t.Errorf("got %+v", a)
				}
				if manifests.HashOf(unpacked(t, a.Path)) != got[0].Tar {
					t.Errorf("%s: the content changed", a.Name)
				}
			}
			if n := checkSums(t, out); n < 2 {
				t.Errorf("got %d checksum files", n)
			}
			if c, err := Plan(t.Context(), []string{in}, tt.r); err != nil || len(c.Plans) > 0 {
				t.Errorf("a third run would do %v, %v", planNames(c), err)
			}
		})
	}
}

// lowersXZ returns the highest limit of memory, in MiB steps, at which w lowers the
// dictionary of xz for a stream of the given size.
func lowersXZ(t *testing.T, w archive.Writer, size int64) int64 {
	t.Helper()
	for w.MaxMemory = 1 << 30; ; w.MaxMemory -= 1 << 20 {
		job, err := w.PlanStreams([]archive.Stream{{Name: "p", Size: size}})
		testenv.Must(t, err)
		for _, a := range job.Plans()[0].Archives {
			if a.Format == archive.XZ && a.Lowered {
				return w.MaxMemory
			}
		}
	}
}

// TestRecompressLimit lowers the dictionary by a limit: the bytes are the same
// whichever of the formats are done already.
func TestRecompressLimit(t *testing.T) {
	in := t.TempDir()
	content := tarOf(t, 1, 3<<20)
	pack(t, in, "a", content, archive.XZ)
	var all []map[string]string
	limit := lowersXZ(t, archive.Writer{Profile: archive.Fast, Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}}, int64(len(content))) + usualReserve(int64(len(content)))
	for _, formats := range [][]archive.Format{nil, {archive.XZ}, {archive.GZ, archive.Zst}} {
		r := Options{Profile: archive.Fast, MaxMemory: limit, Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}, Dir: t.TempDir()}
		recompress(t, r, in)
		for _, f := range formats {
			testenv.Must(t, os.Remove(filepath.Join(r.Dir, "a"+f.Ext())))
		}
		c, _ := recompress(t, r, in)
		if len(planNames(c)) != len(formats) {
			t.Errorf("got %q done again, want %q", planNames(c), formats)
		}
		for _, p := range c.Plans {
			for _, a := range p.Archives {
				if a.Format == archive.XZ && !a.Lowered {
					t.Errorf("got %+v", a)
				}
			}
		}
		testenv.Must(t, os.Remove(filepath.Join(r.Dir, RecordName)))
		all = append(all, testenv.Contents(t, r.Dir))
	}
	// In place, the archives that are done are inputs of the next run.
	r := Options{Profile: archive.Fast, MaxMemory: limit, Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}}
	recompress(t, r, in)
	if c, _ := recompress(t, r, in); len(c.Plans) > 0 {
		t.Errorf("a second run does %q", planNames(c))
	}
	if diff := cmp.Diff(all[0], all[1]) + cmp.Diff(all[0], all[2]); diff != "" {
		t.Error("bytes differ")
	}
}

// TestRecompressShards works in place, shard after shard and each twice: the
// assignment must not move when archives get smaller and files more.
func TestRecompressShards(t *testing.T) {
	dir := t.TempDir()
	for i := range 7 {
		pack(t, dir, fmt.Sprint("a", i), tarOf(t, i, 3000*(i+1)), []archive.Format{archive.XZ, archive.GZ, archive.Zst}[i%3])
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "cut.tar.gz"), []byte("\x1f\x8b\x08\x00"), 0o644))
	seen := map[string]int{}
	failures := 0
	for i := range 3 {
		r := Options{Profile: archive.Fast, Shard: Shard{i + 1, 3}}
		for run := range 2 {
			c, err := Plan(t.Context(), []string{dir}, r)
			testenv.Must(t, err)
			got, err := c.Run(t.Context())
			if err != nil {
				failures++
			}
			for _, a := range got {
				seen[a.Name]++
				if done := a.Archives[0].Done; done != (run == 1) {
					t.Errorf("shard %d, run %d: got %+v", i+1, run, a)
				}
			}
		}
	}
	want := map[string]int{"a0": 2, "a1": 2, "a2": 2, "a3": 2, "a4": 2, "a5": 2, "a6": 2}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("runs by archive (-want +got):\n%s", diff)
	}
	if failures != 2 {
		t.Errorf("%d runs failed for the archive that is cut short, want the two of one shard", failures)
	}
}

// TestRecompressChangedInput writes to inputs while they are read: what somebody
// else has put there must not be replaced.
func TestRecompressChangedInput(t *testing.T) {
	dir := t.TempDir()
	path := pack(t, dir, "a", tarOf(t, 1, 2<<20), archive.XZ)[0]
	other, err := os.ReadFile(pack(t, t.TempDir(), "a", tarOf(t, 2, 1000), archive.XZ)[0])
	testenv.Must(t, err)
	changed := false
	r := Options{Profile: archive.Fast, Progress: func(archive.Progress) {
		if !changed {
			changed = true
			testenv.Must(t, dist.WriteFile(path, other))
		}
	}}
	c, err := Plan(t.Context(), []string{dir}, r)
	testenv.Must(t, err)
	_, err = c.Run(t.Context())
	if want := fmt.Sprintf(`recompressing "a": reading %q: the file changed meanwhile`, path); err == nil || err.Error() != want {
		t.Errorf("got error %v, want %q", err, want)
	}
	if diff := cmp.Diff(map[string]string{"a.tar.xz": string(other)}, testenv.Contents(t, dir)); diff != "" {
		t.Error("files changed")
	}
}

// TestRecompressCancel stops in the middle of the second archive.
func TestRecompressCancel(t *testing.T) {
	dir := t.TempDir()
	big, small := tarOf(t, 1, 4<<20), tarOf(t, 2, 1<<20)
	pack(t, dir, "big", big, archive.XZ)
	pack(t, dir, "small", small, archive.XZ)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := Options{Profile: archive.Fast, Jobs: 1, Progress: func(p archive.Progress) {
		if p.Package == "small" {
			cancel()
		}
	}}
	c, err := Plan(ctx, []string{dir}, r)
	testenv.Must(t, err)
	got, err := c.Run(ctx)
	if !errors.Is(err, context.Canceled) || len(got) != 1 || got[0].Name != "big" {
		t.Errorf("got %+v and error %v", got, err)
	}
	for name, content := range map[string][]byte{"big": big, "small": small} {
		if !bytes.Equal(unpacked(t, filepath.Join(dir, name+".tar.xz")), content) {
			t.Errorf("%s: the content changed", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".x-*.tmp")); len(left) > 0 {
		t.Errorf("files left: %q", left)
	}
	if c, _ := recompress(t, Options{Profile: archive.Fast}, dir); !slices.Equal(planNames(c), []string{"small.tar.gz", "small.tar.xz"}) {
		t.Errorf("the next run does %q", planNames(c))
	}
}

// TestRecompressUntouched says that archives which are done are not even renamed.
func TestRecompressUntouched(t *testing.T) {
	dir := t.TempDir()
	pack(t, dir, "a", tarOf(t, 1, 1000), "")
	recompress(t, Options{Profile: archive.Fast}, dir)
	stamps := func() (out []time.Time) {
		for _, name := range testenv.List(t, dir) {
			var info fs.FileInfo
			info, err := os.Stat(filepath.Join(dir, name))
			testenv.Must(t, err)
			out = append(out, info.ModTime())
		}
		return out
	}
	want := stamps()
	recompress(t, Options{Profile: archive.Fast}, dir)
	if diff := cmp.Diff(want, stamps()); diff != "" {
		t.Errorf("modification times (-want +got):\n%s", diff)
	}
}
