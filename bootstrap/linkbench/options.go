package linkbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"x.go/bootstrap/toolchain"
	"x.go/dist/measure"
)

// Mode says what is built again in each run.
type Mode string

// The modes.
const (
	// Incremental builds once and then removes what was linked last before each run: the
	// programs and libraries that the command asks for, no build script. This is the
	// build after an edit that changes nothing but the program itself.
	Incremental Mode = "incremental"
	// Clean builds everything in each run.
	Clean Mode = "clean"
)

// Options say what [Run] compares.
type Options struct {
	Command []string // such as "cargo", "build"
	Dir     string   // where it is run, absolute
	Env     []string // its environment, "KEY=value"; nil for that of the process
	// X is the path of this program, which the command starts under other names.
	X    string
	Mode Mode // "" for Incremental

	// Rustc is the compiler that the command runs, a path or a name on PATH; "" for
	// rustc. Sysroot is a toolchain that it is to run instead.
	Rustc, Sysroot string
	// Wrapper is the program that the user has cargo start rustc through; "" for none.
	Wrapper string

	Only     []string // names of linkers, of [Names]; nil for all that are there
	Baseline string   // the linker that ratios are to; "" for bfd, or the first of the run
	Rounds   int      // 1 to [measure.MaxRounds]
	Timeout  time.Duration

	Notify func(measure.Event)
	// Note, if not nil, is called with a line of text about what is left out or takes a
	// while.
	Note func(text string)
}

// session is what all runs share.
type session struct {
	Options
	tc       toolchain.Toolchain
	program  string // absolute path of the command
	cargo    bool
	found    []found
	leftOut  []LeftOut
	baseline string
}

// Check reports what [Run] would refuse before any work, as a [*measure.OptionError].
func (o Options) Check() error {
	switch {
	case o.Rounds < 1 || o.Rounds > measure.MaxRounds:
		return measure.OptionErrorf("Rounds", "got %d, want 1 to %d", o.Rounds, measure.MaxRounds)
	case o.Timeout < 0:
		return measure.OptionErrorf("Timeout", "got %s, want 0 or more", o.Timeout)
	case o.Mode != "" && o.Mode != Clean && o.Mode != Incremental:
		return measure.OptionErrorf("Mode", "got %q, want %s or %s", o.Mode, Clean, Incremental)
	case len(o.Command) == 0 || o.Command[0] == "":
		return measure.OptionErrorf("Command", "got none, want one such as cargo build")
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return measure.OptionErrorf("Only", "got %q, want %s", name, strings.Join(Names(), ", "))
		}
	}
	if o.Baseline != "" && !slices.Contains(Names(), o.Baseline) {
		return measure.OptionErrorf("Baseline", "got %q, want %s", o.Baseline, strings.Join(Names(), ", "))
	}
	return o.checkCommand()
}

// checkCommand refuses a command that would build elsewhere than x says.
func (o Options) checkCommand() error {
	if !o.isCargo() {
		return nil
	}
	args := o.Command[1:]
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	for _, arg := range args {
		if arg == "--target-dir" || strings.HasPrefix(arg, "--target-dir=") {
			return measure.OptionErrorf("Command", "got %q in it: x builds in a directory of its own: drop it", arg)
		}
	}
	return nil
}

// isCargo reports whether the command is cargo itself.
func (o Options) isCargo() bool {
	return strings.TrimSuffix(filepath.Base(o.Command[0]), ".exe") == "cargo"
}

// isRustc reports whether the command is a compiler itself.
func (o Options) isRustc() bool { return filepath.Base(o.Command[0]) == rustcName }

// newSession checks the options, asks the compiler and looks for linkers.
func newSession(ctx context.Context, o Options) (*session, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if runtime.GOOS != "linux" {
		return nil, fmt.Errorf("comparing linkers: %w on %s: it takes ELF files and Linux", errors.ErrUnsupported, runtime.GOOS)
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Mode == "" {
		o.Mode = Incremental
	}
	s := &session{Options: o, cargo: o.isCargo()}
	var err error
	if s.program, err = o.findCommand(); err != nil {
		return nil, err
	}
	if s.isRustc() {
		s.Rustc = s.program
	}
	if err := s.findToolchain(ctx); err != nil {
		return nil, err
	}
	return s, s.choose()
}

// findCommand is the path of the command's program.
func (o Options) findCommand() (string, error) {
	name := o.Command[0]
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		name = filepath.Join(o.Dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil && o.isCargo() {
		return "", fmt.Errorf("running %q: %w: install Rust, or put cargo on PATH", o.Command[0], errors.Unwrap(err))
	} else if err != nil {
		return "", fmt.Errorf("running %q: %w", o.Command[0], errors.Unwrap(err))
	}
	return filepath.Abs(path)
}

// findToolchain asks the compiler that the command runs.
func (s *session) findToolchain(ctx context.Context) error {
	src := toolchain.Source{Sysroot: s.Sysroot, Env: s.Env}
	if s.cargo && len(s.Command) > 1 && strings.HasPrefix(s.Command[1], "+") { // rustup's
		src.Env = append(slices.Clip(s.Env), "RUSTUP_TOOLCHAIN="+s.Command[1][1:])
	}
	if s.Sysroot == "" {
		name := s.Rustc
		if name == "" {
			name = rustcName
		}
		if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
			name = filepath.Join(s.Dir, name)
		}
		path, err := lookUp(name)
		if err != nil {
			return err
		}
		src.Rustc = path
	}
	var err error
	if s.tc, err = toolchain.Find(ctx, src); err == nil && s.tc.Unrun != nil {
		err = fmt.Errorf("running %q: it does not run here, so it can't be measured: %w", s.tc.Rustc, s.tc.Unrun)
	}
	return err
}

// choose finds the linkers that take part, and the baseline.
func (s *session) choose() error {
	for _, l := range linkers {
		if s.Only != nil && !slices.Contains(s.Only, l.name) {
			continue
		}
		f, err := l.find(s.tc)
		if err != nil {
			s.leftOut = append(s.leftOut, LeftOut{Name: l.name, Reason: err.Error()})
			continue
		}
		s.found = append(s.found, f)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(s.found, func(f found) bool { return f.name == name })
	}
	switch {
	case len(s.found) == 0:
		return measure.OptionErrorf("Only", "got no linker that is there: %s", leftOutText(s.leftOut))
	case s.Baseline != "" && !has(s.Baseline):
		return measure.OptionErrorf("Baseline", "got %q, want a linker of this run", s.Baseline)
	case s.Baseline != "":
		s.baseline = s.Baseline
	case has(defaultBaseline):
		s.baseline = defaultBaseline
	default:
		s.baseline = s.found[0].name
	}
	return nil
}

func leftOutText(left []LeftOut) string {
	var out []string
	for _, l := range left {
		out = append(out, l.Name+": "+l.Reason)
	}
	return strings.Join(out, "; ")
}

func (s *session) notef(format string, args ...any) {
	if s.Note != nil {
		s.Note(fmt.Sprintf(format, args...))
	}
}
