package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap/doctor"
	"x.go/bootstrap/explain"
	"x.go/targets"
	"x.go/targets/link"
)

// doctorFlags say what remedies are for, and which logs are counted.
type doctorFlags struct{ target, release, corpus, html string }

func (a *app) doctorCommand() *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor LOG | FILE | --corpus DIR | -- COMMAND",
		Short: "Say why a link failed, or went wrong in silence",
		Long: `Say what made a link fail, or silently go wrong, that another linker would have
made: the cause, where it shows, what can be done about it and what that changes.

LOG is what rustc, cargo or a C compiler printed, also as cargo's JSON, also as
.gz, .xz or .zst; - is standard input. FILE is a program or library that links
but misbehaves, or an archive that does not link. With --, COMMAND runs: its output
goes through as it comes (with --json all of it to standard error), and then its
messages, its inputs and what it has linked are examined.

Files that a log names are looked at where they still exist; no program is run but
COMMAND and, where that is rustc or cargo, the compiler, which is asked about its
default linker. Of an ordinary mistake, which every linker refuses, doctor says
nothing. A remedy is for --target and --release, else for those that the log tells.

With --corpus, read every log in a directory and below, as crater keeps them: a
directory with a log.txt for each crate. Count the causes, with examples. Logs are
files named log, log.*, *.log, *.txt or *.build, as they are or as .gz, .xz or .zst.
A log that cannot be read, or not whole, is named. --html also writes a page.

--json prints {"findings": [{"cause", "summary", "confidence", "evidence":
[{"file", "line", "text"}], "remedies": [{"option", "stable", "effect"}], "notes",
"sources"}], "target", "release", "ran"}. confidence is high, medium or low. line
is 0 in a file that has no lines. ran is {"args", "status"} of COMMAND. With
--corpus it prints {"directory", "logs", "bytes", "found", "nothing", "seconds",
"causes": [{"cause", "count", "confidence", "summary", "sources", "examples":
[{"log", "confidence", "line", "text"}], "in"}], "problems": [{"log", "kind",
"detail"}], "problem_counts"}.

Exit status: 0 nothing found, 1 found, 2 trouble; that of COMMAND is printed.`,
		Example: `  x doctor build.log
  x doctor - --json < build.log
  x doctor -- cargo build --release
  x doctor target/debug/server
  x doctor --corpus crater/pr-140525 --html triage.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := flags.options(a.Dir)
			if err != nil {
				return err
			}
			switch {
			case flags.corpus != "" && len(args) > 0:
				return usagef("--corpus takes the directory, and no argument: got %q", args[0])
			case flags.corpus != "":
				o.Dir = "" // the files that these logs name are those of other machines
				return a.diagnoseCorpus(cmd.Context(), flags.corpus, flags.html, o)
			case flags.html != "":
				return usagef("--html goes with --corpus")
			}
			report, err := a.diagnose(cmd, args, o)
			if err != nil {
				if ctx := cmd.Context(); ctx.Err() != nil && errors.Is(err, context.Canceled) {
					return err
				}
				return usage(err)
			}
			return a.printDoctor(report)
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "dry-run", "verbose")
	f := cmd.Flags()
	f.StringVar(&flags.target, "target", "", "remedies are for this `triple`")
	f.StringVar(&flags.release, "release", "", "remedies are for this `version` of rustc")
	f.StringVar(&flags.corpus, "corpus", "", "read all logs in this `directory`, and count the causes")
	f.StringVar(&flags.html, "html", "", "with --corpus, also write the answer to this `file`, as one page of HTML")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("target", completeTriples))
	return cmd
}

// options checks the flags.
func (f doctorFlags) options(dir string) (o doctor.Options, err error) {
	o.Dir = dir
	if f.target != "" {
		if o.Target, err = targets.ParseTriple(f.target); err != nil {
			return o, usage(err)
		}
	}
	o.Release, err = releaseFlag("--release", f.release)
	return o, err
}

// diagnose examines what the arguments name.
func (a *app) diagnose(cmd *cobra.Command, args []string, o doctor.Options) (doctor.Report, error) {
	ctx := cmd.Context()
	switch dash := cmd.ArgsLenAtDash(); {
	case dash == 0 && len(args) > 0:
		report, err := doctor.Run(ctx, a.examined(args), o)
		if err == nil && report.Ran.Status != 0 {
			a.progressf("x: %s ended with exit status %d", args[0], report.Ran.Status)
		}
		return report, err
	case dash >= 0 || len(args) != 1:
		return doctor.Report{}, fmt.Errorf("got %s, want a log, a file, or -- and a command: see `%s --help`", plural(len(args), "argument"), cmd.CommandPath())
	case args[0] == "-":
		return doctor.Diagnose(ctx, "-", a.Stdin, o)
	}
	return doctor.DiagnoseFile(ctx, args[0], a.path(args[0]), o)
}

// examined is a command that runs as if x were not there.
func (a *app) examined(args []string) doctor.Command {
	var out io.Writer = asIs{a.stdout}
	if a.flags.json {
		out = a.terminal
	}
	return doctor.Command{
		Args: args, Dir: a.Dir, Env: a.Env, Stdin: a.Stdin, Stdout: out, Stderr: a.terminal,
		Decide: func(ctx context.Context, cargo bool, args []string) (link.Decision, bool) {
			return a.decideLinker(ctx, cargo, args)
		},
	}
}

// decideLinker asks the compiler that rustc or cargo has run which linker it runs.
func (a *app) decideLinker(ctx context.Context, cargo bool, args []string) (link.Decision, bool) {
	o := explain.Options{Rustc: "rustc", Dir: a.Dir, Env: a.Env}
	if len(args) > 0 && strings.HasPrefix(args[0], "+") { // of rustup's proxies
		o.Env = append(slices.Clone(a.Env), "RUSTUP_TOOLCHAIN="+args[0][1:])
		args = args[1:]
	}
	q := explain.Question{Args: args, Cargo: cargo}
	if cargo {
		q.Args = nil
		if i := slices.Index(args, "--"); i > 0 && args[0] == "rustc" {
			q.Args = args[i+1:]
		}
	}
	answer, err := explain.Link(ctx, o, q)
	return answer.Decision, err == nil
}

func (a *app) printDoctor(r doctor.Report) error {
	var err error
	if a.flags.json {
		err = a.printJSON(r)
	} else {
		err = a.print(doctorText(r))
	}
	if err != nil {
		return usage(err)
	}
	if len(r.Findings) > 0 {
		return exitError{code: exitFail} // the findings are the message
	}
	return nil
}

// doctorText writes a report for people.
func doctorText(r doctor.Report) string {
	var b strings.Builder
	for i, f := range r.Findings {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s (%s confidence)\n", f.Cause, f.Confidence)
		writeItem(&b, "  ", f.Summary)
		for _, e := range f.Evidence {
			place := e.File
			if e.Line > 0 {
				place = fmt.Sprintf("%s:%d", e.File, e.Line)
			}
			fmt.Fprintf(&b, "  at %s: %q\n", place, e.Text)
		}
		if f.Omitted > 0 {
			fmt.Fprintf(&b, "  and at %s more\n", plural(f.Omitted, "place"))
		}
		writeRemedies(&b, f.Remedies)
		for _, n := range f.Notes {
			writeItem(&b, "  note: ", n)
		}
		fmt.Fprintf(&b, "  source: %s\n", strings.Join(f.Sources, ", "))
	}
	if len(r.Findings) == 0 {
		b.WriteString("nothing found that another linker would do differently\n")
	} else {
		fmt.Fprintf(&b, "\nremedies for rustc %s and %s\n", r.Release, r.Target)
	}
	return b.String()
}

func writeRemedies(b *strings.Builder, remedies []doctor.Remedy) {
	for i, m := range remedies {
		lead := "  try: "
		if i > 0 {
			lead = "  or:  "
		}
		text := m.Option
		if !m.Stable {
			text += " (unstable)"
		}
		writeItem(b, lead, text+": "+m.Effect)
	}
}
