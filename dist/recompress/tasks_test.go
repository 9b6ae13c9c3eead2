package recompress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/tests/testenv"
)

// quick are settings that take little time.
var quick = Settings{Formats: []archive.Format{archive.GZ, archive.XZ}, Profile: archive.Fast, BCJ: "none", Jobs: 1}

// release creates a directory ci of archives and returns the directory above it.
func release(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i, f := range []archive.Format{archive.XZ, archive.GZ, archive.Zst, ""} {
		pack(t, filepath.Join(dir, "ci"), fmt.Sprintf("part%d", i), tarOf(t, i, 30_000*(i+1)), f)
	}
	pack(t, filepath.Join(dir, "ci"), "part0", unpacked(t, filepath.Join(dir, "ci", "part0.tar.xz")), archive.GZ)
	return dir
}

func split(t *testing.T, dir string, o SplitOptions) *Tasks {
	t.Helper()
	o.Dir, o.Readers = dir, 2
	tasks, err := Split(t.Context(), []string{"ci"}, o)
	testenv.Must(t, err)
	return tasks
}

func openStore(t testing.TB, place string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), place)
	testenv.Must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// performAll does all tasks and returns how many outputs were there already.
func performAll(t *testing.T, tasks *Tasks, o PerformOptions) (found int, damaged []string) {
	t.Helper()
	for n := range tasks.Tasks {
		done, err := tasks.Perform(t.Context(), n, o)
		testenv.Must(t, err)
		for _, out := range done.Outputs {
			if out.Found {
				found++
			}
		}
		damaged = append(damaged, done.Damaged...)
	}
	return found, damaged
}

// sameFiles compares two directories, without what x keeps there for itself.
func sameFiles(t *testing.T, want, got string) {
	t.Helper()
	read := func(dir string) map[string]string {
		out := map[string]string{}
		for _, name := range testenv.List(t, dir) {
			if !strings.HasPrefix(name, ".") {
				data, err := os.ReadFile(filepath.Join(dir, name))
				testenv.Must(t, err)
				out[name] = fmt.Sprintf("%d %x", len(data), data[:min(len(data), 40)])
			}
		}
		return out
	}
	if diff := cmp.Diff(read(want), read(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTasks does a plan in tasks: the release has the bytes of one machine's, whole and
// in parts, and a second run does nothing.
func TestTasks(t *testing.T) {
	t.Parallel()
	blocks := quick
	blocks.BlockSize = 20_000
	for name, o := range map[string]SplitOptions{"whole": {Settings: quick}, "parts": {Settings: blocks, PartSize: 40_000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := release(t)
			tasks := split(t, dir, o)
			s := openStore(t, filepath.Join(dir, "kept"))
			do := PerformOptions{Store: s, Dir: dir}
			if found, damaged := performAll(t, tasks, do); found > 0 || damaged != nil {
				t.Errorf("got %d found and %q damaged, want none", found, damaged)
			}
			outputs := 0
			for _, task := range tasks.Tasks {
				outputs += len(task.Outputs)
			}
			if found, _ := performAll(t, tasks, do); found != outputs {
				t.Errorf("again: got %d found, want %d", found, outputs)
			}
			out := filepath.Join(dir, "release")
			all, err := tasks.Collect(t.Context(), CollectOptions{Store: s, Dir: out, Jobs: 2})
			testenv.Must(t, err)
			if len(all) != 8 || checkSums(t, out) != 8 {
				t.Errorf("got %d archives, want 8", len(all))
			}
			one := filepath.Join(dir, "one")
			recompress(t, Options{Formats: quick.Formats, Profile: quick.Profile, BlockSize: o.Settings.BlockSize, Dir: one}, filepath.Join(dir, "ci"))
			sameFiles(t, one, out)
		})
	}
}

// TestPlanFile holds a plan to be the same from wherever it is made, and to be read back.
func TestPlanFile(t *testing.T) {
	t.Parallel()
	dir := release(t)
	want, err := split(t, dir, SplitOptions{Settings: quick}).Encode()
	testenv.Must(t, err)
	moved := filepath.Join(t.TempDir(), "elsewhere")
	testenv.Must(t, os.Rename(dir, moved))
	got, err := split(t, moved, SplitOptions{Settings: quick}).Encode()
	testenv.Must(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	parsed, err := parseTasks(got)
	testenv.Must(t, err)
	again, err := parsed.Encode()
	testenv.Must(t, err)
	if !bytes.Equal(got, again) {
		t.Error("read and written, the plan has other bytes")
	}
	var names []string
	for _, task := range parsed.Tasks {
		names = append(names, task.Name+" from "+task.Input.Name)
	}
	if diff := cmp.Diff([]string{"part3 from part3.tar", "part2 from part2.tar.zst", "part1 from part1.tar.gz", "part0 from part0.tar.gz"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestParseTasks changes a good plan in one place each.
func TestParseTasks(t *testing.T) {
	t.Parallel()
	dir := release(t)
	o := SplitOptions{Settings: quick, PartSize: 40_000}
	o.Settings.BlockSize = 20_000
	good, err := split(t, dir, o).Encode()
	testenv.Must(t, err)
	part := func(t *Tasks) *Task {
		return &t.Tasks[slices.IndexFunc(t.Tasks, func(task Task) bool { return task.Part != nil && task.Part.Index == 0 })]
	}
	for name, tt := range map[string]struct {
		change func(*Tasks)
		want   string
	}{
		"version":        {func(t *Tasks) { t.Version = 9 }, "got no version 1"},
		"no tasks":       {func(t *Tasks) { t.Tasks = nil }, "got 0 tasks"},
		"no sources":     {func(t *Tasks) { t.Sources = nil }, "got 0 sources"},
		"source":         {func(t *Tasks) { t.Tasks[1].Input.Source = 1 }, "task 1: got source 1 of 1"},
		"negative":       {func(t *Tasks) { t.Tasks[1].Input.Source = -1 }, "task 1: got source -1 of 1"},
		"name":           {func(t *Tasks) { t.Tasks[0].Name = "../x" }, "want the name of an archive"},
		"input":          {func(t *Tasks) { t.Tasks[0].Input.Name = "../../etc/a.tar" }, "task 0: "},
		"output":         {func(t *Tasks) { t.Tasks[0].Outputs[0].Name = "other.tar.gz" }, "does not fit its key"},
		"key":            {func(t *Tasks) { t.Tasks[0].Outputs[0].Key = "dist/channel-rust-stable.toml" }, "does not fit its key"},
		"profile":        {func(t *Tasks) { t.Settings.Profile = "hard" }, "reading settings"},
		"format":         {func(t *Tasks) { t.Tasks[0].Outputs[0].Format = "zip" }, "zip"},
		"jobs":           {func(t *Tasks) { t.Settings.Jobs = 1 << 20 }, "not complete"},
		"tar size":       {func(t *Tasks) { part(t).TarSize, part(t).Input.Size = 1<<60, 1<<60 }, "got a tar stream of"},
		"time":           {func(t *Tasks) { t.Tasks[0].Seconds = -1 }, "and -1 seconds"},
		"twice":          {func(t *Tasks) { t.Tasks = append(t.Tasks, t.Tasks[0]) }, "is there twice"},
		"part offset":    {func(t *Tasks) { part(t).Part.Offset = 20_000 }, "do not follow"},
		"part of a byte": {func(t *Tasks) { part(t).Part.Size = 1 }, "got part of 1 bytes"},
		"part index":     {func(t *Tasks) { part(t).Part.Index = -1 }, "got part -1"},
		"part too large": {func(t *Tasks) { part(t).Part.Size = 1<<63 - 1 }, "got part of"},
		"part missing": {func(t *Tasks) {
			t.Tasks = slices.DeleteFunc(t.Tasks, func(task Task) bool { return task.Part != nil && task.Part.Index == 0 })
		}, "has no part before it"},
	} {
		tasks, err := parseTasks(good)
		testenv.Must(t, err)
		tt.change(tasks)
		data, err := json.Marshal(tasks)
		testenv.Must(t, err)
		if _, err := parseTasks(data); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	for _, text := range []string{"", "[]", "{}", string(good) + "{}", strings.Replace(string(good), `"sources"`, `"more": 1, "sources"`, 1)} {
		if _, err := parseTasks([]byte(text)); err == nil {
			t.Errorf("%.40q: got no error", text)
		}
	}
}

// TestKept damages and removes what a store has.
func TestKept(t *testing.T) {
	t.Parallel()
	dir := release(t)
	tasks := split(t, dir, SplitOptions{Settings: quick})
	s := openStore(t, filepath.Join(dir, "kept"))
	do := PerformOptions{Store: s, Dir: dir}
	performAll(t, tasks, do)
	key := func(n int) string { return tasks.Tasks[n].Outputs[1].Key }
	at := func(n int) string { return filepath.Join(dir, "kept", filepath.FromSlash(key(n))) }
	flip := func(path string) {
		data, err := os.ReadFile(path)
		testenv.Must(t, err)
		data[len(data)/2] ^= 1
		testenv.Must(t, os.WriteFile(path, data, 0o644))
	}
	flip(at(0))
	testenv.Must(t, os.Truncate(at(1), 10))
	testenv.Must(t, os.Remove(at(2)+".sha256"))
	out := CollectOptions{Store: s, Dir: filepath.Join(dir, "release")}
	all, err := tasks.Collect(t.Context(), out)
	if err == nil || len(all) != 5 {
		t.Fatalf("got %d archives and %v, want 5 and an error", len(all), err)
	}
	for n := range 3 {
		if want := fmt.Sprintf("collecting %q", tasks.Tasks[n].Outputs[1].Name); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("do task %d again", n)) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := tasks.Collect(t.Context(), CollectOptions{Store: s, Dir: filepath.Join(dir, "none")}); err == nil || !strings.Contains(err.Error(), "task 1 is not done") {
		t.Errorf("got %v, want what is missing", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want nothing written", err)
	}
	performAll(t, tasks, do)
	flip(at(0))
	testenv.Must(t, os.WriteFile(at(3)+".sha256", []byte("none"), 0o644))
	if found, damaged := performAll(t, tasks, do); found != 6 || len(damaged) != 2 {
		t.Errorf("got %d found and %q damaged, want 6 and two", found, damaged)
	}
	all, err = tasks.Collect(t.Context(), out)
	if err != nil || len(all) != 8 {
		t.Errorf("got %d archives and %v", len(all), err)
	}
}

// TestPerformTwice does a task many times at once.
func TestPerformTwice(t *testing.T) {
	t.Parallel()
	dir := release(t)
	tasks := split(t, dir, SplitOptions{Settings: quick})
	place := filepath.Join(dir, "kept")
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), place)
			if err == nil {
				_, err = tasks.Perform(t.Context(), 0, PerformOptions{Store: s, Dir: dir})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if found, damaged := performAll(t, tasks, PerformOptions{Store: openStore(t, place), Dir: dir}); found != 2 || damaged != nil {
		t.Errorf("got %d found and %q damaged, want 2", found, damaged)
	}
}

// TestPerformProblems has inputs that are not those of the plan.
func TestPerformProblems(t *testing.T) {
	t.Parallel()
	dir := release(t)
	tasks := split(t, dir, SplitOptions{Settings: quick})
	s := openStore(t, filepath.Join(dir, "kept"))
	pack(t, filepath.Join(dir, "other"), "part3", tarOf(t, 9, 120_000), "")
	pack(t, filepath.Join(dir, "small"), "part3", tarOf(t, 9, 20_000), "")
	for _, tt := range []struct {
		number int
		o      PerformOptions
		change func(*Tasks)
		want   string
	}{
		{4, PerformOptions{}, nil, "got a plan of 4 tasks, want 0 to 3"},
		{-1, PerformOptions{}, nil, "want 0 to 3"},
		{0, PerformOptions{From: "none"}, nil, "no such file"},
		{0, PerformOptions{From: "other"}, nil, "as in the plan"},
		{0, PerformOptions{From: "small"}, nil, "as in the plan"},
		{0, PerformOptions{Temp: filepath.Join(dir, "missing")}, nil, "creating a temporary directory"},
		{0, PerformOptions{}, func(t *Tasks) { t.Tasks[0].Outputs[0].Settings[0]++ }, "got settings of digest"},
	} {
		tt.o.Store, tt.o.Dir = s, dir
		changed := *tasks
		changed.Tasks = slices.Clone(tasks.Tasks)
		if tt.change != nil {
			changed.Tasks[0].Outputs = slices.Clone(changed.Tasks[0].Outputs)
			tt.change(&changed)
		}
		if _, err := changed.Perform(t.Context(), tt.number, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("got %v %v in the store, want nothing", o, err)
	}
}

// TestSplitStore plans and does tasks of a store.
func TestSplitStore(t *testing.T) {
	t.Parallel()
	dir := release(t)
	ci := "file://" + filepath.ToSlash(filepath.Join(dir, "ci"))
	tasks, err := Split(t.Context(), []string{ci}, SplitOptions{Settings: quick})
	testenv.Must(t, err)
	data, err := tasks.Encode()
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "plan.json"), data, 0o644))
	tasks, err = ReadTasks(t.Context(), "file://"+filepath.ToSlash(filepath.Join(dir, "plan.json")), "")
	testenv.Must(t, err)
	s := openStore(t, filepath.Join(dir, "kept"))
	performAll(t, tasks, PerformOptions{Store: s})
	local := split(t, dir, SplitOptions{Settings: quick})
	if found, _ := performAll(t, local, PerformOptions{Store: s, Dir: dir}); found != 8 {
		t.Errorf("got %d found, want all 8: the same archives have the same keys", found)
	}
}

func TestSplitProblems(t *testing.T) {
	t.Parallel()
	dir := release(t)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "ci", "bad.tar.gz"), []byte("no gzip"), 0o644))
	testenv.Must(t, os.MkdirAll(filepath.Join(dir, "empty"), 0o755))
	pack(t, filepath.Join(dir, "two"), "part0", tarOf(t, 5, 1000), archive.XZ)
	pack(t, filepath.Join(dir, "twins"), "a", tarOf(t, 5, 1000), archive.XZ)
	pack(t, filepath.Join(dir, "twins"), "a", tarOf(t, 6, 1000), archive.GZ)
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"ci"}, "bad.tar.gz"}, {[]string{"empty"}, "no .tar"}, {[]string{"none.tar.xz"}, "no such file"},
		{[]string{"ci/part0.tar.xz", "two"}, "both would become"}, {[]string{"twins"}, "hold different tar streams"},
		{[]string{"file://" + filepath.ToSlash(filepath.Join(dir, "empty"))}, "directly in it"}, {[]string{"ftp://x/y"}, "opening store"},
		{[]string{"two/part0.tar.xz", "none"}, "no such file"},
	} {
		if _, err := Split(t.Context(), tt.words, SplitOptions{Settings: quick, Dir: dir}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.words, err, tt.want)
		}
	}
}

func TestNumberFromEnv(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  map[string]string
		want any
	}{
		{map[string]string{"SLURM_ARRAY_TASK_ID": "7"}, 7},
		{map[string]string{"JOB_COMPLETION_INDEX": "0"}, 0},
		{map[string]string{"CI_NODE_INDEX": "1"}, 0},
		{map[string]string{"BUILDKITE_PARALLEL_JOB": "3"}, 3},
		{map[string]string{"X_RECOMPRESS_TASK": "12"}, 12},
		{map[string]string{"X_RECOMPRESS_TASK": "3", "CI_NODE_INDEX": "4"}, 3},
		{map[string]string{"X_RECOMPRESS_TASK": "3", "CI_NODE_INDEX": "3"}, "which are different tasks"},
		{map[string]string{"SLURM_ARRAY_TASK_ID": "1", "JOB_COMPLETION_INDEX": "2"}, "SLURM_ARRAY_TASK_ID is 1 and JOB_COMPLETION_INDEX is 2"},
		{map[string]string{"CI_NODE_INDEX": "0"}, "want a number from 1"},
		{map[string]string{"SLURM_ARRAY_TASK_ID": "-1"}, "want a number from 0"},
		{map[string]string{"SLURM_ARRAY_TASK_ID": "+1"}, "want a number"},
		{map[string]string{"SLURM_ARRAY_TASK_ID": "1x"}, "want a number"},
		{map[string]string{"SLURM_ARRAY_TASK_ID": "99999999999999999999"}, "want a number"},
		{nil, "none of X_RECOMPRESS_TASK, SLURM_ARRAY_TASK_ID"},
	} {
		got, err := NumberFromEnv(func(name string) string { return tt.env[name] })
		if want, ok := tt.want.(string); ok {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: got %d and %v, want %q", tt.env, got, err, want)
			}
		} else if err != nil || got != tt.want {
			t.Errorf("%v: got %d and %v, want %v", tt.env, got, err, tt.want)
		}
	}
}
