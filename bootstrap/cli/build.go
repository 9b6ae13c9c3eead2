package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/lld"
)

func (a *app) buildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Assemble a sysroot with LLD as configured",
		Long: `Assemble the input toolchain into build/<host>/stage2, with rust-lld and the
gcc-ld programs as the configuration says. Files are cloned or hard linked where
the file system can; the input is never changed.

With rust.lld = false neither is shipped. If the compiler was built to link with
LLD all the same, gcc-ld holds a program that runs the system linker. With
lld.baked-default = "launcher" in x.toml, another program also stands before
rustc and clippy-driver, which then run from libexec, and keeps LLD off their
link lines; with rust.lld = true and a compiler that uses the system linker it
asks for LLD. Such a toolchain says so in share/doc/rust/x-build.json.`,
		Example: `  x build
  x build --set rust.lld=false
  x build --sysroot /usr/lib/rust-1.95 --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			outcome, err := bootstrap.Ensure(ctx, s.builder, bootstrap.DecideLLD{})
			if err == nil {
				_, err = bootstrap.Ensure(ctx, s.builder, bootstrap.Sysroot{})
			}
			s.close()
			if err != nil {
				return err
			}
			return a.answer(s, buildAnswer{Sysroot: s.builder.SysrootDir(), LLD: outcome}, func() {
				fmt.Fprintln(a.Stdout, s.builder.SysrootDir())
			})
		},
	}
}

// buildAnswer is what `x build --json` prints.
type buildAnswer struct {
	Sysroot string      `json:"sysroot"`
	LLD     lld.Outcome `json:"lld"`
}

// answer prints the plan of a dry run, or else the answer as JSON or as text.
func (a *app) answer(s *session, v any, text func()) error {
	switch {
	case a.flags.dryRun && a.flags.json:
		return a.printJSON(s.builder.Plan())
	case a.flags.dryRun:
		for _, act := range s.builder.Plan() {
			fmt.Fprintln(a.Stdout, act)
		}
	case a.flags.json:
		return a.printJSON(v)
	default:
		text()
	}
	return nil
}
