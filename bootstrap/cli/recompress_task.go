package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/dist/archive"
	"x.go/dist/recompress"
	"x.go/dist/store"
)

// taskFlags are the flags of x recompress task.
type taskFlags struct {
	plan, task, store, from, temp string
	first                         int
	check, readBack               bool
}

// addPlanPlace adds the flags that name a plan and a store.
func addPlanPlace(cmd *cobra.Command, plan, place *string) {
	flags := cmd.Flags()
	flags.StringVar(plan, "plan", "", "do the work of this `file`, of x recompress plan, which may lie in a store: s3://BUCKET/plan.json")
	flags.StringVar(place, "store", "", "outputs are kept in this `store`: a directory, file:///PATH or s3://BUCKET/PREFIX")
	cobra.CheckErr(cmd.MarkFlagFilename("plan", "json"))
	cobra.CheckErr(cmd.MarkFlagDirname("store"))
}

func (a *app) recompressTaskCommand() *cobra.Command {
	var f taskFlags
	cmd := &cobra.Command{
		Use:   "task",
		Short: "Do one task of a planned recompression",
		Long: `Do one task of a planned recompression: read its input, compress it, and put it into the
store. The key there is made of the digest of the
tar stream, that of the settings and the version of the compressor. So what was done
for any plan is found with one request, and nothing is done: after a kill, in another
copy of the task, or for the next release.

--task auto takes the number from the engine: ` + recompress.MatrixVar + `,
SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX (Kubernetes), CI_NODE_INDEX (GitLab, which
counts from 1) or BUILDKITE_PARALLEL_JOB. If several are set, they must agree.

A directory notes no digests, so what is found there is read and compared with the
digest beside it; for a bucket, --check does that. What is damaged is said, done again
and replaced.

Each archive is decoded, and compared with the digest of its tar stream, once: by
x recompress collect, or by an x dist --store that takes it before. --read-back does that
here, too, so that an error of the processor or the memory fails its own task.`,
		Example: `  x recompress task --plan plan.json --task 0 --store /srv/kept
  x recompress task --plan plan.json --task auto --store s3://rust-kept
  x recompress task --plan s3://ci/plan.json --task auto --from ci --store kept`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.recompressTask(cmd.Context(), f) },
	}
	addPlanPlace(cmd, &f.plan, &f.store)
	flags := cmd.Flags()
	flags.StringVar(&f.task, "task", "", "do the task of this `number`, from 0, or auto")
	flags.IntVar(&f.first, "first", 0, "with --task auto: the `number` of the first task of the engine's array")
	flags.StringVar(&f.from, "from", "", "read the input in this `place`, a directory or a store (default where it was planned)")
	flags.StringVar(&f.temp, "temp", "", "keep what is not complete in this `directory` (default that of the system)")
	flags.BoolVar(&f.check, "check", false, "read what a bucket has, too, and replace what is damaged")
	flags.BoolVar(&f.readBack, "read-back", false, "decode what was compressed here, too: x recompress collect does in any case, and names what is wrong")
	complete(cmd, "task", "auto")
	cobra.CheckErr(cmd.MarkFlagDirname("from"))
	cobra.CheckErr(cmd.MarkFlagDirname("temp"))
	hideGlobals(cmd, "config", "set", "sysroot", "build-dir", "dry-run")
	return cmd
}

// openTasks reads the plan and opens the store that flags name.
func (a *app) openTasks(ctx context.Context, plan, place string) (*recompress.Tasks, *store.Store, error) {
	if plan == "" || place == "" {
		return nil, nil, usagef("want --plan and --store")
	}
	t, err := recompress.ReadTasks(ctx, plan, a.Dir)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.openStore(ctx, place)
	return t, s, err
}

// number returns the number of the task.
func (f taskFlags) number(getenv func(string) string) (int, error) {
	if f.task == "auto" {
		n, err := recompress.NumberFromEnv(getenv)
		if f.first < 0 {
			err = fmt.Errorf("reading --first: got %d, want a number from 0", f.first)
		}
		return n + f.first, err
	}
	n, err := strconv.Atoi(f.task)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("reading --task: got %.40q, want a number from 0, or auto", f.task)
	}
	return n, nil
}

func (a *app) recompressTask(ctx context.Context, f taskFlags) error {
	number, err := f.number(a.getenv)
	if err != nil {
		return usage(err)
	}
	t, s, err := a.openTasks(ctx, f.plan, f.store)
	if err != nil {
		return err
	}
	defer s.Close()
	p := a.newProgress()
	defer p.close()
	p.writer = archive.Writer{Jobs: t.Settings.Jobs}
	if number < len(t.Tasks) {
		a.limitMemory(t.Tasks[number].Memory)
	}
	done, err := t.Perform(ctx, number, recompress.PerformOptions{
		Store: s, From: f.from, Dir: a.Dir, Temp: a.path(f.temp), Jobs: a.flags.jobs, Check: f.check, ReadBack: f.readBack, Progress: p.packing,
	})
	p.close()
	for _, text := range done.Damaged {
		a.progressf("x: warning: %s: it is made again", text)
	}
	if err != nil {
		return err
	}
	if a.flags.json {
		return a.printJSON(done)
	}
	for _, o := range done.Outputs {
		action := bootstrap.Action{Verb: "keep", Object: o.Name, Detail: bootstrap.FormatSize(o.Size) + " as " + o.Key}
		if o.Found {
			action = bootstrap.Action{Verb: "find", Object: o.Name, Detail: "as " + o.Key}
		}
		if _, err := fmt.Fprintln(a.Stdout, action); err != nil {
			return fmt.Errorf("printing the answer: %w", err)
		}
	}
	return nil
}
