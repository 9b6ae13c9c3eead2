package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"x.go/dist/measure"
)

// Options say what [Run] compares, and on what.
type Options struct {
	// X is the path of the program x. Its hidden command `x bench coder` runs our own
	// coders, and decompresses inputs.
	X string
	// Version is that of x, for the report.
	Version string
	// Sources are compressed one after the other.
	Sources []Source

	// Peers are the other programs to compare with, of [Tools]; nil for all that are
	// installed.
	Peers []string
	// Only names the rows to run: "xz -9" for example, a program, or "x" for all of
	// x's own; nil for all.
	Only []string
	// Baseline names the row that ratios are to. "" stands for "xz -9" or, if that
	// is not run, for the first other program or else the first row.
	Baseline string

	Rounds  int           // runs of each program, 1 to 1000
	Timeout time.Duration // for one run; 0 for none
	Jobs    int           // threads of each program; 0 for as many as Go uses
	Filter  bool          // also run best with the branch filter, where the input has machine code
	Decode  bool          // also compare decoders, on what x compressed as xz

	// Env is the environment of the programs, "KEY=value"; nil for that of the
	// process. Variables that change how programs compress, such as XZ_OPT, are
	// removed.
	Env []string
	// Notify, if not nil, is called before and after each run of a program.
	Notify func(measure.Event)
	// Note, if not nil, is called with one line of text when Run leaves something out
	// or does something that takes a while.
	Note func(text string)
}

// defaultBaseline is the program and level that people expect to be smallest.
const defaultBaseline = "xz -9"

// Check reports what [Run] would refuse before any work, as an [*measure.OptionError].
func (o Options) Check() error {
	_, err := newSession(o)
	return err
}

// Tools names the programs that x can be compared with, installed or not.
func Tools() []string {
	var out []string
	for _, p := range encoders {
		out = append(out, p.tool)
	}
	return out
}

// session is what all inputs of a run share.
type session struct {
	Options
	dir      string   // of temporary files; "" if there is none
	peers    []coder  // that are installed
	missing  []string // tools asked for that are not installed
	decoders []coder  // of peers
	baseline string
}

// newSession checks the options and looks for programs.
func newSession(o Options) (*session, error) {
	switch {
	case o.Rounds < 1 || o.Rounds > measure.MaxRounds:
		return nil, measure.OptionErrorf("Rounds", "got %d, want 1 to %d", o.Rounds, measure.MaxRounds)
	case o.Timeout < 0:
		return nil, measure.OptionErrorf("Timeout", "got %s, want 0 or more", o.Timeout)
	case o.Jobs < 0:
		return nil, measure.OptionErrorf("Jobs", "got %d, want 0 or more", o.Jobs)
	}
	if o.Jobs == 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	o.Env = withoutSettings(o.Env)
	s := &session{Options: o}
	var missing []string
	s.peers, missing = findEncoders(o.Jobs, exec.LookPath)
	s.decoders, _ = findDecoders(o.Jobs, exec.LookPath)
	for _, tool := range missing {
		if o.Peers == nil && o.Only == nil || slices.Contains(o.Peers, tool) {
			s.missing = append(s.missing, tool)
		}
	}
	if err := s.choose(); err != nil {
		return nil, err
	}
	for _, src := range o.Sources {
		if err := src.check(); err != nil {
			return nil, &measure.OptionError{Option: "Sources", Err: err}
		}
	}
	return s, nil
}

// withoutSettings is an environment without what changes how programs compress.
func withoutSettings(env []string) []string {
	drop := []string{
		"XZ_OPT", "XZ_DEFAULTS", "GZIP", "PIGZ", "ZSTD_CLEVEL", "ZSTD_NBTHREADS",
		"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG",
	}
	return slices.DeleteFunc(slices.Clone(env), func(setting string) bool {
		key, _, _ := strings.Cut(setting, "=")
		return slices.Contains(drop, key)
	})
}

// choose checks the words that name rows, and sets the baseline.
func (s *session) choose() error {
	for _, p := range s.Peers {
		if !slices.Contains(Tools(), p) {
			return measure.OptionErrorf("Peers", "got %q, want %s", p, strings.Join(Tools(), ", "))
		}
	}
	filter := noFilter
	if s.Filter {
		filter = filterX86 // any: its row has the same name for all machines
	}
	all := s.encoders(filter)
	for _, word := range s.Only {
		if !slices.ContainsFunc(all, func(c coder) bool { return c.isNamed(word) }) {
			return measure.OptionErrorf("Only", "got %q, want x, a program or a row of this table: %s", word, coderNames(all))
		}
	}
	kept := s.kept(all)
	has := func(name string) bool {
		return slices.ContainsFunc(kept, func(c coder) bool { return c.Name() == name })
	}
	switch {
	case s.Baseline != "" && !has(s.Baseline):
		return measure.OptionErrorf("Baseline", "got %q, want a row of this run: %s", s.Baseline, coderNames(kept))
	case len(kept) == 0:
		return measure.OptionErrorf("Only", "got %q with peers %q, want a row to run", s.Only, s.Peers)
	case s.Baseline != "":
		s.baseline = s.Baseline
	case has(defaultBaseline):
		s.baseline = defaultBaseline
	default: // a peer, if there is one
		s.baseline = kept[max(slices.IndexFunc(kept, func(c coder) bool { return !c.Ours }), 0)].Name()
	}
	return nil
}

// kept returns the coders that take part.
func (s *session) kept(coders []coder) []coder {
	return slices.DeleteFunc(slices.Clone(coders), func(c coder) bool {
		peer := s.Peers == nil || c.Ours || slices.Contains(s.Peers, c.Tool)
		named := s.Only == nil || slices.ContainsFunc(s.Only, c.isNamed)
		return !peer || !named
	})
}

// isNamed reports whether a word of [Options.Only] is about c.
func (c coder) isNamed(word string) bool {
	return word == c.Name() || word == c.Tool || word == "x" && c.Ours
}

func coderNames(coders []coder) string {
	var names []string
	for _, c := range coders {
		names = append(names, c.Name())
	}
	return strings.Join(names, ", ")
}

func (s *session) notef(format string, args ...any) {
	if s.Note != nil {
		s.Note(fmt.Sprintf(format, args...))
	}
}
