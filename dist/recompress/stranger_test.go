package recompress

import (
	"encoding/json"
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

	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// madePlan returns a plan that nobody has archives for: one whole archive in two formats,
// and one in two parts.
func madePlan(t testing.TB) *Tasks {
	t.Helper()
	s := quick
	s.BlockSize = 1 << 20
	p := &Tasks{Version: tasksVersion, Sources: []string{"ci"}, Settings: s}
	w, err := s.writer()
	testenv.Must(t, err)
	for i, size := range []int64{3 << 20, 1 << 19} {
		name := fmt.Sprintf("a%d", i)
		in := found{&input{path: name + ".tar", stem: name, tarSize: size, tar: manifests.HashOf([]byte(name)), sum: manifests.HashOf([]byte(name)), size: size}, "ci"}
		tasks, err := p.tasksOf(in, w, 2<<20)
		testenv.Must(t, err)
		p.Tasks = append(p.Tasks, tasks...)
	}
	testenv.Must(t, p.check())
	return p
}

// TestPlansOfStrangers changes plans so that their parts, or their tasks, do not fit.
func TestPlansOfStrangers(t *testing.T) {
	t.Parallel()
	other := manifests.HashOf([]byte("other"))
	rekey := func(task *Task) { o := &task.Outputs[0]; o.Key = keyOf(task.Tar, o.Format, o.Settings, task.Part) }
	for name, tt := range map[string]struct {
		change func(first, second, gz *Task, all *Tasks)
		want   string
	}{
		"tar streams of parts": {func(_, b, _ *Task, _ *Tasks) { b.Tar = other; rekey(b) }, "differ in tar stream or settings"},
		"settings of parts":    {func(_, b, _ *Task, _ *Tasks) { b.Outputs[0].Settings = other; rekey(b) }, "differ in tar stream or settings"},
		"count":                {func(a, _, _ *Task, _ *Tasks) { a.Part.Count = 1 << 40 }, "got part 0 of 1099511627776"},
		"counts":               {func(a, b, _ *Task, _ *Tasks) { a.Part.Count, b.Part.Count = 3, 3 }, "got part of"},
		"memory":               {func(a, _, _ *Task, _ *Tasks) { a.Memory = 1<<63 - 1 }, "bytes of memory"},
		"seconds":              {func(a, _, _ *Task, _ *Tasks) { a.Seconds = 1<<63 - 1 }, "seconds"},
		"absolute":             {func(_, _, g *Task, _ *Tasks) { g.Name, g.Input.Name = "/etc/a0", "/etc/a0.tar" }, "name is absolute"},
		"drive":                {func(_, _, g *Task, _ *Tasks) { g.Name, g.Input.Name = `C:\a0`, `C:\a0.tar` }, "name has a"},
		"source":               {func(_, _, _ *Task, all *Tasks) { all.Sources[0] = "ci\x00" }, "got source"},
		"no block":             {func(_, _, _ *Task, all *Tasks) { all.Settings.BlockSize = 0 }, "only an xz archive of blocks"},
		"large block":          {func(_, _, _ *Task, all *Tasks) { all.Settings.BlockSize = 1 << 62 }, "in blocks of"},
		"formats":              {func(_, _, _ *Task, all *Tasks) { all.Settings.Formats = nil }, "not complete"},
	} {
		p := madePlan(t)
		at := func(fits func(Task) bool) *Task { return &p.Tasks[slices.IndexFunc(p.Tasks, fits)] }
		part := func(n int) *Task { return at(func(k Task) bool { return k.Part != nil && k.Part.Index == n }) }
		tt.change(part(0), part(1), at(func(k Task) bool { return k.Part == nil && k.Name == "a0" }), p)
		data, err := json.Marshal(p)
		testenv.Must(t, err)
		if _, err := parseTasks(data); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestSettingsDiffer has a plan in which one task is of other settings: no task is done,
// and nothing is collected.
func TestSettingsDiffer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*Tasks)
		want   string
	}{
		"digest": {func(p *Tasks) { p.Tasks[0].Outputs[0].Settings[0]++ }, "got settings of digest"},
		"format": {func(p *Tasks) { p.Settings.Formats = []archive.Format{archive.XZ} }, "have no format gz"},
		"bcj":    {func(p *Tasks) { p.Settings.BCJ = "x86" }, "got settings of digest"},
	} {
		dir := t.TempDir()
		p := madePlan(t)
		tt.change(p)
		s := openStore(t, filepath.Join(dir, "kept"))
		failed := 0
		for n := range p.Tasks {
			if _, err := p.Perform(t.Context(), n, PerformOptions{Store: s, Dir: dir}); err != nil && strings.Contains(err.Error(), tt.want) {
				failed++
			}
		}
		if failed == 0 {
			t.Errorf("%s: no task fails with %q", name, tt.want)
		}
		if _, err := p.Collect(t.Context(), CollectOptions{Store: s, Dir: filepath.Join(dir, "release")}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: collect: got %v, want %q", name, err, tt.want)
		}
		if left := testenv.List(t, dir); len(left) > 0 {
			t.Errorf("%s: got %q, want nothing", name, left)
		}
	}
}

// TestForbidden has a store that may not be read.
func TestForbidden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := madePlan(t)
	kept := filepath.Join(dir, "kept")
	testenv.Must(t, os.Mkdir(kept, 0o755))
	s := openStore(t, kept)
	testenv.Must(t, os.Chmod(kept, 0))
	t.Cleanup(func() { _ = os.Chmod(kept, 0o755) })
	testenv.AsNobody(t, func() {
		if _, err := p.Perform(t.Context(), 0, PerformOptions{Store: s, Dir: dir}); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("got %v, want permission denied", err)
		}
	})
}

// FuzzParseTasks reads any plan: it is refused, or it is read again as it was, and what
// its tasks are named by stays in a directory and in a store.
func FuzzParseTasks(f *testing.F) {
	good, err := json.Marshal(madePlan(f))
	testenv.Must(f, err)
	f.Add(good)
	f.Add([]byte(strings.Replace(string(good), `"index":1`, `"index":0`, 1)))
	f.Add([]byte(strings.Replace(string(good), `a0`, `../a0`, 3)))
	f.Add([]byte(`{"version": 1, "tasks": [{}], "sources": ["s3://b"], "settings": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseTasks(data)
		if err != nil {
			return
		}
		written, err := p.Encode()
		testenv.Must(t, err)
		again, err := parseTasks(written)
		if err != nil {
			t.Fatalf("reading what was written: %v", err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Error(diff)
		}
		tasks := 0
		for _, o := range p.outputs() {
			if !filepath.IsLocal(o.name) || filepath.Base(o.name) != o.name {
				t.Errorf("got output %q", o.name)
			}
			for _, n := range o.tasks {
				tasks++
				if err := store.CheckName(p.keyOf(n, o.format)); err != nil {
					t.Error(err)
				}
			}
		}
		for _, task := range p.Tasks {
			if tasks -= len(task.Outputs); !fs.ValidPath(task.Input.Name) {
				t.Errorf("got input %q", task.Input.Name)
			}
			_ = p.checkSettings(task)
		}
		if tasks != 0 {
			t.Errorf("got %d outputs too many", tasks)
		}
	})
}

// performVar makes TestKillPerform the child that it kills, for a directory.
const performVar = "X_PERFORM_TEST_DIR"

// TestKillPerform kills tasks at any moment: what is in the store is whole, and a task
// that is done again ends well.
func TestKillPerform(t *testing.T) {
	if dir := os.Getenv(performVar); dir != "" { // a child
		p, err := ReadTasks(t.Context(), "plan.json", dir)
		testenv.Must(t, err)
		performAll(t, p, PerformOptions{Store: openStore(t, filepath.Join(dir, "kept")), Dir: dir, Temp: filepath.Join(dir, "temp")})
		return
	}
	t.Parallel()
	exe, err := os.Executable()
	testenv.Must(t, err)
	dir := release(t)
	p := split(t, dir, SplitOptions{Settings: quick})
	data, err := p.Encode()
	testenv.Must(t, err)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "plan.json"), data, 0o644))
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "temp"), 0o755))
	s := openStore(t, filepath.Join(dir, "kept"))
	for round := range 6 {
		cmd := exec.Command(exe, "-test.run=^TestKillPerform$")
		cmd.Env = append(os.Environ(), performVar+"="+dir)
		testenv.Must(t, cmd.Start())
		time.Sleep(time.Duration(20*(round+1)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for _, o := range p.outputs() {
			if _, err := (kept{s}).look(t.Context(), p.keyOf(o.tasks[0], o.format), true); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
	}
	performAll(t, p, PerformOptions{Store: s, Dir: dir, Temp: filepath.Join(dir, "temp")})
	_, err = p.Collect(t.Context(), CollectOptions{Store: s, Dir: filepath.Join(dir, "release"), Jobs: 2})
	testenv.Must(t, err)
	one := filepath.Join(dir, "one")
	recompress(t, Options{Formats: quick.Formats, Profile: quick.Profile, Dir: one}, filepath.Join(dir, "ci"))
	sameFiles(t, one, filepath.Join(dir, "release"))
}
