package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"x.go/bootstrap/lld"
)

func (a *app) buildCommand() *cobra.Command {
	var given givenFlags
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Assemble the toolchain, with LLD as configured",
		Long: `Assemble the input toolchain in build/<host>/stage2, with rust-lld and the gcc-ld
programs as configured. Files are cloned or hard linked where the file system
allows it. The input is never changed.

With rust.lld = false, neither is shipped. A compiler that was built to link with
LLD still asks for it, so gcc-ld then holds a program that runs the system linker.

With lld.baked-default = "launcher" in x.toml, a second program takes the place of
rustc and clippy-driver and runs them from libexec. It keeps LLD off their link
lines. With rust.lld = true and a compiler that was built to use the system
linker, it asks for LLD. Such a toolchain says so in share/doc/rust/x-build.json.

Of several hosts, as x dist finds them, each is assembled in its own directory, with the
standard libraries of build.target that any of them has.`,
		Example: `  x build
  x build --set rust.lld=false
  x build --sysroot /usr/lib/rust-1.95 --dry-run
  x build --sysroot build --host aarch64-unknown-linux-gnu --build-dir out
  x build --sysroot ~/rust-x86_64 --sysroot ~/rust-aarch64`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := a.give(given); err != nil {
				return err
			}
			s, err := a.open(ctx, a.options())
			if err != nil {
				return err
			}
			var hosts []builtHost
			for _, h := range s.Hosts() {
				outcome, err := h.Sysroot(ctx)
				if err != nil {
					s.close()
					return err
				}
				hosts = append(hosts, builtHost{h.Toolchain().Host.String(), h.SysrootDir(), outcome})
			}
			s.close() // before the answer: progress must not write into it
			return a.answer(s, buildAnswer{Sysroot: hosts[0].Sysroot, LLD: hosts[0].LLD, Hosts: hosts}, func() {
				for _, h := range hosts {
					fmt.Fprintln(a.Stdout, h.Sysroot)
				}
			})
		},
	}
	given.add(cmd)
	return cmd
}

// buildAnswer is what `x build --json` prints.
type buildAnswer struct {
	Sysroot string      `json:"sysroot"` // of the first host
	LLD     lld.Outcome `json:"lld"`
	Hosts   []builtHost `json:"hosts"`
}

// builtHost is a toolchain that x build has assembled.
type builtHost struct {
	Host    string      `json:"host"`
	Sysroot string      `json:"sysroot"`
	LLD     lld.Outcome `json:"lld"`
}

// answer prints the plan of a dry run, or else the answer as JSON or as text.
func (a *app) answer(s *session, v any, text func()) error {
	switch {
	case a.flags.dryRun && a.flags.json:
		return a.printJSON(s.Plan())
	case a.flags.dryRun:
		for _, act := range s.Plan() {
			fmt.Fprintln(a.Stdout, act)
		}
	case a.flags.json:
		return a.printJSON(v)
	default:
		text()
	}
	return nil
}
