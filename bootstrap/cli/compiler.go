package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/lld"
	"x.go/targets"
)

// compilerFlags say which compiler a question about targets is asked of.
type compilerFlags struct {
	release    string
	host       string
	rustc      string
	lldDefault string
}

// add defines the flags. The global --sysroot belongs to them too.
func (f *compilerFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.release, "release", "", "`version` of the compiler, or a channel (default the newest stable that x knows)")
	fs.StringVar(&f.host, "host", "", "`triple` that the compiler runs on (default this machine's)")
	fs.StringVar(&f.rustc, "rustc", "", "ask this `compiler` for its release, host and default; --sysroot does the same")
	fs.StringVar(&f.lldDefault, "lld-default", "auto", "whether the compiler was built to link with LLD: `answer` yes, no, or auto for what rust-lang.org ships")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("release", completeReleases))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("host", completeTriples))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("lld-default", cobra.FixedCompletions([]string{"yes", "no", "auto"}, cobra.ShellCompDirectiveNoFileComp)))
}

// askedCompiler is the compiler that a question is about, and what is known of
// its targets.
type askedCompiler struct {
	compiler targets.Compiler
	host     *targets.Spec
	registry targets.Registry
	snapshot targets.Snapshot // of the compiler's release, or the nearest
	origin   string           // where release and host come from
	note     string           // says that snapshot is another release's
	override lld.Outcome      // how x built the toolchain to link otherwise, zero where it did not
	world    targets.World
}

// askedCompiler finds the compiler that the flags describe. Only --rustc and
// --sysroot run one: every other answer comes from the registry, in the time
// that a completion script or a build's configure step has.
func (a *app) askedCompiler(ctx context.Context, f *compilerFlags) (askedCompiler, error) {
	var c askedCompiler
	var err error
	if f.rustc != "" || a.flags.sysroot != "" {
		c, err = a.realCompiler(ctx, f)
	} else {
		c, err = releasedCompiler(f)
	}
	if err != nil {
		return c, err
	}
	switch f.lldDefault {
	case "auto":
	case "yes", "no":
		c.compiler.LLDDefault = f.lldDefault == "yes"
	default:
		return c, usagef("reading --lld-default: got %q, want yes, no or auto", f.lldDefault)
	}
	if c.host, err = c.snapshot.For(c.compiler, c.compiler.Host); err != nil {
		return c, usage(err)
	}
	c.world.ReadFile = a.readArgFile
	return c, nil
}

// releasedCompiler is a compiler as rust-lang.org ships it.
func releasedCompiler(f *compilerFlags) (askedCompiler, error) {
	c := askedCompiler{registry: targets.Builtin(), origin: "--release"}
	var err error
	if c.compiler.Release, err = parseRelease(c.registry, f.release); err != nil {
		return c, usage(err)
	}
	if f.release == "" {
		c.origin = "the newest stable release that x knows; --release, --rustc or --sysroot names another"
	}
	if c.snapshot, c.note, err = c.registry.At(c.compiler.Release); err != nil {
		return c, err
	}
	c.compiler.Host = defaultHost(c.snapshot)
	if f.host != "" {
		host, err := c.snapshot.Find(c.compiler, f.host)
		if err != nil {
			return c, usage(err)
		}
		c.compiler.Host = host.Triple
	}
	c.compiler.LLDDefault = targets.DefaultLLD(c.compiler.Release, c.compiler.Host)
	return c, nil
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
		return targets.Release{}, fmt.Errorf("looking up channel %q: no release of it is held, give its version", text)
	}
	return targets.ParseRelease(text)
}

// defaultHost is this machine's triple where rustc runs there, else the one
// that most compilers have.
func defaultHost(s targets.Snapshot) targets.Triple {
	if t := thisHost(); !t.IsZero() {
		if _, err := s.Lookup(t); err == nil {
			return t
		}
	}
	return s.Info().Host
}

// realCompiler asks a compiler for its facts.
func (a *app) realCompiler(ctx context.Context, f *compilerFlags) (askedCompiler, error) {
	c := askedCompiler{registry: targets.Builtin()}
	if f.release != "" || f.host != "" {
		return c, usagef("--release and --host describe a compiler; --rustc and --sysroot ask one: give either")
	}
	tc, err := bootstrap.FindToolchain(ctx, bootstrap.ToolchainSource{
		Sysroot: a.path(a.flags.sysroot), Rustc: a.program(f.rustc), Env: a.Env,
	})
	if err != nil {
		return c, err
	}
	c.origin = tc.Rustc
	release, err := targets.ParseRelease(tc.Release.Version)
	if err != nil {
		return c, err
	}
	c.compiler = targets.Compiler{Release: release, Host: tc.Host, LLDDefault: tc.BakedLLD()}
	if c.snapshot, c.note, err = c.registry.At(release); err != nil {
		return c, err
	}
	if c.note != "" || c.snapshot.Info().Commit != tc.Release.CommitHash {
		if err := c.learn(ctx, a.Env, tc); err != nil {
			return c, err
		}
	}
	c.world = a.realWorld(tc)
	built, _, err := tc.BuiltBy()
	c.override = built.LLD
	return c, err
}

// learn replaces what the registry has of a release by what its compiler says.
func (c *askedCompiler) learn(ctx context.Context, env []string, tc bootstrap.Toolchain) error {
	text, err := importTargets(ctx, env, tc, nil)
	if err != nil {
		return err
	}
	// A registry of its own: releases that build on the replaced one are of no
	// use here.
	if c.registry, err = targets.NewRegistry(string(text)); err != nil {
		return err
	}
	c.snapshot, c.note, err = c.registry.At(c.compiler.Release)
	return err
}

// importTargets writes the registry's text for a compiler.
func importTargets(ctx context.Context, env []string, tc bootstrap.Toolchain, parent *targets.Snapshot) ([]byte, error) {
	release, err := targets.ParseRelease(tc.Release.Version)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, tc.Rustc, "-Zunstable-options", "--print", "all-target-specs-json")
	cmd.Env = append(slices.Clip(env), "LC_ALL=C", "RUSTC_BOOTSTRAP=1")
	specs, err := cmd.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok && len(e.Stderr) > 0 {
			line, _, _ := strings.Cut(strings.TrimSpace(string(e.Stderr)), "\n")
			return nil, fmt.Errorf("asking %q for its targets: %w: %s", tc.Rustc, err, line)
		}
		return nil, fmt.Errorf("asking %q for its targets: %w", tc.Rustc, err)
	}
	return targets.Import(specs, targets.Info{Release: release, Commit: tc.Release.CommitHash, Host: tc.Host}, parent)
}

// program makes the path of a program absolute, and leaves a bare name for PATH.
func (a *app) program(name string) string {
	if !strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	return a.path(name)
}

// realWorld looks at the file system as rustc would.
func (a *app) realWorld(tc bootstrap.Toolchain) targets.World {
	bin := filepath.Join(tc.Sysroot, "lib", "rustlib", tc.Host.String(), "bin")
	dirs := append([]string{bin, filepath.Join(bin, "self-contained")}, filepath.SplitList(a.getenv("PATH"))...)
	return targets.World{
		Sysroot: tc.Sysroot,
		Exists: func(path string) bool {
			_, err := os.Stat(a.path(path))
			return err == nil
		},
		OnPath: func(name string) bool {
			return slices.ContainsFunc(dirs, func(dir string) bool {
				fi, err := os.Stat(filepath.Join(a.path(dir), name))
				return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
			})
		},
	}
}

// maxArgFile bounds an @PATH file. Command lines of the kernel end at 2 MiB.
const maxArgFile = 16 << 20

// readArgFile reads an @PATH file of rustc's arguments. Its error is worded as
// Rust's standard library does, since it becomes part of rustc's message.
func (a *app) readArgFile(path string) ([]byte, error) {
	data, err := readBounded(a.path(path), maxArgFile)
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		text := errno.Error()
		err = fmt.Errorf("%s%s (os error %d)", strings.ToUpper(text[:1]), text[1:], int(errno))
	}
	return data, err
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("reading %q: it has more than %d bytes", path, limit)
	}
	return data, err
}

// completeTriples offers the targets of the newest release held.
func completeTriples(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, _ := targets.Builtin().Newest("")
	var out []cobra.Completion
	for _, name := range s.Names() {
		if strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeReleases offers the releases held.
func completeReleases(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, r := range targets.Builtin().Releases() {
		out = append(out, r.String())
	}
	return append(out, "stable", "nightly"), cobra.ShellCompDirectiveNoFileComp
}
