package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist/bench"
	"x.go/dist/measure"
)

func (a *app) benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bench",
		Short:   "Measure x against other programs on this machine",
		Long:    `Measure x against other programs, on the machine and the files that matter to you.`,
		Example: "  x bench compress\n  x bench link -- cargo build",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.benchCompressCommand(), a.benchLinkCommand(), a.benchCoderCommand())
	return cmd
}

// benchFlags are the flags of x bench compress.
type benchFlags struct {
	peers, only, baseline string
	rounds                int
	timeout               time.Duration
	bcj, decode           bool
	svg, from             string
}

func (a *app) benchCompressCommand() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "compress [file...]",
		Short: "Measure x's compression against xz, 7zz, zstd, gzip and pigz",
		Long: `Compress files with each profile of x and with the programs that are installed.
Compare sizes, times, processor time and memory. Without a file, the input is a
tar archive of the toolchain's cargo. A .tar.xz, .tar.gz or .tar.zst is
decompressed first; any other file is taken as it is.

The programs take turns: each round runs every program once. Each is a child
process that reads the same file with --jobs threads, x's own coders too. Its
figures count only after its output was decoded, by its own decoder if it has one,
and found equal to the input.

The table has medians. RATIO is to the --baseline. SPREAD is the slowest run less
the fastest, as a part of the median. DECODER is the memory that decoding took. A
"<" marks an upper bound: the kernel starts counting a process at the memory of
the one that started it.

With --json, the answer has everything that was measured:
  schema                             1
  machine                            cpu, cores, memory, os, arch, go, load
  programs                           name and version of each program
  jobs, rounds, baseline             as given
  results[].input                    name, bytes, sha256, note
  results[].encode[], .decode[]      a row for each program, in order of turns:
    name, tool, level, format, ours  who it is; "of" is the file that it decodes
    command                          what one types to run it
    runs[]                           wall_s, cpu_s, peak.{bytes,bound}, bytes
    median, ratio                    of runs; ratio.size, .wall, .cpu, .peak
    checked_by, decoder_peak         who decoded the output, and its memory
    error                            why there are no runs
--from prints a saved answer again, as a table or a chart.

Exit status: 0 done, 1 a program failed or its output was wrong, 2 wrong usage.`,
		Example: `  x bench compress
  x bench compress --rounds 5 --bcj --decode rustc.tar rust-std.tar
  x bench compress --peers xz,zstd --svg sizes.svg build/dist/rust-std-*.tar.xz
  x bench compress --only 'x xz fast,xz -1' --baseline 'xz -1'
  x bench compress --json > report.json
  x bench compress --from report.json --svg sizes.svg`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.from != "" {
				return a.benchReplay(cmd, args, f)
			}
			return a.benchCompress(cmd, args, f)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.rounds, "rounds", 3, "run each program this `number` of times")
	flags.StringVar(&f.peers, "peers", "", "compare with these comma-separated `programs`: xz, 7zz, zstd, gzip, pigz (default all)")
	flags.StringVar(&f.only, "only", "", "run only these comma-separated `rows`: names as in the table, their programs, or x")
	flags.StringVar(&f.baseline, "baseline", "xz -9", "take ratios to this `row`")
	flags.BoolVar(&f.bcj, "bcj", false, "also run the profile best with the branch filter, if the input has machine code")
	flags.BoolVar(&f.decode, "decode", false, "also compare decoders, on the .xz file that x wrote")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop a program that runs longer than this `time`, such as 30m (default never)")
	flags.StringVar(&f.svg, "svg", "", "also draw sizes over times into this `file`")
	flags.StringVar(&f.from, "from", "", "print the saved answer in this JSON `file`, and measure nothing")
	complete(cmd, "peers", bench.Tools()...)
	hideGlobals(cmd, "config", "set", "build-dir", "verbose")
	return cmd
}

// benchCompress measures and prints.
func (a *app) benchCompress(cmd *cobra.Command, args []string, f benchFlags) error {
	o, err := a.benchOptions(cmd, args, f)
	if err != nil {
		return err
	}
	if err := o.Check(); err != nil { // before a compiler is asked
		return benchUsage(err)
	}
	if len(args) == 0 {
		src, err := a.cargoSource(cmd.Context())
		if err != nil {
			return err
		}
		o.Sources = []bench.Source{src}
	}
	if a.flags.dryRun {
		report, err := bench.Plan(cmd.Context(), o)
		if err != nil {
			return benchUsage(err)
		}
		return a.printBenchPlan(report)
	}
	p := a.newProgress()
	defer p.close()
	o.Notify = p.measuring()
	o.Note = func(text string) { fmt.Fprintf(p.out, "x: %s\n", text) }
	report, err := bench.Run(cmd.Context(), o)
	if err != nil {
		return benchUsage(err)
	}
	p.close()
	return a.printComparison(report, benchText(report), f.svg)
}

// benchOptions are the flags and arguments in the words of package bench.
func (a *app) benchOptions(cmd *cobra.Command, args []string, f benchFlags) (bench.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return bench.Options{}, fmt.Errorf("finding this program: %w", err)
	}
	v := buildVersion()
	o := bench.Options{
		X: self, Version: strings.TrimSpace(v.Version + " " + v.Commit),
		Peers: commaList(f.peers), Only: commaList(f.only),
		Rounds: f.rounds, Timeout: f.timeout, Jobs: a.flags.jobs, Filter: f.bcj, Decode: f.decode,
		Env: a.Env, Note: func(text string) { a.progressf("x: %s", text) },
	}
	if cmd.Flags().Changed("baseline") {
		o.Baseline = f.baseline
	}
	for _, arg := range args {
		o.Sources = append(o.Sources, bench.Source{Path: a.path(arg)})
	}
	return o, nil
}

// commaList splits the value of a flag, nil for none.
func commaList(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

// benchUsage puts the name of a flag before what is wrong with it.
func benchUsage(err error) error {
	var option *measure.OptionError
	switch {
	case !errors.As(err, &option):
		return err
	case option.Option == "Sources" || option.Option == "Command":
		return usage(option.Err)
	}
	return usagef("reading --%s: %w", strings.ToLower(option.Option), option.Err)
}

// cargoSource is the toolchain's cargo, or what comes nearest where there is none.
func (a *app) cargoSource(ctx context.Context) (bench.Source, error) {
	tc, err := a.toolchain(ctx)
	if err != nil {
		return bench.Source{}, fmt.Errorf("finding a toolchain to compress: %w: or name a file", err)
	}
	for _, name := range []string{"cargo", "rustdoc", "rustc"} {
		path := filepath.Join(tc.Sysroot, "bin", name)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		return bench.Source{
			Path: path, Member: "bin/" + name, Note: fmt.Sprintf("bin/%s of rustc %s for %s", name, tc.Version.Release, tc.Host),
		}, nil
	}
	return bench.Source{}, fmt.Errorf("compressing toolchain %q: it has no program in bin: name a file", tc.Sysroot)
}

// benchReplay prints an earlier answer.
func (a *app) benchReplay(cmd *cobra.Command, args []string, f benchFlags) error {
	if len(args) > 0 {
		return usagef("--from prints a saved answer and takes no files: drop the files, or --from")
	}
	data, err := bootstrap.ReadConfigFile(a.path(f.from))
	if err != nil {
		return usagef("reading report: %w", err)
	}
	report, err := bench.ParseReport(data)
	if err != nil {
		return usagef("reading report %q: %w", f.from, err)
	}
	if cmd.Flags().Changed("baseline") {
		report.Rate(f.baseline)
	}
	return a.printComparison(report, benchText(report), f.svg)
}
