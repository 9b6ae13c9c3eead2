package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap/bench"
	"x.go/dist"
	"x.go/dist/xz"
)

func (a *app) benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bench",
		Short:   "Measure x against other programs on this machine",
		Long:    `Measure x against other programs, on the machine and the files that matter to you.`,
		Example: "  x bench compress",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.benchCompressCommand(), a.benchCoderCommand())
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
  programs                           tool and version of each peer
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
	complete(cmd, "peers", peerTools()...)
	hideGlobals(cmd, "config", "set", "build-dir", "verbose")
	return cmd
}

// benchCompress measures and prints.
func (a *app) benchCompress(cmd *cobra.Command, args []string, f benchFlags) error {
	ctx := cmd.Context()
	if f.rounds < 1 || f.rounds > maxRounds {
		return usagef("reading --rounds: got %d, want 1 to %d", f.rounds, maxRounds)
	}
	if f.timeout < 0 || a.flags.jobs < 0 {
		return usagef("reading --timeout and --jobs: got %s and %d, want neither negative", f.timeout, a.flags.jobs)
	}
	s, err := a.newBenchSession(f)
	if err != nil {
		return err
	}
	if s.dir != "" {
		defer os.RemoveAll(s.dir)
	}
	keep, err := s.selection(cmd, f)
	if err != nil {
		return err
	}
	for _, arg := range args {
		if err := checkBenchFile(a.path(arg)); err != nil {
			return usage(err)
		}
	}
	inputs, err := a.benchInputs(ctx, s, args)
	if err != nil {
		return err
	}
	s.report.Programs = s.programs(ctx, keep)
	for _, in := range inputs {
		result, err := a.benchOne(ctx, s, in, f, keep)
		if err != nil {
			return err
		}
		s.report.Results = append(s.report.Results, result)
	}
	s.report.Rate(s.report.Baseline)
	if a.flags.dryRun {
		return a.printBenchPlan(s.report)
	}
	return a.printBench(s.report, f)
}

// maxRounds is more than anybody waits for; it catches a slip of the keyboard.
const maxRounds = 1000

// benchOne compares on one input.
func (a *app) benchOne(ctx context.Context, s *benchSession, in benchInput, f benchFlags, keep func(bench.Coder) bool) (bench.Result, error) {
	filter := xz.BCJNone
	if f.bcj {
		if filter = in.code; filter == xz.BCJNone {
			a.progressf("x: note: no machine code of x86 or ARM64 at the start of files in %q: leaving out the branch filter", in.Name)
		}
	}
	p := a.newProgress()
	defer p.close()
	b := bench.Bench{
		Encoders: slices.DeleteFunc(s.encoders(filter), func(c bench.Coder) bool { return !keep(c) }),
		Rounds:   f.rounds, Timeout: f.timeout, Env: s.env, Notify: p.measuring(in.Name),
	}
	// Checks run with one thread where they can, as most people unpack: the
	// table shows their memory.
	b.Checks = slices.Clone(s.decoders)
	slices.Reverse(b.Checks)
	for _, format := range []dist.Format{dist.XZ, dist.Zst, dist.GZ} {
		b.Checks = append(b.Checks, s.decoder(format))
	}
	if f.decode {
		b.Decoders = slices.DeleteFunc(slices.Clone(s.decoders), func(c bench.Coder) bool { return c.Format != string(dist.XZ) })
		b.Decoders = append(b.Decoders, s.decoder(dist.XZ))
	}
	if a.flags.dryRun {
		return b.Plan(in.Input), nil
	}
	var err error
	if b.Dir, err = os.MkdirTemp(s.dir, "run-"); err != nil {
		return bench.Result{}, fmt.Errorf("creating a directory for outputs: %w", err)
	}
	defer os.RemoveAll(b.Dir)
	return b.Run(ctx, in.Input)
}

// benchReplay prints an earlier answer.
func (a *app) benchReplay(cmd *cobra.Command, args []string, f benchFlags) error {
	if len(args) > 0 {
		return usagef("--from prints a saved answer and takes no files: drop the files, or --from")
	}
	data, err := readConfigFile(a.path(f.from))
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
	return a.printBench(report, f)
}
