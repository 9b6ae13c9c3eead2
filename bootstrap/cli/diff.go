package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"x.go/dist/verify"
)

func (a *app) diffCommand() *cobra.Command {
	var allow string
	var budget float64
	var ignoreContent bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two dist folders, archives or trees",
		Long: `Compare two dist folders, two archives or two trees: paths, modes, kinds, sizes,
and of ELF files the soname, NEEDED, RUNPATH, glibc floor and linker. For archives
that differ only on the outside it names the first tar field, header or section.

A file given with --allow lists the differences that are intended, a line each:
a kind, a glob, and after # the reason.

` + diffKindsHelp() + `
Exit status: 0 the same but for what is allowed, 1 different, 2 wrong usage.`,
		Example: `  x diff build/dist /srv/dist-1.94 --ignore-content --budget 5
  x diff old/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz new/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.gz
  x diff --allow intended.txt ~/rust-1.94 ~/rust-1.95`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := verify.DiffOptions{A: a.path(args[0]), B: a.path(args[1]), Budget: budget, IgnoreContent: ignoreContent}
			if allow != "" {
				data, err := os.ReadFile(a.path(allow))
				if err != nil {
					return usagef("reading allow-file %q: %w", allow, err)
				}
				if opts.Allow, err = verify.ParseAllow(data); err != nil {
					return usagef("reading allow-file %q: %w", allow, err)
				}
			}
			c, err := verify.Diff(cmd.Context(), opts)
			if err != nil {
				return err
			}
			if a.flags.json {
				err = c.WriteJSON(a.Stdout)
			} else {
				err = c.WriteText(a.Stdout)
			}
			if err != nil {
				return fmt.Errorf("printing the differences: %w", err)
			}
			if !c.Same() {
				return exitError{code: exitFail}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&allow, "allow", "", "`file` of differences that are intended")
	cmd.Flags().Float64Var(&budget, "budget", 0, "change of a file's size in `percent` that is not worth a line")
	cmd.Flags().BoolVar(&ignoreContent, "ignore-content", false, "leave out files that differ in content alone, as between releases")
	return cmd
}

// diffKindsHelp lists the kinds of differences for the help text.
func diffKindsHelp() string {
	text := "Kinds of differences:\n"
	for _, k := range verify.DiffKinds() {
		text += fmt.Sprintf("  %-14s %s\n", k[0], k[1])
	}
	return text
}
