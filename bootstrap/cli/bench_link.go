package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/explain"
	"x.go/bootstrap/linkbench"
	"x.go/dist"
)

// benchLinkFlags are the flags of x bench link.
type benchLinkFlags struct {
	clean, incremental bool
	only, baseline     string
	rounds             int
	timeout            time.Duration
	svg, from          string
}

func (a *app) benchLinkCommand() *cobra.Command {
	var f benchLinkFlags
	cmd := &cobra.Command{
		Use:   "link [flags] -- command...",
		Short: "Measure the toolchain's LLD against GNU ld and others on a build",
		Long: `Run a command, usually cargo build, with each linker in turn, and compare the
times of the links and of the whole command, the memory of the linker and the
size of the results. The linkers are:
  bfd            GNU ld
  lld            the toolchain's LLD, by its gcc-ld
  lld-serial     the same with --threads=1
  lld-leaf       the same with one thread for build scripts and proc macros
  lld-jobserver  the same with as many threads as the jobserver has free tokens
  system-lld, mold, gold, wild
                 what PATH has of them
For lld-leaf and lld-jobserver x puts the gcc-ld programs of lld.threads in x.toml
before the toolchain's rust-lld. --dry-run says what is there, and what is not.

With --incremental, which is the default, x builds once and then removes what was
linked last before each run: programs, tests and libraries of the packages that
the command is for. That is the build after an edit. With --clean, everything is
built in each run. Either way x builds in a temporary directory and removes it:
no file of yours is touched.

x names the linker to rustc by -Clink-arg=-B... and -Clink-arg=-fuse-ld=..., behind
all of your own flags, and through RUSTC_WRAPPER. So RUSTFLAGS, .cargo/config.toml
and the C compiler that they name stay in force. What build scripts link by
themselves is not changed. A command other than cargo has to run cargo, or rustc
from PATH. A wrapper of yours around rustc is run as well.

A figure counts only if the result says that this linker made it. LINK is the
linker alone, without the C compiler; its times are sums, if there are several
links, and its memory is that of the largest. Times on the wall are noisy on a
machine that others use: look at SPREAD, the greatest less the least as a part of
the median, and at the time of processors.

With --json, the answer has everything that was measured:
  schema                        1
  machine                       cpu, cores, memory, os, arch, go, load
  command, mode, rounds         as given; "baseline" is the row ratios are to
  toolchain                     release, host, sysroot
  rows[]                        a row for each linker, in order of turns:
    name, about, linker         who it is; "linker" is what results must say
    version, program, args      which one, and what x adds to its arguments
    runs[].final, .helpers      count, wall_s, cpu_s, peak.{bytes,bound}, bytes
    runs[].build                the same of the whole command
    median, ratio, spread       of runs
    error                       why there are no runs
  left_out[]                    name, reason
--from prints a saved answer again, as a table or a chart.

Exit status: 0 done, 1 a linker or the command failed, 2 wrong usage.`,
		Example: `  x bench link -- cargo build
  x bench link --clean --rounds 5 -- cargo build --release
  x bench link --only bfd,lld,mold --svg links.svg -- cargo test --no-run
  x bench link --sysroot build/host/stage2 -- cargo build
  x bench link --dry-run -- cargo +nightly build
  x bench link --from report.json --baseline lld`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.from != "" {
				return a.benchLinkReplay(cmd, args, f)
			}
			return a.benchLink(cmd, args, f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.incremental, "incremental", false, "build once, then only what is linked last (the default)")
	flags.BoolVar(&f.clean, "clean", false, "build everything in each run")
	flags.IntVar(&f.rounds, "rounds", 3, "run each linker this `number` of times")
	flags.StringVar(&f.only, "only", "", "compare only these comma-separated `linkers`")
	flags.StringVar(&f.baseline, "baseline", "bfd", "take ratios to this `linker`")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop a command that runs longer than this `time`, such as 30m (default never)")
	flags.StringVar(&f.svg, "svg", "", "also draw the times into this `file`")
	flags.StringVar(&f.from, "from", "", "print the saved answer in this JSON `file`, and measure nothing")
	complete(cmd, "only", linkbench.Names()...)
	complete(cmd, "baseline", linkbench.Names()...)
	hideGlobals(cmd, "config", "set", "build-dir", "verbose", "jobs")
	return cmd
}

// benchLink measures and prints.
func (a *app) benchLink(cmd *cobra.Command, args []string, f benchLinkFlags) error {
	if len(args) == 0 || cmd.ArgsLenAtDash() != 0 {
		return usagef("the command to measure comes after --: x bench link -- cargo build")
	}
	if f.clean && f.incremental {
		return usagef("--clean and --incremental exclude each other: drop one")
	}
	o, err := a.benchLinkOptions(cmd, args, f)
	if err != nil {
		return err
	}
	if a.flags.dryRun {
		report, err := linkbench.Plan(cmd.Context(), o)
		if err != nil {
			return benchUsage(err)
		}
		return a.printBenchLinkPlan(report)
	}
	report, err := a.measureLinks(cmd.Context(), o)
	if failed, ok := errors.AsType[*linkbench.BuildError](err); ok && failed.Output != "" {
		fmt.Fprintln(a.Stderr, dist.Printable(failed.Output))
	}
	if err != nil {
		return benchUsage(err)
	}
	return a.printComparison(report, benchLinkText(report), f.svg)
}

// measureLinks runs the comparison and shows how far it is.
func (a *app) measureLinks(ctx context.Context, o linkbench.Options) (linkbench.Report, error) {
	p := a.newProgress()
	defer p.close()
	o.Notify = p.measuring()
	o.Note = func(text string) { fmt.Fprintf(p.out, "x: %s\n", dist.OneLine(text)) }
	return linkbench.Run(ctx, o)
}

// benchLinkOptions are the flags and arguments in the words of package linkbench.
func (a *app) benchLinkOptions(cmd *cobra.Command, args []string, f benchLinkFlags) (linkbench.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return linkbench.Options{}, fmt.Errorf("finding this program: %w", err)
	}
	o := linkbench.Options{
		Command: args, Dir: a.Dir, Env: a.Env, X: self, Mode: linkbench.Incremental,
		Sysroot: a.sysroot(), Only: commaList(f.only), Rounds: f.rounds, Timeout: f.timeout,
	}
	if f.clean {
		o.Mode = linkbench.Clean
	}
	if cmd.Flags().Changed("baseline") {
		o.Baseline = f.baseline
	}
	if err := o.Check(); err != nil { // before files of cargo are read
		return o, benchUsage(err)
	}
	programs, err := explain.CargoPrograms(a.explainOptions(""), configArgs(args))
	if err != nil {
		return o, questionError(err)
	}
	o.Rustc, o.Wrapper = programs.Rustc, programs.Wrapper
	return o, nil
}

// configArgs are the values of --config among cargo's arguments.
func configArgs(args []string) []string {
	var out []string
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			out = append(out, value)
		} else if arg == "--config" && i+1 < len(args) {
			out = append(out, args[i+1])
		}
	}
	return out
}

// benchLinkReplay prints an earlier answer.
func (a *app) benchLinkReplay(cmd *cobra.Command, args []string, f benchLinkFlags) error {
	if len(args) > 0 {
		return usagef("--from prints a saved answer and runs nothing: drop the command, or --from")
	}
	data, err := bootstrap.ReadConfigFile(a.path(f.from))
	if err != nil {
		return usagef("reading report: %w", err)
	}
	report, err := linkbench.ParseReport(data)
	if err != nil {
		return usagef("reading report %q: %w", f.from, err)
	}
	if cmd.Flags().Changed("baseline") {
		report.Rate(f.baseline)
	}
	return a.printComparison(report, benchLinkText(report), f.svg)
}

// printBenchLinkPlan prints what would be run, and with which linkers.
func (a *app) printBenchLinkPlan(r linkbench.Report) error {
	if a.flags.json {
		return a.printJSON(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n", strings.Join(quoteAll(r.Command), " "), plural(r.Rounds, "round"), r.Mode)
	fmt.Fprintf(&b, "rustc %s on %s in %s\n", r.Toolchain.Release, r.Toolchain.Host, r.Toolchain.Sysroot)
	for _, row := range r.Rows {
		words := append([]string{row.Program}, row.Args...)
		fmt.Fprintf(&b, "%-14s %s: %s, version %s\n", row.Name, strings.Join(quoteAll(words), " "), row.About, dashed(row.Version))
	}
	for _, l := range r.LeftOut {
		fmt.Fprintf(&b, "%-14s left out: %s\n", l.Name, dist.OneLine(l.Reason))
	}
	return a.print(b.String())
}

// dashed is text, or a dash for none.
func dashed(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// partNames are the parts of a run in the table.
var partNames = map[linkbench.Part]string{
	linkbench.Final: "LINK", linkbench.Helpers: "LINKS FOR THE BUILD", linkbench.Build: "COMMAND",
}

// benchLinkText is the report to people.
func benchLinkText(r linkbench.Report) string {
	var b strings.Builder
	rounds := "one round"
	if r.Rounds > 1 {
		rounds = fmt.Sprintf("medians of %d rounds", r.Rounds)
	}
	fmt.Fprintf(&b, "%s\n", strings.Join(r.Machine.Facts("rustc "+r.Toolchain.Release), ", "))
	fmt.Fprintf(&b, "%s: %s, %s, ratios to %s\n", dist.OneLine(strings.Join(quoteAll(r.Command), " ")), r.Mode, rounds, r.Baseline)
	for _, p := range r.Parts() {
		b.WriteString("\n")
		head := []string{partNames[p], "WALL s", "RATIO", "SPREAD", "CPU s", "RATIO", "SPREAD"}
		if p != linkbench.Build {
			head = append(head, "MEMORY MiB", "BYTES", "RATIO", "LINKS")
		}
		rows := [][]string{head}
		for _, row := range r.Rows {
			rows = append(rows, linkCells(row, p)[:len(head)])
		}
		writeColumns(&b, rows)
	}
	if failed := slices.IndexFunc(r.Rows, func(row linkbench.Row) bool { return row.Error == "" }); failed < 0 {
		b.WriteString("\nno linker has figures\n")
	}
	return b.String()
}

// linkCells are the cells of a row: dashes if it failed.
func linkCells(r linkbench.Row, p linkbench.Part) []string {
	cells := []string{strings.TrimSpace(r.Name + " " + r.Version), "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"}
	f := r.Median.Of(p)
	if len(r.Runs) == 0 || f.Count == 0 {
		return cells
	}
	cells[1], cells[4], cells[7] = fmt.Sprintf("%.3f", f.Wall), fmt.Sprintf("%.3f", f.CPU), memoryText(f.Peak)
	cells[8], cells[10] = thousands(f.Bytes), fmt.Sprint(f.Count)
	if r.Spread != nil {
		s := r.Spread.Of(p)
		cells[3], cells[6] = percent(s.Wall), percent(s.CPU)
	}
	if r.Ratio != nil {
		ratio := r.Ratio.Of(p)
		cells[2], cells[5], cells[9] = fmt.Sprintf("%.2f", ratio.Wall), fmt.Sprintf("%.2f", ratio.CPU), fmt.Sprintf("%.3f", ratio.Size)
	}
	return cells
}

// percent prints a part of one.
func percent(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) }
