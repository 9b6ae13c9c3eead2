package faults

import (
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// disk is a model of a disk. Content lasts once its file is flushed, a change of names
// once one of their directories is. Until then a loss of power leaves any of the changes
// made, each as a whole, and of content any part of it.
type disk struct {
	now     map[string]*inode
	lasts   map[string]*inode
	changes []change // since their directories were flushed
}

// change gives files names, or with nil takes names away.
type change map[string]*inode

// inode is a file; nil stands for none.
type inode struct {
	text    string
	flushed string
}

func newDisk(t tree) *disk {
	d := &disk{map[string]*inode{}, map[string]*inode{}, nil}
	for name, text := range t {
		d.now[name] = &inode{text, text}
		d.lasts[name] = d.now[name]
	}
	return d
}

// in makes a change in a map of names.
func (c change) in(names map[string]*inode) {
	for name, i := range c {
		if names[name] = i; i == nil {
			delete(names, name)
		}
	}
}

// set makes a change.
func (d *disk) set(c change) {
	c.in(d.now)
	d.changes = append(d.changes, c)
}

// rename moves a file, or a directory with all that is in it.
func (d *disk) rename(from, to string) bool {
	c := change{}
	for name, i := range d.now {
		if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
			c[name], c[to+rest] = nil, i
		}
	}
	if len(c) == 0 {
		return false
	}
	if d.now[from] == nil { // a directory, which is no file, is a name in those that are flushed
		c[from], c[to] = nil, nil
	}
	d.set(c)
	return true
}

// removeDir removes an empty directory. Once its name is gone, so is what was in it,
// flushed or not.
func (d *disk) removeDir(dir string) bool {
	c := change{dir: nil}
	gone := func(names map[string]*inode) {
		for name := range names {
			if strings.HasPrefix(name, dir+"/") {
				c[name] = nil
			}
		}
	}
	gone(d.lasts)
	for _, earlier := range d.changes {
		gone(earlier)
	}
	if len(c) == 1 {
		return false // nothing was in it that could come back
	}
	d.set(c)
	return true
}

// syncDir makes the changes of names directly in a directory last, or all with all.
func (d *disk) syncDir(dir string, all bool) {
	var left []change
	for _, c := range d.changes {
		if !all && !slices.ContainsFunc(slices.Collect(maps.Keys(c)), func(name string) bool { return filepath.Dir(name) == dir }) {
			left = append(left, c)
			continue
		}
		c.in(d.lasts)
		for _, earlier := range left {
			maps.DeleteFunc(earlier, func(name string, _ *inode) bool { _, again := c[name]; return again })
		}
	}
	d.changes = left
}

// crash returns what is left after a loss of power, as choose decides: it gets a
// number of states and returns one, 0 for the oldest.
func (d *disk) crash(choose func(n int) int) tree {
	left := maps.Clone(d.lasts)
	for _, c := range d.changes {
		if choose(2) == 1 {
			c.in(left)
		}
	}
	out := tree{}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		switch i := left[name]; {
		case i.flushed == i.text:
			out[name] = i.text
		default: // torn
			out[name] = []string{i.flushed, i.text[:len(i.text)/2], i.text}[choose(3)]
		}
	}
	return out
}

// call is a line of strace, with strings and paths in hexadecimal.
var (
	call     = regexp.MustCompile(`^(\w+)\((.*)\) += +(-?\d+)`)
	fdPath   = regexp.MustCompile(`^(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>`)
	quoted   = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	threadID = regexp.MustCompile(`^(\d+) +`)
)

func unhex(s string) string {
	data, _ := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	return string(data)
}

// traced returns the calls of a trace in the order in which they ended.
func traced(text string) []string {
	var out []string
	begun := map[string]string{} // by thread
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		m := threadID.FindString(line)
		thread, rest := strings.TrimSpace(m), line[len(m):]
		if head, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
			begun[thread] = head
			continue
		}
		if strings.HasPrefix(rest, "<... ") {
			_, tail, _ := strings.Cut(rest, " resumed>")
			rest = begun[thread] + tail
		}
		out = append(out, rest)
	}
	return out
}

// apply plays one call, if it changes files below top, and reports whether it did.
func (d *disk) apply(line, top string) bool {
	m := call.FindStringSubmatch(line)
	if m == nil || strings.HasPrefix(m[3], "-") {
		return false
	}
	name, args := m[1], m[2]
	base := ""
	if f := fdPath.FindStringSubmatch(args); f != nil {
		base = strings.TrimSuffix(unhex(f[1]), " (deleted)")
	}
	below := func(p string) (string, bool) {
		rel, err := filepath.Rel(top, p)
		return rel, err == nil && filepath.IsLocal(rel)
	}
	at := func(i int) (string, bool) { // the ith path after the directory that it is in
		var dirs []string
		for part := range strings.SplitSeq(args, ", ") {
			if f := fdPath.FindStringSubmatch(part); f != nil {
				dirs = append(dirs, unhex(f[1]))
			}
		}
		names := quoted.FindAllStringSubmatch(args, -1)
		if i >= len(dirs) || i >= len(names) {
			return "", false
		}
		p := unhex(names[i][1])
		if !filepath.IsAbs(p) {
			p = filepath.Join(dirs[i], p)
		}
		return below(p)
	}
	rel, ok := below(base)
	switch name {
	case "openat":
		if p, ok := at(0); ok && strings.Contains(args, "O_CREAT") && d.now[p] == nil {
			d.set(change{p: &inode{}})
			return true
		}
	case "write":
		if i := d.now[rel]; ok && i != nil {
			i.text += unhex(quoted.FindStringSubmatch(args)[1])
			return true
		}
	case "fsync":
		if i := d.now[rel]; ok && i != nil {
			i.flushed = i.text
		} else if ok {
			d.syncDir(rel, false)
		}
		return ok
	case "syncfs":
		for _, i := range d.now {
			i.flushed = i.text
		}
		d.syncDir("", true)
		return true
	case "renameat":
		from, ok1 := at(0)
		to, ok2 := at(1)
		return ok1 && ok2 && d.rename(from, to)
	case "unlinkat":
		switch p, ok := at(0); {
		case ok && strings.Contains(args, "AT_REMOVEDIR"):
			return d.removeDir(p)
		case ok && d.now[p] != nil:
			d.set(change{p: nil})
			return true
		}
	}
	return false
}

// TestPowerLoss records the system calls of commands, and cuts the power after each:
// nothing incomplete may have a final name, and the next run mends the rest.
func TestPowerLoss(t *testing.T) {
	testenv.Long(t, "it plays the calls of whole runs")
	testenv.Need(t, "strace")
	x := runx.Build(t)
	for _, c := range faultCases {
		if c.name == "build" || c.name == "clean" { // they make links
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			r := newFaultRun(t, x, c)
			log := filepath.Join(filepath.Dir(r.dir), "trace")
			r.copy(t, r.template, r.dir)
			got := r.strace(t, "-o", log, "-y", "-xx", "-s", strconv.Itoa(1<<26), "-e", "trace=openat,write,fsync,syncfs,renameat,unlinkat")
			if got.Code != 0 {
				testenv.Missing(t, "right to trace: exit status %d: %s", got.Code, got.Stderr)
			}
			data, err := os.ReadFile(log)
			testenv.Must(t, err)
			r.cutPower(t, traced(string(data)))
		})
	}
}

// cutPower plays the calls and cuts the power after each that changes something.
func (r *faultRun) cutPower(t *testing.T, calls []string) {
	t.Helper()
	d := newDisk(r.old)
	rng := rand.New(rand.NewPCG(1, 2))
	changes := 0
	for k, line := range calls {
		if !d.apply(line, r.dir) {
			continue
		}
		changes++
		states := []tree{
			d.crash(func(int) int { return 0 }),       // nothing that was not flushed
			d.crash(func(n int) int { return n - 1 }), // all of it
		}
		for range 6 {
			states = append(states, d.crash(rng.IntN))
		}
		for _, left := range states {
			if err := r.judge(r.old, r.after, left); err != nil {
				t.Fatalf("power lost after call %d (%.300s): %v", k, line, err)
			}
		}
		if rng.IntN(40) == 0 {
			r.restore(t, states[len(states)-1])
			r.mends(t, "power loss")
		}
	}
	for name, want := range r.after {
		if i := d.now[name]; (i == nil || i.text != want) && !own(name) {
			t.Errorf("the played calls do not give %s: the model is wrong", name)
		}
	}
	left := d.crash(func(int) int { return 0 })
	names := maps.Clone(left)
	maps.Copy(names, r.after)
	for name := range names {
		text, has := left[name]
		if want, meant := r.after[name]; (has != meant || text != want) && !own(name) {
			t.Errorf("after the command has said that it is done, a loss of power changes %s", name)
		}
	}
	t.Logf("%d changes", changes)
}

// restore puts what a loss of power left into the directory of the case.
func (r *faultRun) restore(t *testing.T, left tree) {
	t.Helper()
	r.copy(t, r.template, r.dir)
	for name := range readTree(t, r.dir) {
		if left[name] != r.old[name] {
			testenv.Must(t, os.Remove(filepath.Join(r.dir, name)))
		}
	}
	for name, text := range left {
		path := filepath.Join(r.dir, name)
		if was, had := r.old[name]; had && was == text {
			continue
		}
		testenv.Must(t, os.RemoveAll(path)) // it may have been a directory
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		testenv.Must(t, os.WriteFile(path, []byte(text), 0o644))
	}
}
