package linkbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"x.go/dist"
	"x.go/dist/linkage"
	"x.go/dist/measure"
)

// Run compares linkers on a command. A linker that failed, or a result that another
// linker made, is in the report; see [Report.Errors]. Run itself fails with a
// [*measure.OptionError] if an option is wrong, with a [*BuildError] if the command fails
// for another reason than a link, and if ctx ends. It removes what it built.
func Run(ctx context.Context, o Options) (Report, error) {
	s, err := newSession(ctx, o)
	if err != nil {
		return Report{}, err
	}
	r := s.plan(ctx)
	for _, l := range s.leftOut {
		s.notef("note: leaving out %s: %s", l.Name, l.Reason)
	}
	w, err := s.prepare(ctx)
	if err != nil {
		return Report{}, err
	}
	defer w.remove()
	if err := w.compare(ctx, &r); err != nil {
		return Report{}, err
	}
	r.Rate(s.baseline)
	return r, nil
}

// Plan returns the report of [Run] before anything is built: it asks the compiler and the
// linkers for their versions, and writes no file.
func Plan(ctx context.Context, o Options) (Report, error) {
	s, err := newSession(ctx, o)
	if err != nil {
		return Report{}, err
	}
	return s.plan(ctx), nil
}

// plan is the report without runs.
func (s *session) plan(ctx context.Context) Report {
	r := Report{
		Schema: schemaVersion, Machine: measure.ThisMachine(), Command: s.Command, Mode: s.Mode, Rounds: s.Rounds, Baseline: s.baseline,
		Toolchain: Toolchain{Release: s.tc.Version.Release.String(), Host: s.tc.Host.String(), Sysroot: s.tc.Sysroot},
		LeftOut:   s.leftOut,
	}
	for _, f := range s.found {
		path := f.program
		if f.lld != "" {
			path = f.lld
		}
		row := Row{Name: f.name, About: f.about, Linker: string(f.kind), Program: path, Args: f.args, Runs: []RunFigures{}}
		row.Version = s.version(ctx, f)
		r.Rows = append(r.Rows, row)
	}
	return r
}

// version asks a linker for its version; that of the toolchain answers for all in front
// of it.
func (s *session) version(ctx context.Context, f found) string {
	program := f.program
	if f.names == nil {
		program = filepath.Join(filepath.Dir(filepath.Dir(f.program)), "gcc-ld", "ld.lld")
	}
	for line := range strings.Lines(measure.Said(ctx, program, "--version", s.Env)) {
		if linker, version := linkage.Named(strings.TrimSpace(line)); linker == f.kind {
			return version
		}
	}
	return ""
}

// work is the temporary directory of a run.
type work struct {
	*session
	dir string // absolute, without links
}

func (w work) path(name string) string { return filepath.Join(w.dir, name) }

// The files of a work directory.
const (
	jobFile    = "job.json"
	logFile    = "log"
	toolsDir   = "tools"
	binDir     = "bin"
	targetDir  = "target"
	wrapperDir = "wrappers"
)

// prepare creates the directory, with the helper in it under its names.
func (s *session) prepare(ctx context.Context) (*work, error) {
	dir, err := os.MkdirTemp("", "x-linkbench-")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("creating a directory for builds: %w", err)
	}
	w := &work{s, dir}
	errs := []error{os.Mkdir(w.path(toolsDir), 0o700), os.Mkdir(w.path(binDir), 0o700)}
	for _, name := range []string{filepath.Join(toolsDir, linkerName), filepath.Join(binDir, rustcName), wrapperName} {
		errs = append(errs, os.Symlink(s.X, w.path(name)))
	}
	for i := range s.found {
		errs = append(errs, s.found[i].place(ctx, s.tc, w.path(wrapperDir), s.Env))
	}
	if err := errors.Join(errs...); err != nil {
		w.remove()
		return nil, fmt.Errorf("preparing builds: %w", err)
	}
	return w, nil
}

// remove removes the directory. Programs that were killed may still be at their last
// write.
func (w *work) remove() {
	for range 50 {
		if os.RemoveAll(w.dir) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.notef("note: some of %q is left: remove it", w.dir)
}

// compare takes the figures.
func (w *work) compare(ctx context.Context, r *Report) error {
	var last []string // what is removed before each run
	if w.Mode == Incremental {
		var err error
		if last, err = w.first(ctx, r); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var turns []measure.Turn
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Error != "" {
			continue
		}
		turns = append(turns, measure.Turn{
			Name: row.Name,
			Run: func(ctx context.Context, _ bool) (measure.Figures, error) {
				run, err := w.turn(ctx, w.found[i], last)
				if err == nil {
					row.Runs = append(row.Runs, run)
				} else if _, ok := errors.AsType[*linkError](err); !ok {
					stop(err) // other linkers would not fare better
				}
				return run.told(), err
			},
			Fail: func(err error) { row.Error, row.Runs = err.Error(), []RunFigures{} },
		})
	}
	name := filepath.Base(w.Dir)
	return measure.Rounds{Count: w.Rounds, Steps: w.Rounds * len(turns), Input: name, Notify: w.Notify}.Take(ctx, turns)
}

// first builds once, without taking figures, and returns what was linked last.
func (w *work) first(ctx context.Context, r *Report) ([]string, error) {
	for i, f := range w.found {
		w.notef("building once with %s, before the rounds", f.name)
		links, _, err := w.build(ctx, f)
		if failed, ok := errors.AsType[*linkError](err); ok {
			r.Rows[i].Error = failed.Error()
			continue
		} else if err != nil {
			return nil, err
		}
		var last []string
		for _, l := range links {
			if !l.Helper && below(l.Link.Out, w.dir) {
				last = append(last, l.Link.Out)
			}
		}
		if len(last) == 0 && w.cargo {
			return nil, fmt.Errorf("running %q: it links no program of its own that could be linked again: build one, or use the mode %q", w.commandText(), Clean)
		}
		return last, nil
	}
	return nil, errors.Join(r.Errors()...)
}

// turn runs the command once.
func (w *work) turn(ctx context.Context, f found, last []string) (RunFigures, error) {
	if w.Mode == Clean {
		defer os.RemoveAll(w.path(targetDir))
	}
	for _, path := range last {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return RunFigures{}, fmt.Errorf("removing what was linked: %w", err)
		}
	}
	links, build, err := w.build(ctx, f)
	if err != nil {
		return RunFigures{}, err
	}
	run := RunFigures{Build: build}
	for _, l := range links {
		part := &run.Final
		if l.Helper {
			part = &run.Helpers
		}
		part.add(l.Link.Figures)
	}
	if run.Final.Count == 0 && w.Mode == Incremental {
		return run, fmt.Errorf("running %q again: it linked nothing of its own", w.commandText())
	}
	return run, nil
}

// build runs the command with one linker and returns its links and figures. A
// [*linkError] is the linker's.
func (w *work) build(ctx context.Context, f found) ([]record, measure.Figures, error) {
	if err := w.order(f); err != nil {
		return nil, measure.Figures{}, err
	}
	limited, cancel := context.WithCancel(ctx)
	if w.Timeout > 0 {
		limited, cancel = context.WithTimeoutCause(ctx, w.Timeout, fmt.Errorf("no end after %s", w.Timeout))
	}
	defer cancel()
	cmd := exec.CommandContext(limited, w.program, w.Command[1:]...)
	cmd.Args[0] = w.Command[0]
	if w.isRustc() {
		cmd = exec.CommandContext(limited, w.path(wrapperName), append([]string{w.program}, w.Command[1:]...)...)
	}
	complaint := &measure.Tail{Limit: 16 << 10}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.Dir, w.environ(), complaint, complaint
	cmd.WaitDelay = 5 * time.Second
	measure.KillGroup(cmd)
	figures, err := measure.Run(cmd)
	switch {
	case ctx.Err() != nil:
		return nil, figures, context.Cause(ctx)
	case err != nil && limited.Err() != nil:
		return nil, figures, &linkError{context.Cause(limited)}
	}
	records, readErr := w.readLog()
	if readErr != nil {
		return nil, figures, readErr
	}
	links, linkErr := f.judge(records, complaint.Text())
	switch {
	case linkErr != nil:
		return nil, figures, linkErr
	case err != nil:
		return nil, figures, &BuildError{Command: w.commandText(), Linker: f.name, Output: complaint.Text(), Err: err}
	case len(links) == 0:
		return nil, figures, w.noLinks(records)
	}
	return links, figures, nil
}

// order tells the helper what to do from now on.
func (w *work) order(f found) error {
	j := job{
		Program: f.program, Argv0: f.argv0(), Args: f.args, Tools: w.path(toolsDir), Bin: w.path(binDir), Log: w.path(logFile),
	}
	if f.driver {
		j.Driver = f.names[0]
	}
	if w.Wrapper != "" {
		j.Wrapper = []string{w.Wrapper}
	}
	if w.cargo {
		j.Target = w.path(targetDir)
	}
	data, err := json.Marshal(j)
	if err == nil {
		err = errors.Join(os.WriteFile(w.path(jobFile), data, 0o600), os.WriteFile(j.Log, nil, 0o600))
	}
	if err != nil {
		return fmt.Errorf("preparing a build: %w", err)
	}
	return nil
}

// environ is the environment of the command.
func (w *work) environ() []string {
	env := append(slices.Clip(w.Env),
		"CARGO_TARGET_DIR="+w.path(targetDir), "CARGO_BUILD_BUILD_DIR="+w.path(targetDir),
		"RUSTC_WRAPPER="+w.path(wrapperName), jobVariable+"="+w.path(jobFile),
	)
	if w.Sysroot != "" {
		env = append(env, "RUSTC="+w.tc.Rustc)
	}
	if !w.cargo {
		env = append(env, "PATH="+w.path(binDir)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	return env
}

// readLog returns what the helper saw, in the order in which it ended.
func (w *work) readLog() ([]record, error) {
	data, err := dist.ReadFile(w.path(logFile), maxLog)
	if err != nil {
		return nil, fmt.Errorf("reading what was linked: %w", err)
	}
	return parseLog(data)
}
