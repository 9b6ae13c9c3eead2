package explain

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"x.go/bootstrap/lld"
	"x.go/bootstrap/toolchain"
	"x.go/targets"
	"x.go/targets/link"
)

// Options says which compiler is asked, and on which machine. The zero Options
// asks the newest stable release that x knows, as rust-lang.org ships it for
// this machine.
type Options struct {
	// Rustc or Sysroot names a compiler to run: a path or a name on PATH, and a
	// directory that holds bin/rustc. Sysroot wins. With neither, no compiler
	// runs and the answer is that of the registry in package targets.
	Rustc, Sysroot string

	// Release and Host describe a compiler that need not be here. Release is a
	// version or a channel, "" for the newest stable release; Host is a triple,
	// "" for this machine's where rustc runs there. Of one that Rustc or Sysroot names,
	// they are what it must say, or what nothing else says if it does not run here.
	Release, Host string

	// LLDDefault says whether the compiler was built to link with LLD. Unknown
	// is what the compiler says of itself, or what rust-lang.org ships.
	LLDDefault targets.Tristate

	// Dir is the working directory, absolute, from which relative paths and the
	// search for .cargo/config.toml start. "" is the process's.
	Dir string

	// Env is the environment as in [exec.Cmd]: PATH, CARGO_HOME, RUSTFLAGS and
	// the like are looked up in it, and compilers get it. nil is the process's.
	Env []string
}

// QuestionError reports a wrong question, as opposed to a fault of the machine: an
// unknown target, a malformed release, a broken cargo configuration.
type QuestionError struct{ Err error }

// Error implements [error].
func (e *QuestionError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *QuestionError) Unwrap() error { return e.Err }

// wrong wraps err in a [QuestionError]; nil stays nil.
func wrong(err error) error {
	if err == nil {
		return nil
	}
	return &QuestionError{err}
}

// Asked is a compiler and the facts about it. [Ask] creates it.
type Asked struct {
	Compiler targets.Compiler
	Rustc    string           // the compiler, "" where none is named; it may not run here
	Snapshot targets.Snapshot // of the compiler's release, or of the nearest
	Note     string           // says that Snapshot is another release's, "" where it is not

	machine  machine
	tc       toolchain.Toolchain // of Rustc
	registry targets.Registry
	host     *targets.Spec
	built    lld.Outcome // how x built the toolchain to link otherwise, zero where it did not
	world    link.World

	lldDefault targets.Tristate // as the options gave it
}

// Ask finds the compiler that the options describe. It runs one only for Rustc and
// Sysroot. Every other answer comes from the registry, fast enough for a completion
// script or a configure step. A wrong description is a [*QuestionError].
func Ask(ctx context.Context, o Options) (*Asked, error) {
	m, err := newMachine(o)
	if err != nil {
		return nil, err
	}
	a := &Asked{machine: m, registry: targets.Builtin(), lldDefault: o.LLDDefault}
	if o.Rustc != "" || o.Sysroot != "" {
		err = a.run(ctx, o)
	} else {
		err = a.describe(o)
	}
	if err != nil {
		return nil, err
	}
	if o.LLDDefault != targets.Unknown {
		a.Compiler.LLDDefault = o.LLDDefault == targets.Yes
	}
	if a.host, err = a.Snapshot.For(a.Compiler, a.Compiler.Host); err != nil {
		return nil, wrong(err)
	}
	a.world.ReadFile = m.readArgFile
	return a, nil
}

// describe is about a compiler as rust-lang.org ships it.
func (a *Asked) describe(o Options) error {
	c := &a.Compiler
	var err error
	if c.Release, err = parseRelease(a.registry, o.Release); err != nil {
		return wrong(err)
	}
	if a.Snapshot, a.Note, err = a.registry.At(c.Release); err != nil {
		return err
	}
	c.Host = defaultHost(a.Snapshot)
	if o.Host != "" {
		host, err := a.Snapshot.Find(*c, o.Host)
		if err != nil {
			return wrong(err)
		}
		c.Host = host.Triple
	}
	c.LLDDefault = targets.DefaultLLD(c.Release, c.Host)
	return nil
}

// parseRelease reads a version, the name of a channel, or "" for the newest
// stable release.
func parseRelease(r targets.Registry, text string) (targets.Release, error) {
	channel := text
	if text == "" {
		channel = "stable"
	}
	if s, ok := r.Newest(channel); ok {
		return s.Info().Release, nil
	}
	if slices.Contains([]string{"stable", "beta", "nightly", "dev"}, text) {
		return targets.Release{}, fmt.Errorf("looking up channel %q: x holds no release of it: give its version", text)
	}
	return targets.ParseRelease(text)
}

// defaultHost is this machine's triple where rustc runs there, else the one
// that most compilers have.
func defaultHost(s targets.Snapshot) targets.Triple {
	if t := targets.HostOf(runtime.GOOS, runtime.GOARCH); !t.IsZero() {
		if _, err := s.Lookup(t); err == nil {
			return t
		}
	}
	return s.Info().Host
}

// runs reports whether there is a compiler that can be asked more.
func (a *Asked) runs() bool { return a.Rustc != "" && a.tc.Unrun == nil }

// run asks a real compiler for its facts.
func (a *Asked) run(ctx context.Context, o Options) error {
	tc, err := a.machine.toolchain(ctx, o)
	if err != nil {
		return err
	}
	release := tc.Version.Release
	a.Rustc, a.tc = tc.Rustc, tc
	a.Compiler = targets.Compiler{Release: release, Host: tc.Host, LLDDefault: tc.BakedLLD()}
	if a.Snapshot, a.Note, err = a.registry.At(release); err != nil {
		return err
	}
	if tc.Unrun != nil {
		a.Note = strings.TrimPrefix(a.Note+"; the compiler does not run here, so its facts were read from its files, and what its machine has is not known", "; ")
	} else if a.Note != "" || a.Snapshot.Info().Commit != tc.Version.CommitHash {
		if err := a.learn(ctx, tc); err != nil {
			return err
		}
	}
	a.world = a.machine.world(tc.Sysroot, tc.Host)
	if tc.Unrun != nil {
		a.world = link.World{Sysroot: tc.Sysroot} // of another machine, about which nothing is known
	}
	record, _, err := tc.BuiltBy()
	a.built = lld.Recorded(record)
	return err
}

// learn replaces the registry's facts about a release by those of its compiler.
func (a *Asked) learn(ctx context.Context, tc toolchain.Toolchain) error {
	text, err := importTargets(ctx, a.machine.env, tc, nil)
	if err != nil {
		return err
	}
	// A registry of its own: releases that build on the replaced one are of no
	// use here.
	if a.registry, err = targets.NewRegistry(string(text)); err != nil {
		return err
	}
	a.Snapshot, a.Note, err = a.registry.At(a.Compiler.Release)
	return err
}

// ImportTargets runs the compiler that Rustc or Sysroot names, else rustc on PATH,
// and returns its targets in the form of the registry in package targets. With a
// parent, the text has only the differences from that older release: see
// [targets.Import].
func ImportTargets(ctx context.Context, o Options, parent *targets.Snapshot) ([]byte, error) {
	m, err := newMachine(o)
	if err != nil {
		return nil, err
	}
	tc, err := m.toolchain(ctx, o)
	if err != nil {
		return nil, err
	}
	return importTargets(ctx, m.env, tc, parent)
}

func importTargets(ctx context.Context, env []string, tc toolchain.Toolchain, parent *targets.Snapshot) ([]byte, error) {
	if tc.Unrun != nil {
		return nil, fmt.Errorf("asking %q for its targets: it does not run here: %w", tc.Rustc, tc.Unrun)
	}
	cmd := tc.Command(ctx, "-Zunstable-options", "--print", "all-target-specs-json")
	cmd.Env = append(slices.Clip(env), "LC_ALL=C", "RUSTC_BOOTSTRAP=1")
	specs, stderr, err := toolchain.Output(cmd)
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(string(stderr)), "\n"); line != "" {
			return nil, fmt.Errorf("asking %q for its targets: %w: %s", tc.Rustc, err, line)
		}
		return nil, fmt.Errorf("asking %q for its targets: %w", tc.Rustc, err)
	}
	return targets.Import(specs, targets.Info{Release: tc.Version.Release, Commit: tc.Version.CommitHash, Host: tc.Host}, parent)
}

// toolchain asks the compiler that the options name, else rustc on PATH.
func (m machine) toolchain(ctx context.Context, o Options) (toolchain.Toolchain, error) {
	src := toolchain.Source{Sysroot: m.path(o.Sysroot), Rustc: m.path(o.Rustc), Env: m.env}
	var err error
	if o.Host != "" {
		if src.Given.Host, err = targets.ParseTriple(o.Host); err != nil {
			return toolchain.Toolchain{}, wrong(err)
		}
	}
	if o.Release != "" {
		if src.Given.Release, err = targets.ParseRelease(o.Release); err != nil {
			return toolchain.Toolchain{}, wrong(err)
		}
	}
	if name := cmp.Or(o.Rustc, "rustc"); src.Sysroot == "" && !strings.ContainsRune(name, filepath.Separator) {
		found, ok := m.lookPath(name, m.searchPath())
		if !ok {
			return toolchain.Toolchain{}, &toolchain.SourceError{Err: fmt.Errorf("running %q: %w", name, exec.ErrNotFound)}
		}
		src.Rustc = found
	}
	return toolchain.Find(ctx, src)
}
