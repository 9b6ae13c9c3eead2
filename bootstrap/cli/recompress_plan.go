package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/recompress"
)

// planFlags are the flags of x recompress plan.
type planFlags struct {
	recompressFlags
	partSize string
	cpus     int
}

func (a *app) recompressPlanCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan file...",
		Short: "Plan a recompression as tasks for many machines",
		Long: `Plan a recompression as tasks for many machines. Inputs are archives, directories,
which stand for the archives directly in them, and stores, such as s3://BUCKET/ci. The
files of one name in several formats are one archive, and one task. Each is read
and decoded once, for the digests.

The plan is JSON: for each task the input, the digest of its tar stream, the outputs
with the digests of their settings and the keys under which a store keeps them, the
memory and the estimated time of one processor. Tasks are numbered from 0, the longest
first. The same words and archives give the same plan on every machine. Relative paths
are kept as they are: tasks look for inputs there, or where --from says.

The time is tar bytes by the speed of each format and profile, as measured for cargo
on one processor. Other machines differ, the proportions less.

--part-size makes several tasks of the .tar.xz of a large archive, which x recompress
collect joins: each is some blocks. Blocks do not see what is before them: for rustc,
blocks of 24 MiB cost 11 %, of 64 MiB 10 %, of 192 MiB nothing, of what one block
with a dictionary of 128 MiB takes.`,
		Example: `  x recompress plan --out plan.json ci
  x recompress plan --formats xz --block-size 192MiB --part-size 192MiB ci
  x recompress plan --out plan.json 's3://rust-ci/nightly?region=eu-west-1'`,
		Args: atLeast(1, "files, directories or stores"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.recompressPlan(cmd.Context(), args, f) },
	}
	f.addSettings(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "write the plan to this `file`, and print a table (default print the plan)")
	flags.StringVar(&f.partSize, "part-size", "", "at most so many `bytes` of a tar stream in a task of .tar.xz: a multiple of --block-size, which is then its default")
	flags.IntVar(&f.cpus, "cpus", 1, "plan for this `number` of processors in each task")
	a.compressFlags(cmd)
	cobra.CheckErr(cmd.MarkFlagFilename("out", "json"))
	hideGlobals(cmd, "sysroot", "build-dir")
	return cmd
}

// splitOptions returns the options of flags and configuration.
func (a *app) splitOptions(f planFlags) (recompress.SplitOptions, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return recompress.SplitOptions{}, err
	}
	part, perr := sizeFlag("part-size", f.partSize)
	if f.blockSize == "" {
		f.blockSize = f.partSize
	}
	r, err := a.recompressOptions(cfg, f.recompressFlags)
	if f.cpus < 1 {
		perr = errors.Join(perr, fmt.Errorf("reading --cpus: got %d, want at least 1", f.cpus))
	}
	if r.BlockSize > 0 && part%r.BlockSize != 0 {
		perr = errors.Join(perr, fmt.Errorf("reading --part-size: got %s, want a multiple of the block size, %d", f.partSize, r.BlockSize))
	}
	if err := errors.Join(err, usage(perr)); err != nil {
		return recompress.SplitOptions{}, usage(err)
	}
	return recompress.SplitOptions{
		Settings: recompress.Settings{
			Formats: r.Formats, Profile: r.Profile, BCJ: r.BCJ.String(), MaxMemory: r.MaxMemory, BlockSize: r.BlockSize, Jobs: f.cpus,
		},
		PartSize: part, Dir: a.Dir, Readers: a.readers(),
	}, nil
}

// readers is how many archives are read at a time.
func (a *app) readers() int {
	if a.flags.jobs > 0 {
		return a.flags.jobs
	}
	return runtime.GOMAXPROCS(0)
}

func (a *app) recompressPlan(ctx context.Context, args []string, f planFlags) error {
	o, err := a.splitOptions(f)
	if err != nil {
		return err
	}
	t, err := recompress.Split(ctx, args, o)
	if err != nil {
		return err
	}
	data, err := t.Encode()
	if err != nil {
		return err
	}
	if f.out == "" || a.flags.json {
		if _, err := a.Stdout.Write(data); err != nil {
			return fmt.Errorf("printing the plan: %w", err)
		}
	}
	if f.out == "" || a.flags.dryRun {
		return nil
	}
	if err := dist.WriteOutput(a.path(f.out), data); err != nil {
		return fmt.Errorf("writing plan %q: %w", f.out, err)
	}
	if a.flags.json {
		return nil
	}
	return a.printTasks(t)
}

// printTasks prints a row for each task, and the sum.
func (a *app) printTasks(t *recompress.Tasks) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "TASK\tOUTPUT\tTAR\tMEMORY\tTIME")
	var total int64
	for n, task := range t.Tasks {
		total += task.Seconds
		for i, o := range task.Outputs {
			if i > 0 {
				fmt.Fprintf(w, "\t%s\t\t\t\n", filepath.Base(o.Name))
				continue
			}
			name, size := o.Name, task.TarSize
			if p := task.Part; p != nil {
				name, size = fmt.Sprintf("%s, part %d of %d", name, p.Index+1, p.Count), p.Size
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", n, name, bootstrap.FormatSize(size), dist.FormatBytes(task.Memory), seconds(task.Seconds))
		}
	}
	fmt.Fprintf(w, "%s\t\t\t\t%s\n", plural(len(t.Tasks), "task"), seconds(total))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the plan: %w", err)
	}
	return nil
}

func seconds(n int64) string { return (time.Duration(n) * time.Second).String() }
