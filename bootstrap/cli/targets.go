package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/bootstrap/explain"
	"x.go/dist"
	"x.go/targets"
	"x.go/targets/link"
)

// targetFilter says which targets the table of `x targets` has.
type targetFilter struct {
	tier   int
	lld    bool
	flavor string
	tools  bool
}

func (a *app) targetsCommand() *cobra.Command {
	var from compilerFlags
	var filter targetFilter
	cmd := &cobra.Command{
		Use:   "targets",
		Short: "List rustc's targets and the linker of each",
		Long: `List the builtin targets of a release of rustc, with the linker that each uses by
default. No compiler is needed: x carries the targets of some releases. --rustc or
--sysroot asks a compiler instead.

The default depends on the compiler, not only on the target. A compiler that was
built to link with LLD does so for every target of its own kind of system; a
compiler for another host does not (rust-lang/rust#155437).

The column LLD says "toolchain" for the LLD in the sysroot, "system" for one that
the C compiler has to find, and "-" for any other linker.`,
		Example: `  x targets --tier 1
  x targets --lld --host aarch64-unknown-linux-gnu
  x targets --linker-flavor gnu-lld --release nightly --json
  x targets show riscv64gc-unknown-linux-gnu`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asked, err := a.ask(cmd.Context(), &from)
			if err != nil {
				return err
			}
			keep, err := filter.matcher(cmd)
			if err != nil {
				return err
			}
			rows, err := targetRows(asked, keep)
			if err != nil {
				return err
			}
			a.noteNearest(asked)
			if a.flags.json {
				return a.printJSON(rows)
			}
			return a.printTargets(asked, rows)
		},
	}
	from.add(cmd)
	f := cmd.Flags()
	f.IntVar(&filter.tier, "tier", 0, "list only targets of this `tier`: 1, 2 or 3")
	f.BoolVar(&filter.lld, "lld", false, "list only targets that link with LLD by default; --lld=false lists the others")
	f.StringVar(&filter.flavor, "linker-flavor", "", "list only targets of this `flavor`, such as gnu-lld-cc")
	f.BoolVar(&filter.tools, "host-tools", false, "list only targets that rustc itself runs on; --host-tools=false lists the others")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("tier", cobra.FixedCompletions([]string{"1", "2", "3"}, cobra.ShellCompDirectiveNoFileComp)))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("linker-flavor", completeFlavors))
	cmd.AddCommand(a.targetsShowCommand(), a.targetsImportCommand())
	hideGlobals(cmd, "config", "set", "build-dir", "jobs", "dry-run", "verbose")
	return cmd
}

// matcher checks the filter and returns it as a function.
func (t *targetFilter) matcher(cmd *cobra.Command) (func(targetRow) bool, error) {
	given := cmd.Flags().Changed
	if given("tier") && (t.tier < 1 || t.tier > 3) {
		return nil, usagef("reading --tier: got %d, want 1, 2 or 3", t.tier)
	}
	if t.flavor != "" {
		if _, err := targets.ParseLinkerFlavor(t.flavor); err != nil {
			return nil, usage(err)
		}
	}
	return func(r targetRow) bool {
		return (!given("tier") || r.Tier == t.tier) &&
			(!given("lld") || (r.LLD != "") == t.lld) &&
			(!given("host-tools") || (r.HostTools != nil && *r.HostTools) == t.tools) &&
			(t.flavor == "" || r.Flavor.String() == t.flavor)
	}, nil
}

// targetRow is one target in the answer of `x targets`.
type targetRow struct {
	Target      targets.Triple       `json:"target"`
	Tier        int                  `json:"tier"`       // 0 where unknown
	HostTools   *bool                `json:"host_tools"` // null where unknown
	Std         *bool                `json:"std"`
	Description string               `json:"description"`
	Flavor      targets.LinkerFlavor `json:"flavor"`
	Linker      string               `json:"linker"` // what a plain command line runs, "" where it links nothing
	LLD         string               `json:"lld"`    // toolchain, system or ""
}

// targetRows describes the targets that keep wants.
func targetRows(asked *explain.Asked, keep func(targetRow) bool) ([]targetRow, error) {
	rows := []targetRow{}
	asked.Snapshot = asked.Snapshot.Indexed()
	for _, name := range asked.Snapshot.Names() {
		t, err := targets.ParseTriple(name)
		if err != nil {
			return nil, err
		}
		e, spec, err := asked.DefaultLink(t)
		if err != nil {
			return nil, questionError(err)
		}
		row := targetRow{
			Target: t, Tier: spec.Metadata.Tier, HostTools: boolOrNil(spec.Metadata.HostTools), Std: boolOrNil(spec.Metadata.Std),
			Description: spec.Metadata.Description, Flavor: spec.Flavor, Linker: e.Decision.Linker, LLD: e.LLD,
		}
		if keep(row) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func boolOrNil(t targets.Tristate) *bool {
	if t == targets.Unknown {
		return nil
	}
	b := t == targets.Yes
	return &b
}

// printTargets prints the table, and below it what it is about.
func (a *app) printTargets(asked *explain.Asked, rows []targetRow) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	_, err := fmt.Fprintln(w, "TARGET\tTIER\tHOST\tSTD\tFLAVOR\tLINKER\tLLD")
	errs := []error{err}
	for _, r := range rows {
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Target, tierText(r.Tier), yesNo(r.HostTools), yesNo(r.Std),
			r.Flavor, orDash(r.Linker), orDash(r.LLD))
		errs = append(errs, err)
	}
	errs = append(errs, w.Flush())
	a.progressf("x: %d targets of rustc %s on %s", len(rows), asked.Compiler.Release, asked.Compiler.Host)
	return errors.Join(errs...)
}

func tierText(tier int) string {
	if tier == 0 {
		return "?"
	}
	return fmt.Sprint(tier)
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "?"
	case *b:
		return "yes"
	}
	return "no"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// noteNearest says that the answer is about another release than asked for.
func (a *app) noteNearest(asked *explain.Asked) {
	if asked.Note != "" {
		a.progressf("x: note: %s", asked.Note)
	}
}

func (a *app) targetsShowCommand() *cobra.Command {
	var from compilerFlags
	cmd := &cobra.Command{
		Use:   "show TRIPLE",
		Short: "Show what one target is",
		Long: `Show what a target is in the eyes of a compiler. With --json, print the same bytes
as that compiler's --print target-spec-json.`,
		Example: `  x targets show wasm32-wasip2
  x targets show x86_64-unknown-linux-gnu --host aarch64-apple-darwin --json`,
		Args:              exactly("TRIPLE"),
		ValidArgsFunction: completeTriples,
		RunE: func(cmd *cobra.Command, args []string) error {
			asked, err := a.ask(cmd.Context(), &from)
			if err != nil {
				return err
			}
			found, err := asked.Snapshot.Find(asked.Compiler, args[0])
			if err != nil {
				return usage(err)
			}
			e, spec, err := asked.DefaultLink(found.Triple)
			if err != nil {
				return questionError(err)
			}
			a.noteNearest(asked)
			text := spec.JSON()
			if !a.flags.json {
				text = []byte(targetText(spec, e, asked.Compiler))
			}
			_, err = a.Stdout.Write(text)
			return err
		},
	}
	from.add(cmd)
	return cmd
}

// targetText describes a target to people.
func targetText(s *targets.Spec, e link.Explanation, c targets.Compiler) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s\n", s.Triple, s.Metadata.Description)
	fmt.Fprintf(w, "as rustc %s on %s sees it\n\n", c.Release, c.Host)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("tier", "%s", tierText(s.Metadata.Tier))
	row("host tools", "%s", s.Metadata.HostTools)
	row("standard library", "%s", s.Metadata.Std)
	row("system", "os %s, env %s, family %s", orDash(s.OS), orDash(s.Env), orDash(strings.Join(s.Families, ", ")))
	endian := "little"
	if s.BigEndian {
		endian = "big"
	}
	row("machine", "%s, %d bit, %s endian", s.Arch, s.PointerWidth, endian)
	row("LLVM target", "%s", s.LLVMTarget)
	row("linker flavor", "%s", s.Flavor)
	row("linker", "%s", linkerText(s, e.Decision))
	row("LLD", "%s", lldText(e))
	row("self-contained", "%s", s.SelfContained)
	row("crt-static", "%s", crtStaticText(s))
	row("executables", "%s", executablesText(s))
	row("dynamic libraries", "%s", dynamicText(s))
	if args := s.PreLinkArgs.For(s.Flavor); len(args) > 0 {
		row("first arguments", "%s", strings.Join(args, " "))
	}
	w.Flush() // to a strings.Builder, which takes everything
	return b.String()
}

func linkerText(s *targets.Spec, d link.Decision) string {
	switch {
	case d.Exit != 0:
		return "none: without flags, rustc ends with " + d.Error
	case !d.Linked:
		return "none: without flags, rustc links nothing"
	case s.Linker == "":
		return d.Linker + ", the flavor's own"
	}
	return d.Linker + ", which the target names"
}

func lldText(e link.Explanation) string {
	how := strings.Join(e.Decision.LLDArgs, " ")
	switch e.LLD {
	case "toolchain":
		return "by default, the toolchain's: " + how
	case "system":
		return "by default, the system's: " + how
	}
	return "not by default"
}

func crtStaticText(s *targets.Spec) string {
	text := "off by default"
	if s.CrtStaticDefault {
		text = "on by default"
	}
	if !s.CrtStaticRespected {
		text += ", -Ctarget-feature does not change it"
	}
	return text
}

func executablesText(s *targets.Spec) string {
	switch {
	case !s.Executables:
		return "no"
	case s.PIE && s.StaticPIE:
		return "yes, position independent, static ones too"
	case s.PIE:
		return "yes, position independent"
	}
	return "yes, at a fixed position"
}

func dynamicText(s *targets.Spec) string {
	switch {
	case !s.DynamicLinking:
		return "no"
	case s.OnlyCdylib:
		return "cdylib only"
	}
	return "yes"
}

func (a *app) targetsImportCommand() *cobra.Command {
	var rustc, output, parent string
	cmd := &cobra.Command{
		Use:    "import --rustc PATH",
		Short:  "Write the registry's text for a compiler",
		Hidden: true, // for those who maintain targets/data
		Long: `Ask a compiler for all its targets and write them as text of the registry that x
carries (targets/data). What the compiler's own default linker adds is left out,
so the text does not depend on the host and the options the compiler was built
for.`,
		Example: `  x targets import --rustc ~/.cargo/bin/rustc -o targets/data/1.95.0.txt
  x targets import --rustc rustc --parent 1.95.0`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rustc == "" && a.sysroot() == "" {
				return usagef("no compiler to import from: name one with --rustc PATH or --sysroot DIR")
			}
			from, err := parentSnapshot(parent)
			if err != nil {
				return usage(err)
			}
			text, err := explain.ImportTargets(cmd.Context(), a.explainOptions(rustc), from)
			if err != nil {
				return err
			}
			if output == "" || output == "-" {
				_, err = a.Stdout.Write(text)
				return err
			}
			if a.flags.dryRun {
				a.progressf("x: would write %d bytes to %q", len(text), a.path(output))
				return nil
			}
			return dist.WriteOutput(a.path(output), text)
		},
	}
	f := cmd.Flags()
	f.StringVar(&rustc, "rustc", "", "import from this `compiler`: a path, or a name on PATH")
	f.StringVarP(&output, "output", "o", "", "write to this `file` (default standard output)")
	f.StringVar(&parent, "parent", "", "write only what differs from this older `release`")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("parent", completeReleases))
	hideGlobals(cmd, "config", "set", "build-dir", "jobs", "quiet", "verbose", "json")
	return cmd
}

// parentSnapshot finds the release that a text may build on, nil for "".
func parentSnapshot(text string) (*targets.Snapshot, error) {
	if text == "" {
		return nil, nil
	}
	release, err := targets.ParseRelease(text)
	if err != nil {
		return nil, err
	}
	s, note, err := targets.Builtin().At(release)
	if err == nil && note != "" {
		err = fmt.Errorf("looking up parent %q: %s", text, note)
	}
	return &s, err
}

// completeFlavors offers the flavors that some target has.
func completeFlavors(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, _ := targets.Builtin().Newest("")
	seen := map[string]bool{}
	var out []cobra.Completion
	for spec := range s.All() {
		for _, sp := range []*targets.Spec{spec, spec.WithLLDDefault()} {
			if f := sp.Flavor.String(); !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
