package targets

import (
	"fmt"
	"strings"
)

// Case is one question of a batch, with the names of the recordings in
// testdata. Members that are not listed are allowed and skipped.
type Case struct {
	ID         string   // raw JSON, "null" where the line has none
	Target     string   // target triple
	Flags      []string // rustc's arguments that matter, in order
	Unstable   bool     // -Zunstable-options is given too
	Bootstrap  string   // RUSTC_BOOTSTRAP, "" for null
	Channel    string   // stable, beta, nightly; "+…" after it only describes bootstrap
	Sysroot    string   // a shape of sysroots, "" for normal: see [Batch]
	Release    string   // "" for the channel's newest, or the batch's
	Host       string   // "" for the batch's
	LLDDefault Tristate // Unknown for what the official compiler has

	hasBootstrap bool
}

// Result is the answer to a Case.
type Result struct {
	ID      string // raw JSON, as in the Case
	Problem string // the case could not be decided; nothing below is set
	Exit    int
	Error   string   // "" for null
	Linked  bool     // else linker and lld_args are null
	Linker  string   // argv[0]
	LLDArgs []string // arguments that choose LLD
}

// Batch decides many cases, line by line. It remembers the specs it has
// decoded, so one Batch must not be used by several goroutines at once.
//
// A case's sysroot is one of these shapes, which the recordings name:
// normal; nogccld (no gcc-ld folder); explicit-bare (--sysroot with one that
// holds no tools); explicit-same (--sysroot with the compiler's own);
// relative-cwd (the same, written as a relative path). Every linker exists but
// those below /nonexistent.
type Batch struct {
	// ReadFile reads @PATH argument files, as in [World]. nil: there are none.
	ReadFile func(path string) ([]byte, error)

	registry Registry
	defaults Compiler
	specs    map[specKey]*Spec
	c        Case
	flags    []string
	session  session
}

type specKey struct {
	release Release // of the snapshot
	lld     bool
	target  string
}

// NewBatch returns a Batch whose lines are about the given compiler where they
// do not say otherwise.
func NewBatch(r Registry, defaults Compiler) (*Batch, error) {
	if _, _, err := r.At(defaults.Release); err != nil {
		return nil, err
	}
	if defaults.Host.IsZero() {
		return nil, fmt.Errorf("starting a batch: no host given")
	}
	return &Batch{registry: r, defaults: defaults, specs: map[specKey]*Spec{}}, nil
}

// AppendDecision decides one JSON line and appends the answer to dst as
// another, newline included. ok is false where the answer is a problem: the
// line is not valid JSON, or names a target that the release does not have.
func (b *Batch) AppendDecision(dst, line []byte) (out []byte, ok bool) {
	b.c = Case{ID: "null", Flags: b.flags[:0]}
	if err := b.c.parse(string(line)); err != nil {
		return Result{ID: b.c.ID, Problem: err.Error()}.AppendJSON(dst), false
	}
	b.flags = b.c.Flags
	r := b.Decide(&b.c)
	return r.AppendJSON(dst), r.Problem == ""
}

// Decide answers one case.
func (b *Batch) Decide(c *Case) Result {
	q, err := b.query(c)
	if err != nil {
		return Result{ID: c.ID, Problem: err.Error()}
	}
	d := b.session.answer(&q)
	return Result{ID: c.ID, Exit: d.Exit, Error: d.Error, Linked: d.Linked, Linker: d.Linker, LLDArgs: d.LLDArgs}
}

// noLLDNote follows the triple in recordings of a compiler built with
// rust.lld = false. They were made with equal specs in a bare sysroot.
const noLLDNote = " (spec of a rust.lld=false compiler)"

func (b *Batch) query(c *Case) (Query, error) {
	target, noLLD := strings.CutSuffix(c.Target, noLLDNote)
	shape := c.Sysroot
	if noLLD && shape == "" {
		shape = "explicit-bare"
	}
	snapshot, compiler, err := b.compiler(c)
	if err != nil {
		return Query{}, err
	}
	if noLLD {
		compiler.LLDDefault = false
	}
	world, err := worldOf(shape, compiler.Release)
	if err != nil {
		return Query{}, err
	}
	world.ReadFile = b.ReadFile
	q := Query{Compiler: compiler, Args: c.Flags, Unstable: c.Unstable, Bootstrap: c.Bootstrap, World: world}
	if q.Target, err = b.spec(snapshot, compiler, target); err != nil {
		return Query{}, err
	}
	if q.Host, err = b.spec(snapshot, compiler, compiler.Host.name); err != nil {
		return Query{}, err
	}
	if !c.hasBootstrap && c.Unstable {
		// A line that says nothing of RUSTC_BOOTSTRAP had what it needs.
		q.Bootstrap = "1"
	}
	return q, nil
}

// compiler finds which compiler a case is about.
func (b *Batch) compiler(c *Case) (Snapshot, Compiler, error) {
	compiler := b.defaults
	channel, _, _ := strings.Cut(c.Channel, "+")
	switch {
	case c.Release != "":
		r, err := ParseRelease(c.Release)
		if err != nil {
			return Snapshot{}, compiler, err
		}
		compiler.Release = r
	case channel != "" && channel != compiler.Release.Channel():
		if s, ok := b.registry.Newest(channel); ok {
			compiler.Release = s.info.Release
		} else if channel != "stable" && channel != "beta" {
			return Snapshot{}, compiler, fmt.Errorf("looking up channel %q: no release of it is held", channel)
		}
	}
	if c.Host != "" && c.Host != compiler.Host.name {
		host, err := ParseTriple(c.Host)
		if err != nil {
			return Snapshot{}, compiler, err
		}
		compiler.Host = host
	}
	switch {
	case c.LLDDefault != Unknown:
		compiler.LLDDefault = c.LLDDefault == Yes
	case compiler.Host != b.defaults.Host || compiler.Release != b.defaults.Release:
		compiler.LLDDefault = DefaultLLD(compiler.Release, compiler.Host)
	}
	s, _, err := b.registry.At(compiler.Release)
	return s, compiler, err
}

func (b *Batch) spec(s Snapshot, c Compiler, target string) (*Spec, error) {
	if spec, ok := b.specs[specKey{s.info.Release, c.LLDDefault, target}]; ok {
		return spec, nil
	}
	spec, err := s.Find(c, target)
	if err != nil {
		return nil, err
	}
	b.specs[specKey{s.info.Release, c.LLDDefault, strings.Clone(target)}] = spec
	return spec, nil
}

// worldOf gives the recordings' sysroot shapes their meaning and spelling.
func worldOf(shape string, r Release) (World, error) {
	w := World{Exists: everything}
	switch shape {
	case "", "normal":
	case "nogccld":
		w.Exists = nothingOfGccLd
	case "explicit-bare":
		w.Explicit, w.Exists = "<bare-sysroot>", nothingBare
	case "explicit-same":
		w.Explicit = "<sysroot>"
	case "relative-cwd":
		w.Explicit = "../research/oracle/tc/stable"
		if r.Channel() == "nightly" {
			w.Explicit = "../research/oracle/tc/nightly"
		}
	default:
		return w, fmt.Errorf("reading sysroot %q: want normal, nogccld, explicit-bare, explicit-same or relative-cwd", shape)
	}
	return w, nil
}

func everything(path string) bool { return !strings.HasPrefix(path, "/nonexistent/") }

func nothingOfGccLd(path string) bool { return everything(path) && !strings.HasSuffix(path, "/gcc-ld") }

func nothingBare(path string) bool {
	return everything(path) && !strings.HasPrefix(path, "<bare-sysroot>/")
}
