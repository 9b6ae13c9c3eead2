package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
)

// configFlags are the flags of `x config`.
type configFlags struct {
	origins, example, noDefaults bool
	release                      string
}

func (a *app) configCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "config [bootstrap|x]",
		Short: "Print the resolved configuration",
		Long: `Print the configuration that files, profile, --set and flags add up to: the keys
of bootstrap.toml as TOML or, with the argument x, those of x.toml. Values that
somebody set are live; defaults are comments. The output is a configuration file
itself. --example prints the annotated example instead.

--json prints the keys of both files as nested objects, those of x.toml in "x",
and in "lld" the decision on LLD:

  shipped              whether rust-lld and gcc-ld are in the sysroot
  default              host triple to "self-contained-lld-cc" or "system"
  used_while_building  the LLD that upstream's build links with
  rule, reason         what decided shipped
  hosts, lost          the reason of each default, and the rules that lost
  warnings, error      error only if the configuration is refused

A refused configuration is printed too; the exit status is then 2. With --origins
each value is {"value", "origin", "set"}.`,
		Example: `  x config
  x config --origins | grep -v '^#'
  x config --set rust.lld=true --release 1.92 --json | jq .lld
  x config --example > bootstrap.toml`,
		Args:      oneOfValid,
		ValidArgs: []string{"bootstrap", "x"},
		RunE: func(_ *cobra.Command, args []string) error {
			file := config.Bootstrap
			if len(args) > 0 && args[0] == "x" {
				file = config.X
			}
			if f.example {
				return a.print(config.Example(file))
			}
			return a.config(file, f)
		},
	}
	hideGlobals(cmd, "sysroot", "dry-run", "quiet", "verbose")
	cmd.Flags().BoolVar(&f.origins, "origins", false, "say where each value comes from")
	cmd.Flags().BoolVar(&f.noDefaults, "no-defaults", false, "leave out what nobody set")
	cmd.Flags().BoolVar(&f.example, "example", false, "print the annotated example of the file")
	cmd.Flags().StringVar(&f.release, "release", "", "apply the rules of this `version` of Rust (default the newest)")
	return cmd
}

func (a *app) config(file config.File, f configFlags) error {
	release, err := releaseFlag("--release", f.release)
	if err != nil {
		return err
	}
	src := a.configSource()
	src.Release = release
	a.warnRelease(release)
	cfg, err := config.Load(src)
	if err != nil {
		if a.flags.json {
			// A script that reads .lld gets the refusal as data, not only a status.
			if printErr := a.printJSON(map[string]any{"lld": lld.Refused(err), "errors": errorLines(err)}); printErr != nil {
				return printErr
			}
		}
		return usage(err)
	}
	opts := config.RenderOptions{File: file, Origins: f.origins, NoDefaults: f.noDefaults}
	decision, refused := lld.Decide(cfg, lld.Facts{Release: release})
	if a.flags.json {
		answer := cfg.JSON(opts)
		answer["lld"] = decision.Wanted
		err = a.printJSON(answer)
	} else {
		err = a.print(cfg.TOML(opts))
	}
	if err != nil {
		return err
	}
	return usage(refused)
}

// print writes text to stdout.
func (a *app) print(text string) error {
	if _, err := fmt.Fprint(a.Stdout, text); err != nil {
		return fmt.Errorf("printing the answer: %w", err)
	}
	return nil
}
