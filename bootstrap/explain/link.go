package explain

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/cargoflags"
	"x.go/dist"
	"x.go/targets"
	"x.go/targets/link"
)

// Question is about one command line of rustc. The zero Question is about the
// compiler's host and no flags.
type Question struct {
	// Target is a triple, or the path of a target's JSON file. "" is what Args
	// or cargo's configuration names, else the compiler's host.
	Target string
	// Args are the arguments of rustc that matter, in order.
	Args []string
	// Cargo asks about `cargo rustc -- ARGS` in this directory: cargo's own flags of
	// RUSTFLAGS and .cargo/config.toml come before and after Args, Target is that of
	// cargo's --target, and the compiler is the one that cargo runs.
	// RUSTC_BOOTSTRAP of the environment counts too.
	Cargo bool
	// CargoConfig are the values of cargo's --config: KEY=VALUE, or files.
	CargoConfig []string
}

// Answer says which linker rustc runs. Its JSON is that of `x explain --json`.
type Answer struct {
	link.Explanation
	Flags []cargoflags.Flag `json:"flags"` // all of them, in rustc's order
	Notes []string          `json:"notes,omitempty"`

	// TargetName is the target as it was named, and TargetOrigin what named it:
	// "" where the question did, a variable or a key of cargo, or "the host".
	TargetName   string `json:"-"`
	TargetOrigin string `json:"-"`
	// Query is what was decided.
	Query link.Query `json:"-"`
}

// CommandLine is the origin of the flags in [Question.Args].
const CommandLine = "command line"

// Link asks a compiler one question. It is [Ask] and [Asked.Link].
func Link(ctx context.Context, o Options, question Question) (Answer, error) {
	a, err := Ask(ctx, o)
	if err != nil {
		return Answer{}, err
	}
	return a.Link(ctx, question)
}

// Link answers which linker the compiler runs, and why. The answer includes what x
// changed in a toolchain that it built: the flags that its launcher adds, and the
// linker that its gcc-ld runs. A wrong question is a [*QuestionError]; a command line
// that rustc refuses is not, and has an answer. Where cargo's configuration names
// another compiler, the answer is that one's.
func (a *Asked) Link(ctx context.Context, question Question) (Answer, error) {
	var answer Answer
	var err error
	if question.Cargo {
		a, err = a.fillCargo(ctx, &answer, question)
	} else {
		err = a.fill(ctx, &answer, question)
	}
	if err != nil {
		return Answer{}, err
	}
	added := a.built.LauncherArgs(answer.Query)
	answer.Flags = slices.Insert(answer.Flags, 0, flagsFrom("the launcher in this toolchain's bin", added)...)
	answer.Query.Args = slices.Concat(added, answer.Query.Args)
	var notes []string
	answer.Explanation, notes = a.built.Explain(answer.Query)
	answer.Notes = append(answer.Notes, notes...)
	if answer.Query.CustomTarget && a.Rustc == "" && answer.Decision.Exit == 0 {
		answer.Notes = append(answer.Notes, "whether the fields of the target's file agree with each other only the compiler knows: --rustc asks one")
	}
	if a.Note != "" {
		answer.Notes = append(answer.Notes, a.Note)
	}
	// Empty lists are [] in JSON, not null.
	answer.Flags = append([]cargoflags.Flag{}, answer.Flags...)
	answer.Steps = append([]link.Step{}, answer.Steps...)
	answer.Ways = append([]link.Way{}, answer.Ways...)
	answer.Warnings = append([]link.Warning{}, answer.Warnings...)
	return answer, nil
}

// fill gathers target and flags of a command line of rustc.
func (a *Asked) fill(ctx context.Context, answer *Answer, question Question) error {
	if err := a.nameTarget(answer, question); err != nil {
		return err
	}
	q, err := a.query(answer.TargetName)
	if err != nil {
		return wrong(err)
	}
	if q.CustomTarget && q.Refusal == "" && a.runs() {
		if q.Refusal, err = a.askAboutFile(ctx, answer.TargetName); err != nil {
			return err
		}
	}
	answer.Flags = append(answer.Flags, flagsFrom(CommandLine, question.Args)...)
	q.Args = question.Args
	answer.Query = q
	return nil
}

// askAboutFile returns the compiler's refusal of a target's file, "" for none: it
// holds the fields against each other.
func (a *Asked) askAboutFile(ctx context.Context, name string) (string, error) {
	cmd := a.tc.Command(ctx, "-Zunstable-options", "--print", "sysroot", "--target", a.machine.path(name))
	cmd.Env = append(slices.Clip(a.machine.env), "RUSTC_BOOTSTRAP=1")
	_, _, err := output(ctx, cmd, nil)
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused.Error(), nil
	}
	return "", err
}

func flagsFrom(origin string, args []string) []cargoflags.Flag {
	out := make([]cargoflags.Flag, len(args))
	for i, arg := range args {
		out[i] = cargoflags.Flag{Arg: arg, Origin: origin}
	}
	return out
}

// nameTarget finds the target's name: the question's, that of rustc's own
// --target among the flags, else the host.
func (a *Asked) nameTarget(answer *Answer, question Question) error {
	// A wrong command line is for the decision to report.
	inv, _ := link.ParseInvocation(question.Args, a.machine.readArgFile)
	switch {
	case question.Target != "" && inv.Target != "" && question.Target != inv.Target:
		return wrong(fmt.Errorf("--target %q and rustc's --target %q differ: give one", question.Target, inv.Target))
	case question.Target != "":
		answer.TargetName = question.Target
	case inv.Target != "":
		answer.TargetName = inv.Target
	default:
		answer.TargetName, answer.TargetOrigin = a.Compiler.Host.String(), hostOrigin
	}
	return nil
}

// hostOrigin is the [Answer.TargetOrigin] of the compiler's host.
const hostOrigin = "the host"

// maxTargetFile bounds a target's JSON file; rustc's own have 3 KB.
const maxTargetFile = 1 << 20

// query asks about a builtin target, or about the one in a JSON file.
func (a *Asked) query(name string) (link.Query, error) {
	q := link.Query{Compiler: a.Compiler, Host: a.host, World: a.world}
	stem, custom := strings.CutSuffix(filepath.Base(name), ".json")
	if !custom {
		var err error
		q.Target, err = a.Snapshot.Find(a.Compiler, name)
		return q, err
	}
	data, err := dist.ReadFile(a.machine.path(name), maxTargetFile)
	if err != nil {
		return q, err
	}
	q.CustomTarget = true
	q.Target, err = targets.ParseSpecFile(stem, data, a.Compiler.Release)
	if refused, ok := errors.AsType[*targets.RefusedFile](err); ok {
		q.Target, q.Refusal, err = a.host.Refused(stem, data), refused.Message, nil
	}
	if err != nil {
		return q, fmt.Errorf("reading target file %q: %w", name, err)
	}
	return q, nil
}

// DefaultLink answers what a plain command line does for a builtin target, on
// a machine that has every linker. It returns the target as the compiler sees
// it too.
func (a *Asked) DefaultLink(t targets.Triple) (link.Explanation, *targets.Spec, error) {
	spec, err := a.Snapshot.For(a.Compiler, t)
	if err != nil {
		return link.Explanation{}, nil, wrong(err)
	}
	q := link.Query{Compiler: a.Compiler, Target: spec, Host: a.host, World: link.World{Sysroot: a.world.Sysroot}}
	if spec.NeedsCPU {
		// The name of a processor is the user's to choose and has no bearing
		// on the linker.
		q.Args = []string{"-Ctarget-cpu=any"}
	}
	q.Args = append(a.built.LauncherArgs(q), q.Args...)
	e, _ := a.built.Explain(q)
	return e, spec, nil
}
