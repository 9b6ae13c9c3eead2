package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap/doctor"
)

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor LOG",
		Short: "Say why a link failed, or went wrong in silence",
		Long: `Read the output of a build, and say what made the link fail that another linker
would have made: the cause, where it shows, and what can be done about it. LOG is
what rustc, cargo or a C compiler printed; - is standard input. Of an ordinary
mistake, which every linker refuses, doctor says nothing.

--json prints {"findings": [{"cause", "summary", "confidence", "evidence":
[{"file", "line", "text"}], "remedies": [{"option", "stable", "effect"}],
"sources"}], "target", "release"}.

Exit status: 0 nothing found, 1 found, 2 trouble.`,
		Example: `  x doctor build.log
  cargo build 2>&1 | x doctor -`,
		Args: exactly("LOG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := a.diagnose(cmd, args[0])
			if err != nil {
				return usage(err)
			}
			return a.printDoctor(report)
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet", "verbose")
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
