package bootstrap

import (
	"context"
	"fmt"
	"strings"

	"x.go/bootstrap/builddir"
	"x.go/bootstrap/config"
	"x.go/bootstrap/programs"
	"x.go/bootstrap/toolchain"
	"x.go/dist/archive"
	"x.go/dist/source"
	"x.go/dist/store"
)

// Names in a build directory.
const distDir = "dist" // archives and channels

// programDirs maps the package of a built program to its directory below the
// host's.
var programDirs = map[string]string{programs.LLDWrapper: "lld-wrapper", programs.Launcher: "launcher"}

// Builder runs steps, each at most once, and performs their effects. Create one
// with [Open]. It is not for concurrent use: assembly is a sequence, and
// what takes long inside it (compression) runs in parallel by itself.
type Builder struct {
	inputs
	dir *builddir.Dir // the build directory; nil in a dry run

	// hosts are the Builders of all hosts, this one among them, sorted by host. They share
	// the build directory, the plan and what was told.
	hosts []*Builder
	memo  map[any]*memo
	stack []string                // names of the steps that run now, outermost first
	told  map[config.Finding]bool // of components
	// unbuilt is a file that a dry run has laid out and not built, if there is one.
	unbuilt string
	plan    *[]Action
}

// inputs say what a [Builder] works on and how.
type inputs struct {
	cfg      config.Config
	tc       toolchain.Toolchain
	input    toolchain.Input
	tree     source.Tree // instead of an input, of a build of sources
	buildDir string      // absolute
	env      []string    // environment of the programs that steps run
	version  string      // of x, for the build record
	dryRun   bool        // record the plan, touch nothing
	writer   archive.Writer
	store    *store.Store // of archives that were compressed before; may be nil
	// tell is told of each action when it starts; it may be nil.
	tell func(Event)
	// waiting is told of another process that has a directory; it may be nil.
	waiting func(dir, holder string)
}

// Event is one thing that happened during a build.
type Event struct {
	Action Action         // what starts
	Note   string         // something a person should know, if not empty
	Warn   bool           // the note is a warning
	Plans  []archive.Plan // how archives are going to be compressed, if not nil
}

// Action is one effect of a step: a line of the plan.
type Action struct {
	Step   string `json:"step"`   // the step that asked for it
	Verb   string `json:"verb"`   // install, write, run or emit
	Object string `json:"object"` // path, command or archive name
	Detail string `json:"detail,omitempty"`
}

// String returns the action as a line of a plan.
func (a Action) String() string {
	if a.Detail == "" {
		return fmt.Sprintf("%-7s %s", a.Verb, a.Object)
	}
	return fmt.Sprintf("%-7s %s (%s)", a.Verb, a.Object, a.Detail)
}

type memo struct {
	out any
	err error
}

// newBuilder returns a Builder for opts.
func newBuilder(opts inputs) *Builder {
	b := &Builder{inputs: opts, memo: map[any]*memo{}, told: map[config.Finding]bool{}, plan: new([]Action)}
	b.hosts = []*Builder{b}
	return b
}

// Plan returns the actions so far, in order.
func (b *Builder) Plan() []Action { return *b.plan }

// step is a unit of work that is identified by its value: two equal steps are
// the same work. Implementations are small structs of comparable fields.
type step[Out any] interface {
	comparable
	fmt.Stringer
	Run(ctx context.Context, b *Builder) (Out, error)
}

// ensure runs s unless an equal step has run before, and returns its result.
// A step that needs itself, directly or through others, is an error that
// shows the cycle.
func ensure[S step[Out], Out any](ctx context.Context, b *Builder, s S) (Out, error) {
	var zero Out
	if m, ok := b.memo[s]; ok {
		out, _ := m.out.(Out)
		return out, m.err
	}
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	// The entry holds the cycle's error while the step runs, so that meeting
	// it again needs no second mechanism.
	chain := strings.Join(append(b.stack, s.String()), " -> ")
	m := &memo{err: fmt.Errorf("running step %s: it needs itself: %s -> %[1]s", s, chain)}
	b.memo[s] = m
	b.stack = append(b.stack, s.String())
	out, err := s.Run(ctx, b)
	b.stack = b.stack[:len(b.stack)-1]
	m.out, m.err = out, err
	return out, err
}

// act records an action, tells it, and reports whether to perform it.
func (b *Builder) act(verb, object, detail string) bool {
	a := Action{Verb: verb, Object: object, Detail: detail}
	if n := len(b.stack); n > 0 {
		a.Step = b.stack[n-1]
	}
	*b.plan = append(*b.plan, a)
	b.notify(Event{Action: a})
	return !b.dryRun
}

func (b *Builder) notify(e Event) {
	if b.tell != nil {
		b.tell(e)
	}
}

// note tells something a person should know about this build.
func (b *Builder) note(format string, args ...any) {
	b.notify(Event{Note: fmt.Sprintf(format, args...)})
}

// tellOnce tells what was found about a component, for the first time.
func (b *Builder) tellOnce(f config.Finding) {
	if !b.told[f] {
		b.told[f] = true
		b.tellFinding(f)
	}
}

// tellFinding tells what was found about a file of the input.
func (b *Builder) tellFinding(f config.Finding) {
	b.notify(Event{Note: f.Place + ": " + f.Text(), Warn: f.Severity == config.Warning})
}
