package explain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"x.go/bootstrap/cargoflags"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/targets"
	"x.go/targets/link"
)

// maxCargoConfig bounds a .cargo/config.toml and a Cargo.toml.
const maxCargoConfig = 1 << 20

// cargoConfig reads cargo's configuration as cargo would in this directory.
func (m machine) cargoConfig(release targets.Release, args []string) (cargoflags.Config, error) {
	home := m.path(m.getenv("CARGO_HOME"))
	if home == "" {
		if user := m.getenv("HOME"); user != "" {
			home = filepath.Join(user, ".cargo")
		}
	}
	return cargoflags.Load(cargoflags.Source{
		Dir: m.dir, CargoHome: home, Env: m.env, Args: args, Release: release,
		RealPath: filepath.EvalSymlinks,
		ReadFile: func(path string) ([]byte, error) {
			data, err := dist.ReadFile(path, maxCargoConfig)
			if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EINVAL) {
				err = fs.ErrNotExist // .cargo is a file, or a --config is KEY=VALUE
			}
			return data, err
		},
	})
}

// Programs are the paths of what cargo starts, or names on PATH: the compiler, and what
// RUSTC_WRAPPER or its key has around that. "" is none.
type Programs struct{ Rustc, Wrapper string }

// CargoPrograms returns what cargo starts in the directory of the options, from their
// environment, cargo's configuration and the values of --config.
func CargoPrograms(o Options, config []string) (Programs, error) {
	m, err := newMachine(o)
	if err != nil {
		return Programs{}, err
	}
	cargo, err := m.cargoConfig(targets.Release{}, config)
	if err != nil {
		return Programs{}, wrong(err)
	}
	rustc, rustcErr := cargo.Rustc()
	wrapper, wrapperErr := cargo.Wrapper()
	if err := errors.Join(rustcErr, wrapperErr); err != nil {
		return Programs{}, wrong(err)
	}
	return Programs{Rustc: rustc.Path, Wrapper: wrapper.Path}, nil
}

// fillCargo gathers target and flags as cargo does, and returns the compiler that
// cargo runs.
func (a *Asked) fillCargo(ctx context.Context, answer *Answer, question Question) (*Asked, error) {
	cargo, err := a.machine.cargoConfig(a.Compiler.Release, question.CargoConfig)
	if err != nil {
		return nil, wrong(err)
	}
	cargoHost := a.Compiler.Host.String()
	if a, err = a.cargoCompiler(ctx, cargo, answer); err != nil {
		return nil, err
	}
	env, err := cargo.Environ()
	if err != nil {
		return nil, wrong(err)
	}
	p := probe{ctx: ctx, asked: a, env: env}
	kinds, err := cargo.Targets(question.Target, cargoHost)
	if err != nil {
		return nil, wrong(err)
	}
	if len(kinds) > 0 {
		p.target = kinds[0]
	}
	if len(kinds) > 1 {
		if len(question.Args) > 0 {
			return nil, wrong(fmt.Errorf("cargo builds for %d targets here and refuses flags for more than one: name it with --target", len(kinds)))
		}
		answer.Notes = append(answer.Notes, fmt.Sprintf("cargo builds for %d targets here: this is the answer for the first, --target names another", len(kinds)))
	}
	pkg, err := cargo.Package()
	if err != nil {
		return nil, wrong(err)
	}
	flags, err := cargo.Flags(cargoflags.Question{Target: p.target, Host: a.Compiler.Host.String(), Package: pkg, Cfgs: p.cfgs})
	if refused, ok := errors.AsType[*refusal](err); ok {
		flags, err = cargoflags.Answer{After: flagsFrom("cargo, in its question to the compiler", refused.flags)}, nil
		p.refused = refused.Error()
	}
	if err != nil {
		return nil, wrong(err)
	}
	answer.Notes = append(answer.Notes, flags.Notes...)
	answer.Flags = slices.Concat(flags.Before, flagsFrom(CommandLine, question.Args), flags.After)
	return a, p.fill(answer, pkg)
}

// cargoCompiler returns the compiler that cargo runs: the one that RUSTC or
// build.rustc names, where x runs compilers at all.
func (a *Asked) cargoCompiler(ctx context.Context, cargo cargoflags.Config, answer *Answer) (*Asked, error) {
	note := func(format string, args ...any) { answer.Notes = append(answer.Notes, fmt.Sprintf(format, args...)) }
	wrappers, err := cargo.Wrappers()
	if err != nil {
		return nil, wrong(err)
	}
	for _, w := range wrappers {
		note("cargo starts the compiler through %q (%s): what that changes in its command line is not known", w.Path, w.Origin)
	}
	rustc, err := cargo.Rustc()
	switch {
	case err != nil:
		return nil, wrong(err)
	case rustc.Origin == "":
		return a, nil
	case rustc.Path == "":
		return nil, wrong(fmt.Errorf("%s is empty: cargo cannot start that compiler", rustc.Origin))
	case a.Rustc == "":
		note("cargo runs the compiler %q (%s); this is the answer for rustc %s, --rustc asks that one", rustc.Path, rustc.Origin, a.Compiler.Release)
		return a, nil
	}
	other, err := Ask(ctx, Options{Rustc: rustc.Path, LLDDefault: a.lldDefault, Dir: a.machine.dir, Env: a.machine.env})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rustc.Origin, err)
	}
	note("cargo runs the compiler %q (%s)", rustc.Path, rustc.Origin)
	if real, err := filepath.EvalSymlinks(a.machine.path(rustc.Path)); err == nil && strings.ContainsRune(rustc.Path, filepath.Separator) && real != other.Rustc {
		note("%q is another program, which runs %q: what it changes in its command line is not known", rustc.Path, other.Rustc)
	}
	return other, nil
}

// probe is cargo's question to the compiler, before it builds anything: which
// conditions hold for a target and flags.
type probe struct {
	ctx     context.Context
	asked   *Asked
	env     []string // the compiler's
	target  cargoflags.Target
	refused string // the compiler's message, where it did not answer
}

// refusal is the compiler's answer to a question with flags that it does not take.
type refusal struct {
	flags   []string
	message string
}

// Error is the first line of the compiler's message.
func (r *refusal) Error() string { return r.message }

// targetArgs are those with which cargo names the target.
func (p *probe) targetArgs() []string {
	if p.target.Name == "" {
		return nil
	}
	args := []string{"--target", p.target.Name}
	if p.target.File {
		args = append(args, "-Zunstable-options")
	}
	return args
}

// cfgs answers for flags: by the compiler if there is one, else by what the
// registry knows.
func (p *probe) cfgs(flags []string) (cargoflags.Cfgs, error) {
	if p.asked.runs() {
		return p.run(flags)
	}
	// A wrong command line is for the decision to report.
	inv, _ := link.ParseInvocation(slices.Concat(flags, p.targetArgs()), p.asked.machine.readArgFile)
	q, err := p.asked.query(p.name(inv))
	if err != nil {
		return nil, err
	}
	return cargoflags.SpecCfgs(q.Target, inv.Cfgs()), nil
}

// name is the target that rustc links for.
func (p *probe) name(inv link.Invocation) string {
	switch {
	case p.target.Name != "":
		return p.target.Name
	case inv.Target != "":
		return inv.Target
	}
	return p.asked.Compiler.Host.String()
}

// probedTypes are the crate types that cargo asks about together with the conditions.
var probedTypes = []string{"bin", "rlib", "dylib", "cdylib", "staticlib", "proc-macro"}

// run asks as cargo does: TargetInfo::new of target_info.rs in rust-lang/cargo.
func (p *probe) run(flags []string) (cargoflags.Cfgs, error) {
	args := slices.Concat([]string{"-", "--crate-name", "___", "--print=file-names"}, flags, p.targetArgs())
	for _, kind := range probedTypes {
		args = append(args, "--crate-type", kind)
	}
	args = append(args, "--print=sysroot", "--print=split-debuginfo", "--print=crate-name", "--print=cfg", "-Wwarnings")
	cmd := p.asked.tc.Command(p.ctx, args...)
	cmd.Dir = p.asked.machine.dir
	cmd.Env = slices.DeleteFunc(slices.Clone(p.env), func(v string) bool { return strings.HasPrefix(v, "RUSTC_LOG=") })
	stdout, stderr, err := output(p.ctx, cmd, flags)
	if err != nil {
		return nil, err
	}
	lines, ok := cfgLines(string(stdout), string(stderr))
	if !ok {
		return nil, fmt.Errorf("asking %q for its conditions: the answer is not what cargo wants, because of the flags %q", p.asked.Rustc, flags)
	}
	return cargoflags.ParseCfgs(lines)
}

// output runs a question to the compiler. An answer of no is a [*refusal].
func output(ctx context.Context, cmd *exec.Cmd, flags []string) (stdout, stderr []byte, err error) {
	stdout, stderr, err = toolchain.Output(cmd)
	switch _, exited := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		return nil, nil, fmt.Errorf("running %q: %w", cmd.Path, ctx.Err())
	case exited:
		return nil, nil, &refusal{flags, firstError(string(stderr), err)}
	case err != nil:
		return nil, nil, fmt.Errorf("running %q: %w", cmd.Path, err)
	}
	return stdout, stderr, nil
}

// cfgLines finds the conditions in the compiler's answer, as cargo does: after a file
// name for each crate type that the target has, the sysroot, and lines that end with
// the name of the crate.
func cfgLines(stdout, stderr string) ([]string, bool) {
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	for _, kind := range probedTypes {
		missing := false
		for line := range strings.Lines(stderr) {
			missing = missing || strings.Contains(line, "crate type `"+kind+"`") &&
				(strings.Contains(line, "unsupported crate type") || strings.Contains(line, "unknown crate type"))
		}
		if missing {
			continue
		}
		if len(lines) == 0 || !strings.Contains(lines[0], "___") {
			return nil, false
		}
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil, false
	}
	end := slices.Index(lines[1:], "___")
	if end < 0 {
		return nil, false
	}
	return lines[end+2:], true
}

// firstError is the line of a compiler's output that says what is wrong.
func firstError(output string, err error) string {
	first := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "error") {
			return line
		}
		if first == "" {
			first = line
		}
	}
	if first == "" {
		return err.Error()
	}
	return first
}

// fill makes the query of an answer that has its flags: rustc's command line as
// cargo writes it, and the place where cargo starts rustc.
func (p *probe) fill(answer *Answer, pkg cargoflags.Package) error {
	m := machine{dir: p.asked.machine.dir, env: p.env}
	if pkg.Root != "" {
		m.dir = pkg.Root
	}
	// Options that rustc takes once, and the one input: flags must not have them.
	args := []string{"--crate-name=" + cargoCrate(pkg), "--edition=2021", "src/main.rs", "--error-format=json", "--crate-type=bin", "--emit=dep-info,link", "--out-dir=target"}
	if p.target.Name != "" {
		args = append(args, "--target", p.target.Name)
	}
	for _, f := range answer.Flags {
		args = append(args, f.Arg)
	}
	inv, _ := link.ParseInvocation(args, m.readArgFile)
	answer.TargetName, answer.TargetOrigin = p.name(inv), p.target.Origin
	if p.target.Name == "" && inv.Target == "" {
		answer.TargetOrigin = hostOrigin
	}
	q, err := p.asked.query(answer.TargetName)
	if err != nil && p.refused != "" { // the target is what the compiler refused
		q.Target, err = p.asked.host.Refused(answer.TargetName, nil), nil
	}
	if err != nil {
		return wrong(err)
	}
	q.Args = args
	if p.refused != "" {
		q.Refusal = p.refused
	}
	if p.asked.Rustc != "" {
		q.World = m.world(p.asked.world.Sysroot, p.asked.Compiler.Host)
	}
	q.World.ReadFile = m.readArgFile
	if q.Bootstrap = m.getenv("RUSTC_BOOTSTRAP"); q.Bootstrap != "" {
		answer.Notes = append(answer.Notes, "RUSTC_BOOTSTRAP="+q.Bootstrap+" is set here and counts")
	}
	answer.Query = q
	return nil
}

// cargoCrate is the name of the crate that cargo compiles.
func cargoCrate(pkg cargoflags.Package) string {
	if pkg.Name == "" {
		return "main"
	}
	return strings.ReplaceAll(pkg.Name, "-", "_")
}
