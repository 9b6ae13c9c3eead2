package recompress

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/tests/testenv"
)

// TestCache writes archives again: what was written before, or lies in a store, is not
// compressed. What is damaged is named, and replaced.
func TestCache(t *testing.T) {
	t.Parallel()
	img := func(text string) dist.Image {
		var img dist.Image
		testenv.Must(t, img.AddBytes("file", []byte(text), 0o644))
		return img
	}
	var s *store.Store
	write := func(dir, text string, w archive.Writer) (kept string, damaged []string) {
		t.Helper()
		c := OpenCache(dir, s)
		w.Keeper = c
		artifacts, err := w.WriteImage(t.Context(), dir, "a", img(text))
		testenv.Must(t, err)
		for _, a := range artifacts {
			if a.Kept {
				kept += string(a.Format) + " "
			}
		}
		return kept, c.Damaged()
	}
	root := t.TempDir()
	one, two, plain := filepath.Join(root, "one"), filepath.Join(root, "two"), filepath.Join(root, "plain")
	overwrite := func(path string) { testenv.Must(t, os.WriteFile(path, []byte("no archive"), 0o644)) }
	kept := filepath.Join(root, "kept")
	open := func() { s = openStore(t, kept) }
	text := strings.Repeat("text of a file\n", 1000)
	for _, step := range []struct {
		name, dir, text string
		before          func()
		writer          archive.Writer
		kept            string
		damaged         int
	}{
		{name: "first", dir: one, text: text},
		{name: "again", dir: one, text: text, kept: "gz xz "},
		{name: "other content", dir: one, text: text + "more"},
		{name: "content of before", dir: one, text: text},
		{name: "another format", dir: one, text: text, writer: archive.Writer{Formats: []archive.Format{archive.GZ, archive.Zst}}, kept: "gz "},
		{name: "other settings", dir: one, text: text, writer: archive.Writer{Profile: archive.Balanced}},
		{name: "settings of before", dir: one, text: text},
		{name: "damaged", dir: one, text: text, before: func() { overwrite(filepath.Join(one, "a.tar.gz")) }, kept: "xz ", damaged: 1},
		{name: "removed", dir: one, text: text, before: func() { testenv.Must(t, os.Remove(filepath.Join(one, "a.tar.xz"))) }, kept: "gz "},
		{name: "damaged record", dir: one, text: text, before: func() { overwrite(filepath.Join(one, RecordName)) }, damaged: 1},
		{name: "into a store", dir: one, text: text, before: open, kept: "gz xz "},
		{name: "from the store", dir: two, text: text, kept: "gz xz "},
		{name: "damaged in the store", dir: two, text: text, before: func() {
			testenv.Must(t, os.RemoveAll(two))
			names, err := filepath.Glob(filepath.Join(kept, "recompressed/xz-*/*/*.tar.xz"))
			testenv.Must(t, err)
			overwrite(names[0])
		}, kept: "gz ", damaged: 1},
		{name: "mended in the store", dir: two, text: text, before: func() { testenv.Must(t, os.RemoveAll(two)) }, kept: "gz xz "},
	} {
		if step.before != nil {
			step.before()
		}
		got, damaged := write(step.dir, step.text, step.writer)
		if got != step.kept || len(damaged) != step.damaged {
			t.Errorf("%s: got %q from before and damage %q, want %q and %d", step.name, got, damaged, step.kept, step.damaged)
		}
	}
	if _, err := (archive.Writer{}).WriteImage(t.Context(), plain, "a", img(text)); err != nil {
		t.Fatal(err)
	}
	want, got := testenv.Contents(t, plain), testenv.Contents(t, two)
	delete(got, RecordName)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archives from a store are others (-want +got):\n%s", diff)
	}
}

// TestCacheUnproven takes from a store what a task put there and nobody has decoded: another
// archive under that key, with its right digest, is found.
func TestCacheUnproven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var img dist.Image
	testenv.Must(t, img.AddBytes("file", []byte(strings.Repeat("text of a file\n", 1000)), 0o644))
	_, err := archive.Writer{}.WriteImage(t.Context(), filepath.Join(dir, "ci"), "a", img)
	testenv.Must(t, err)
	tasks := split(t, dir, SplitOptions{Settings: quick})
	s := openStore(t, filepath.Join(dir, "kept"))
	performAll(t, tasks, PerformOptions{Store: s, Dir: dir})
	k := kept{s}
	gz, xz := tasks.Tasks[0].Outputs[0].Key, tasks.Tasks[0].Outputs[1].Key
	wrong, err := os.ReadFile(pack(t, filepath.Join(dir, "wrong"), "a", tarOf(t, 7, 9000), archive.GZ)[0])
	testenv.Must(t, err)
	_, err = k.keep(t.Context(), gz, store.Bytes(wrong), true)
	testenv.Must(t, err)
	for n, want := range []struct{ kept, damage int }{{1, 1}, {2, 0}} {
		c := OpenCache(filepath.Join(dir, fmt.Sprint(n)), s)
		artifacts, err := archive.Writer{Keeper: c}.WriteImage(t.Context(), filepath.Join(dir, fmt.Sprint(n)), "a", img)
		testenv.Must(t, err)
		found := 0
		for _, a := range artifacts {
			if a.Kept {
				found++
			}
		}
		if got := c.Damaged(); found != want.kept || len(got) != want.damage || n == 0 && !strings.Contains(got[0], "got a tar stream of sha256") {
			t.Errorf("run %d: got %d from the store and damage %q, want %+v", n, found, got, want)
		}
		for _, key := range []string{gz, xz} {
			h, err := k.digest(t.Context(), key)
			testenv.Must(t, err)
			if ok, err := k.isProven(t.Context(), key, h); !ok || err != nil {
				t.Errorf("run %d: %s: got %v and %v, want it proven", n, key, ok, err)
			}
		}
	}
	if _, err := tasks.Collect(t.Context(), CollectOptions{Store: s, Dir: filepath.Join(dir, "release")}); err != nil {
		t.Error(err)
	}
}

// TestCollectProves has a task whose output is another archive, with its right digest.
// Only a task that reads back its own output notes that it is proven.
func TestCollectProves(t *testing.T) {
	t.Parallel()
	dir := release(t)
	tasks := split(t, dir, SplitOptions{Settings: quick})
	s := openStore(t, filepath.Join(dir, "kept"))
	k := kept{s}
	performAll(t, tasks, PerformOptions{Store: s, Dir: dir, ReadBack: true})
	key := tasks.Tasks[0].Outputs[0].Key
	h, err := k.digest(t.Context(), key)
	testenv.Must(t, err)
	if ok, err := k.isProven(t.Context(), key, h); !ok || err != nil {
		t.Errorf("got %v and %v, want what was read back proven", ok, err)
	}
	wrong, err := os.ReadFile(pack(t, filepath.Join(dir, "wrong"), "a", tarOf(t, 7, 9000), archive.GZ)[0])
	testenv.Must(t, err)
	_, err = k.keep(t.Context(), key, store.Bytes(wrong), true)
	testenv.Must(t, err)
	out := CollectOptions{Store: s, Dir: filepath.Join(dir, "release")}
	if _, err = tasks.Collect(t.Context(), out); err == nil || !strings.Contains(err.Error(), "got a tar stream of sha256") || !strings.Contains(err.Error(), "do task 0 again") {
		t.Errorf("got %v, want an archive of another content", err)
	}
	performAll(t, tasks, PerformOptions{Store: s, Dir: dir})
	if h, err = k.digest(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if ok, err := k.isProven(t.Context(), key, h); ok || err != nil {
		t.Errorf("got %v and %v, want what was not read back not proven", ok, err)
	}
	if _, err = tasks.Collect(t.Context(), out); err != nil {
		t.Error(err)
	}
}

// TestCacheFiles writes archives that share a file again. They stay where they are as long
// as the content is the same, whatever its time says.
func TestCacheFiles(t *testing.T) {
	t.Parallel()
	src := testenv.WriteTree(t, "shared", "other")
	out := t.TempDir()
	set := func(text string) {
		testenv.Must(t, os.WriteFile(filepath.Join(src, "shared"), []byte(text), 0o644))
		testenv.Must(t, os.Chtimes(filepath.Join(src, "shared"), time.Unix(1, 0), time.Unix(1, 0)))
	}
	write := func() (kept int) {
		t.Helper()
		c := OpenCache(out, nil)
		var whole, part dist.Image
		testenv.Must(t, whole.AddTree("a", src, nil))
		testenv.Must(t, part.AddFile("shared", filepath.Join(src, "shared")))
		j, err := archive.Writer{Keeper: c}.Plan(nil, archive.Bare{Name: "whole", Image: whole}, archive.Bare{Name: "part", Image: part})
		testenv.Must(t, err)
		root, err := os.OpenRoot(out)
		testenv.Must(t, err)
		defer root.Close()
		p, err := j.Prepare(t.Context(), root)
		testenv.Must(t, err)
		testenv.Must(t, p.Commit())
		for _, a := range p.Artifacts {
			if a.Kept {
				kept++
			}
		}
		if checkSums(t, out) != 4 {
			t.Error("want four archives with their sums")
		}
		return kept
	}
	at := func() os.FileInfo {
		info, err := os.Stat(filepath.Join(out, "whole.tar.xz"))
		testenv.Must(t, err)
		return info
	}
	set("a text")
	if got := write(); got != 0 {
		t.Errorf("first: got %d kept, want none", got)
	}
	before := at()
	testenv.Must(t, os.Remove(filepath.Join(out, "part.tar.gz.sha256")))
	testenv.Must(t, os.WriteFile(filepath.Join(out, "whole.tar.gz.sha256"), []byte("none"), 0o644))
	if got := write(); got != 4 || !os.SameFile(before, at()) {
		t.Errorf("again: got %d kept and the same file: %v, want 4 in their places", got, os.SameFile(before, at()))
	}
	set("b text") // of the same size and time
	if got := write(); got != 0 {
		t.Errorf("another text: got %d kept, want none", got)
	}
	testenv.Must(t, os.WriteFile(filepath.Join(src, "shared"), []byte("b text"), 0o644)) // at another time
	if got := write(); got != 4 {
		t.Errorf("another time: got %d kept, want 4", got)
	}
}

// TestCacheStoreErrors has a store that cannot be read or written stop the run, and
// leave nothing half.
func TestCacheStoreErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "kept"), 0o755))
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "kept", "recompressed"), []byte("a file"), 0o644))
	var img dist.Image
	testenv.Must(t, img.AddBytes("file", []byte("text"), 0o644))
	out := filepath.Join(dir, "out")
	w := archive.Writer{Keeper: OpenCache(out, openStore(t, filepath.Join(dir, "kept")))}
	_, err := w.WriteImage(t.Context(), out, "a", img)
	if err == nil || !strings.Contains(err.Error(), "kept") {
		t.Errorf("got error %v, want one about the store", err)
	}
	if names := testenv.List(t, out); len(names) > 0 {
		t.Errorf("got files %q, want none", names)
	}
}
