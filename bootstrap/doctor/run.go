package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"x.go/dist"
	"x.go/dist/inspect"
	"x.go/dist/linkage"
	"x.go/targets/link"
)

// Command is a program to run and to examine: a build, as a person would start it.
type Command struct {
	Args           []string // the program first
	Dir            string   // absolute; outputs are looked for below it
	Env            []string // as in [exec.Cmd]
	Stdin          io.Reader
	Stdout, Stderr io.Writer // get what the program prints, as it comes
	// Decide says which linker rustc would run with these arguments of it, for cargo
	// with its configuration; ok is false if that cannot be known. It is asked where an
	// output was not linked by LLD. nil: nothing is known.
	Decide func(ctx context.Context, cargo bool, args []string) (d link.Decision, ok bool)
}

// Ran says what became of a [Command].
type Ran struct {
	Args   []string `json:"args"`
	Status int      `json:"status"` // exit status; -1 after a signal
}

// Run runs a command, and examines what it prints and what it links. Evidence in the
// output has the command as its file. The error says that the command did not start, or
// that ctx ended; a command that fails is no error.
func Run(ctx context.Context, c Command, o Options) (Report, error) {
	name := strings.Join(c.Args, " ")
	d := newDiagnosis(shorten(dist.OneLine(name), maxText), o)
	d.line(0, []byte(name))
	for _, kv := range c.Env {
		if k, _, _ := strings.Cut(kv, "="); strings.HasSuffix(k, "RUSTFLAGS") {
			d.line(0, []byte(strings.ReplaceAll(kv, "\x1f", " ")))
		}
	}
	start := time.Now()
	status, err := c.run(ctx, d)
	if err != nil {
		return Report{}, err
	}
	if err := c.outputs(ctx, d, start); err != nil {
		return Report{}, err
	}
	r := d.report()
	r.Ran = &Ran{c.Args, status}
	return r, nil
}

// run runs the command and feeds d with its output.
func (c Command) run(ctx context.Context, d *diagnosis) (status int, err error) {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.Dir, c.Env, c.Stdin
	both := &lines{scanner: scanner{a: d.words, do: d.line, no: 1}}
	out, errs := &tee{to: c.Stdout, lines: both}, &tee{to: c.Stderr, lines: both}
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second // a server that the command leaves behind keeps its pipes
	err = cmd.Run()
	out.finish()
	errs.finish()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return 0, fmt.Errorf("running %q: %w", c.Args[0], err)
	}
	return 0, nil
}

// lines takes lines from several streams.
type lines struct {
	mu sync.Mutex
	scanner
}

// tee passes a stream on, and its lines to an examination.
type tee struct {
	to    io.Writer
	lines *lines
	rest  []byte // without an end so far
}

// Write implements [io.Writer].
func (t *tee) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.rest = append(t.rest, p[:n]...)
	if bytes.IndexByte(p[:n], '\n') >= 0 || len(t.rest) > maxLine {
		t.take(len(t.rest) > maxLine)
	}
	return n, err
}

func (t *tee) finish() { t.take(true) }

// take hands whole lines on; at the end also what has none.
func (t *tee) take(end bool) {
	t.lines.mu.Lock()
	defer t.lines.mu.Unlock()
	left := t.lines.block(t.rest, end)
	t.rest = append(t.rest[:0], t.rest[len(t.rest)-left:]...)
	if end {
		t.rest = t.rest[:0]
	}
}

// Limits of the search for what a command has linked.
const (
	maxEntries = 200_000 // files and directories that are looked at
	maxOutputs = 500     // files that are examined
	maxDepth   = 8       // directories below Dir
	// clockStep is how much older than the clock the time of a new file may be: the
	// kernel takes that from its last tick.
	clockStep = 20 * time.Millisecond
)

// outputs examines the files that a command has written.
func (c Command) outputs(ctx context.Context, d *diagnosis, start time.Time) error {
	dirs := []string{c.Dir}
	for _, kv := range c.Env {
		if v, ok := strings.CutPrefix(kv, "CARGO_TARGET_DIR="); ok && filepath.IsAbs(v) {
			dirs = append(dirs, v)
		}
	}
	var linked []inspect.File
	var inputs []string
	seen := map[string]bool{}
	for _, dir := range dirs {
		for _, path := range writtenSince(ctx, dir, start.Add(-clockStep)) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f, err := inspect.Read(path, inspect.Options{})
			if err != nil {
				continue // a log, a source, a file still being written
			}
			if f.Format != inspect.ELF || f.Kind == linkage.Relocatable {
				inputs = append(inputs, path)
				continue
			}
			if id := fmt.Sprint(f.Size, filepath.Base(path)); !seen[id] {
				seen[id] = true
				linked = append(linked, f)
			}
		}
	}
	return c.judge(ctx, d, linked, inputs)
}

// judge judges what was linked, and what it was linked from where LLD did it.
func (c Command) judge(ctx context.Context, d *diagnosis, linked []inspect.File, inputs []string) error {
	lld := false
	for _, f := range linked {
		if err := d.file(c.shown(f.Path), f.Path, false); err != nil {
			return err
		}
		lld = lld || f.Linker == linkage.LLD
	}
	if lld {
		for _, path := range inputs {
			if f, err := inspect.Read(path, inspect.Options{}); err == nil {
				specimen{d, f, c.shown(path)}.ltoInput()
			}
		}
	}
	c.notUsed(ctx, d, linked)
	return nil
}

// shown is a path as a person in the command's directory would write it.
func (c Command) shown(path string) string {
	if rel, err := filepath.Rel(c.Dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// ltoInput: code that LLD links without the optimisation that it was compiled for.
func (s specimen) ltoInput() {
	for _, m := range append(s.file.Members, s.file) {
		if m.LTO == inspect.GCCFat || m.LTO == inspect.GCCSlim {
			s.found(LTOObjects, Medium, "%q holds GCC's intermediate code: LLD does not optimise it across files", m.Member)
		}
	}
}

// notUsed: rustc asked for LLD, and another linker ran. That happens in silence.
func (c Command) notUsed(ctx context.Context, d *diagnosis, linked []inspect.File) {
	base := strings.TrimSuffix(filepath.Base(c.Args[0]), ".exe")
	if c.Decide == nil || base != "rustc" && base != "cargo" {
		return
	}
	for _, f := range linked {
		s := specimen{d, f, c.shown(f.Path)}
		if f.Linker != linkage.BFD && f.Linker != linkage.Gold || s.rustc() == "" {
			continue
		}
		decision, ok := c.Decide(ctx, base == "cargo", c.Args[1:])
		if ok && decision.Linked && decision.UsesLLD() {
			s.found(OldDriver, High, "linked by %s, although rustc runs %q with -fuse-ld=lld", f.Linker, decision.Linker)
			continue
		}
		return
	}
}

// writtenSince lists regular files below dir that are new enough to be outputs.
func writtenSince(ctx context.Context, dir string, start time.Time) []string {
	var out []string
	entries := 0
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if entries++; ctx.Err() != nil || entries > maxEntries || len(out) >= maxOutputs {
			return filepath.SkipAll
		}
		if err != nil {
			return nil // gone, or not ours to read
		}
		if e.IsDir() {
			rel := strings.TrimPrefix(path, dir)
			if name := e.Name(); path != dir && (name == ".git" || name == "node_modules" || name == "incremental" || name == ".fingerprint" || strings.Count(rel, string(filepath.Separator)) > maxDepth) {
				return filepath.SkipDir
			}
			return nil
		}
		if !e.Type().IsRegular() || !mayBeLinked(e.Name()) {
			return nil
		}
		if fi, err := e.Info(); err == nil && fi.ModTime().After(start) {
			out = append(out, path)
		}
		return nil
	})
	return out
}

// mayBeLinked reports whether a name may be that of a program, a library or an archive.
func mayBeLinked(name string) bool {
	switch ext := filepath.Ext(name); ext {
	case ".a", ".rlib", ".so", ".lo":
		return true
	case ".o", ".d", ".rmeta", ".json", ".toml", ".rs", ".c", ".h", ".cc", ".cpp", ".lock", ".txt", ".md", ".log":
		return false
	}
	return true
}
