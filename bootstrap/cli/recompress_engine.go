package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"x.go/dist/recompress"
	"x.go/dist/recompress/engine"
)

// engineFlags are the flags of x recompress engine.
type engineFlags struct {
	engine.Options
	plan, tasks, memory string
}

func (a *app) recompressEngineCommand() *cobra.Command {
	var f engineFlags
	cmd := &cobra.Command{
		Use:   "engine slurm|kubernetes|github|gitlab",
		Short: "Print the job by which an engine does the tasks of a plan",
		Long: `Print the job by which an engine does the tasks of a plan: an array for sbatch, an
Indexed Job for Kubernetes, a workflow for GitHub Actions or GitLab CI. Memory and time
are those of the largest task, the time four times the estimate and ten minutes. A task
of a lost machine runs again; one that was done is found in the store.

To give large tasks other machines than small ones, print two jobs: --tasks 0-19 and
--tasks 20-: the longest tasks are the first.

--plan is read here, and workers look for it under the same name, or that of --plan-at.
Paths are those of the workers. A job has numbers of tasks, and nothing else of the plan.`,
		Example: `  x recompress engine slurm --plan plan.json --store /srv/kept
  x recompress engine slurm --plan p.json --store kept --directive=--account=x
  x recompress engine kubernetes --plan p.json --store s3://kept --image x:1
  x recompress engine github --plan p.json --store s3://kept --secret AWS_REGION
  x recompress engine gitlab --plan p.json --store s3://kept --image x:1`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("got %s, want the name of an engine: %s", plural(len(args), "argument"), strings.Join(engine.Names(), ", "))
			}
			return nil
		},
		ValidArgs: engine.Names(),
		RunE:      func(cmd *cobra.Command, args []string) error { return a.recompressEngine(cmd.Context(), args[0], f) },
	}
	addPlanPlace(cmd, &f.plan, &f.Store)
	f.add(cmd)
	hideGlobals(cmd, "config", "set", "sysroot", "build-dir", "jobs", "dry-run", "json", "quiet", "verbose")
	return cmd
}

// add adds the flags of a job's values.
func (f *engineFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Plan, "plan-at", "", "where workers find the plan: a `path`, or a file in a store (default that of --plan)")
	flags.StringVar(&f.From, "from", "", "where workers find the inputs: a `directory` or a store (default as the plan says)")
	flags.StringVar(&f.Out, "out", "release", "the `directory` in which the release is collected")
	flags.StringVar(&f.tasks, "tasks", "", "only the tasks of this `range`, such as 0-19 or 20- (default all)")
	flags.StringVar(&f.X, "x", "x", "the `program` x on the workers")
	flags.StringVar(&f.Name, "name", "x-recompress", "`name` of the job")
	flags.StringVar(&f.memory, "memory", "", "`bytes` of memory of a task, such as 4GiB (default the most that one takes)")
	flags.IntVar(&f.Minutes, "minutes", 0, "`number` of minutes that a task may take")
	flags.IntVar(&f.CPUs, "cpus", 0, "`number` of processors of a task (default as planned)")
	flags.IntVar(&f.Parallel, "parallel", 0, "the `number` of tasks that run at a time (default what the engine does)")
	flags.IntVar(&f.Retries, "retries", 3, "try a task so many `times` again, at most 2 in GitLab; Slurm and GitHub do not count")
	flags.IntVar(&f.Limit, "limit", 0, "the `number` of tasks in an array or a matrix (default 1000 in Slurm, 256 in GitHub, 200 in GitLab)")
	flags.StringArrayVar(&f.Env, "env", nil, "set the variable `NAME=VALUE`; may be repeated")
	flags.StringArrayVar(&f.Secrets, "secret", nil, "set the variable `NAME` to the engine's secret of that name; may be repeated")
	flags.StringArrayVar(&f.Directives, "directive", nil, "another `option` of sbatch, such as --partition=big; may be repeated")
	flags.StringVar(&f.Setup, "setup", "", "run this `command` before x")
	flags.StringVar(&f.Image, "image", "", "the container `image` with x, for kubernetes and gitlab")
	flags.StringVar(&f.Namespace, "namespace", "", "the `namespace` in Kubernetes")
	flags.StringVar(&f.Claim, "claim", "", "the persistent volume claim of this `name` is mounted at --mount in Kubernetes")
	flags.StringVar(&f.Mount, "mount", "", "the `path` of the volume of --claim")
	flags.StringVar(&f.Runner, "runner", "", "the `label` of the runners of GitHub (default ubuntu-latest), or the tag of GitLab")
}

func (a *app) recompressEngine(ctx context.Context, name string, f engineFlags) error {
	if f.Plan == "" {
		f.Plan = f.plan
	}
	var terr, merr error
	f.First, f.Last, terr = taskRange(f.tasks)
	f.Memory, merr = sizeFlag("memory", f.memory)
	if err := errors.Join(terr, merr); err != nil {
		return usage(err)
	}
	if f.plan == "" || f.Store == "" {
		return usagef("want --plan and --store")
	}
	t, err := recompress.ReadTasks(ctx, f.plan, a.Dir)
	if err != nil {
		return err
	}
	text, err := engine.Print(name, t, f.Options)
	if err != nil {
		return usage(err)
	}
	if _, err := a.Stdout.Write(text); err != nil {
		return fmt.Errorf("printing the job: %w", err)
	}
	return nil
}

// taskRange reads 3-7, 3- or 3; "" is all. A negative end is the last task.
func taskRange(text string) (first, last int, err error) {
	if text == "" {
		return 0, -1, nil
	}
	from, to, isRange := strings.Cut(text, "-")
	first, err = strconv.Atoi(from)
	last = first
	if isRange {
		last = -1
		if to != "" && err == nil {
			last, err = strconv.Atoi(to)
		}
	}
	if err != nil || first < 0 || isRange && to != "" && last < first {
		return 0, 0, fmt.Errorf("reading --tasks: got %.40q, want a range such as 0-19 or 20-", text)
	}
	return first, last, nil
}
