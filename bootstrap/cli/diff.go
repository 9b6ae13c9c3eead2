package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"x.go/dist"
	"x.go/dist/diff"
)

func (a *app) diffCommand() *cobra.Command {
	var allow string
	var budget float64
	var ignoreContent bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two dist directories, archives or trees",
		Long: `Compare two dist directories, two archives or two trees: paths, modes, kinds and
sizes, and for ELF files the soname, NEEDED, RUNPATH, glibc floor and linker. If
archives hold the same files but differ in bytes, name the first tar field, header
or section that differs.

The file given with --allow lists intended differences, one on a line: a kind, a
glob and, after #, the reason.

` + diffKindsHelp() + `
Exit status: 0 no difference but allowed ones, 1 different, 2 wrong usage, or an
operand that is missing, no archive or tree, or cannot be read to its end.`,
		Example: `  x diff build/dist /srv/dist-1.94 --ignore-content --budget 5
  x diff old/cargo-1.95.0.tar.xz new/cargo-1.95.0.tar.gz
  x diff --allow intended.txt ~/rust-1.94 ~/rust-1.95`,
		Args: exactly("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			debug.SetGCPercent(40) // names of strangers are what it holds: less slack, for little time
			// An allow-file is read before the archives: its mistakes show at once.
			opts := diff.Options{A: a.path(args[0]), B: a.path(args[1]), Budget: budget, IgnoreContent: ignoreContent}
			if allow != "" {
				const maxAllow = 1 << 20 // bytes; a line takes less than 100
				data, err := dist.ReadInput(a.path(allow), maxAllow)
				if err != nil {
					return usagef("reading allow-file %q: %w", allow, dist.WithoutPath(err))
				}
				if opts.Allow, err = diff.ParseAllow(data); err != nil {
					return usagef("reading allow-file %q: %w", allow, err)
				}
			}
			c, err := diff.Run(cmd.Context(), opts)
			if err != nil {
				return usage(err) // trouble, as diff(1) has it: nothing was compared
			}
			if a.flags.json {
				err = c.WriteJSON(a.Stdout)
			} else {
				err = c.WriteText(a.Stdout)
			}
			if err != nil {
				return usagef("printing the differences: %w", err)
			}
			if c.Unreadable() {
				return exitError{code: exitUsage}
			}
			if !c.Same() {
				return exitError{code: exitFail} // the differences are the message
			}
			return nil
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet", "verbose")
	cmd.Flags().StringVar(&allow, "allow", "", "read intended differences from this `file`")
	cmd.Flags().Float64Var(&budget, "budget", 0, "ignore changes of a file's size up to this `percentage`")
	cmd.Flags().BoolVar(&ignoreContent, "ignore-content", false, "ignore files that differ only in content, as between releases")
	return cmd
}

// diffKindsHelp lists the kinds of differences for the help text.
func diffKindsHelp() string {
	text := "Kinds of differences:\n"
	for _, k := range diff.Kinds() {
		text += fmt.Sprintf("  %-14s %s\n", k[0], fill(k[1], 17))
	}
	return text
}
