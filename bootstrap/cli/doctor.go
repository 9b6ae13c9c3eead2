package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap/doctor"
)

func (a *app) doctorCommand() *cobra.Command {
	var corpus, html string
	cmd := &cobra.Command{
		Use:   "doctor LOG | --corpus DIR",
		Short: "Say why a link failed, or went wrong in silence",
		Long: `Read the output of a build, and say what made the link fail that another linker
would have made: the cause, where it shows, and what can be done about it. LOG is
what rustc, cargo or a C compiler printed; - is standard input. Of an ordinary
mistake, which every linker refuses, doctor says nothing.

With --corpus, read every log in a directory and below, as crater keeps them: a
directory with a log.txt for each crate. Count the causes, with examples. Logs are
files named log, log.*, *.log, *.txt or *.build, as they are or as .gz, .xz or .zst.
A log that cannot be read, or not whole, is named. --html also writes a page.

--json prints {"findings": [{"cause", "summary", "confidence", "evidence":
[{"file", "line", "text"}], "remedies": [{"option", "stable", "effect"}],
"sources"}], "target", "release"}, and with --corpus {"directory", "logs", "bytes",
"found", "nothing", "seconds", "causes": [{"cause", "count", "confidence", "summary",
"sources", "examples": [{"log", "confidence", "line", "text"}], "in"}], "problems":
[{"log", "kind", "detail"}], "problem_counts"}.

Exit status: 0 nothing found, 1 found, 2 trouble.`,
		Example: `  x doctor build.log
  cargo build 2>&1 | x doctor -
  x doctor --corpus crater/pr-140525 --html triage.html`,
		Args: func(cmd *cobra.Command, args []string) error {
			if corpus != "" {
				return none(cmd, args)
			}
			return exactly("LOG")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case corpus != "":
				return a.diagnoseCorpus(cmd.Context(), corpus, html, doctor.Options{})
			case html != "":
				return usagef("--html goes with --corpus")
			}
			report, err := a.diagnose(cmd, args[0])
			if err != nil {
				return usage(err)
			}
			return a.printDoctor(report)
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "dry-run", "verbose")
	cmd.Flags().StringVar(&corpus, "corpus", "", "read all logs in this `directory`, and count the causes")
	cmd.Flags().StringVar(&html, "html", "", "with --corpus, also write the answer to this `file`, as one page of HTML")
	return cmd
}

func (a *app) diagnose(cmd *cobra.Command, name string) (doctor.Report, error) {
	o := doctor.Options{Dir: a.Dir}
	if name == "-" {
		return doctor.Diagnose(cmd.Context(), "-", a.Stdin, o)
	}
	f, err := os.Open(a.path(name))
	if err != nil {
		return doctor.Report{}, fmt.Errorf("reading log: %w", err)
	}
	defer f.Close()
	return doctor.Diagnose(cmd.Context(), name, f, o)
}

func (a *app) printDoctor(r doctor.Report) error {
	var err error
	if a.flags.json {
		err = a.printJSON(r)
	} else {
		_, err = fmt.Fprint(a.Stdout, doctorText(r))
	}
	if err != nil {
		return usage(err)
	}
	if len(r.Findings) > 0 {
		return exitError{code: exitFail}
	}
	return nil
}

func doctorText(r doctor.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s (%s): %s\n", f.Cause, f.Confidence, f.Summary)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "  %s:%d: %q\n", e.File, e.Line, e.Text)
		}
	}
	return b.String()
}
