package engines

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// indexedJob is what a Job has here of batch/v1 of Kubernetes (k8s.io/api/batch/v1 and
// core/v1, types.go), with the API's names and types.
type indexedJob struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Spec       struct {
		CompletionMode       string `yaml:"completionMode"`
		Completions          *int32
		Parallelism          *int32
		BackoffLimitPerIndex *int32 `yaml:"backoffLimitPerIndex"`
		PodFailurePolicy     struct {
			Rules []struct {
				Action      string
				OnExitCodes *struct {
					ContainerName string `yaml:"containerName"`
					Operator      string
					Values        []int32
				} `yaml:"onExitCodes"`
				OnPodConditions []struct{ Type, Status string } `yaml:"onPodConditions"`
			}
		} `yaml:"podFailurePolicy"`
		Template struct {
			Spec struct {
				RestartPolicy         string `yaml:"restartPolicy"`
				ActiveDeadlineSeconds *int64 `yaml:"activeDeadlineSeconds"`
				Containers            []struct {
					Name, Image   string
					Command, Args []string
					Env           []struct {
						Name, Value string
						ValueFrom   *struct {
							SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
						} `yaml:"valueFrom"`
					}
					Resources    struct{ Requests, Limits map[string]string }
					VolumeMounts []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct {
					Name                  string
					EmptyDir              *struct{} `yaml:"emptyDir"`
					PersistentVolumeClaim *struct {
						ClaimName string `yaml:"claimName"`
					} `yaml:"persistentVolumeClaim"`
				}
			}
		}
	}
}

// workflow is what GitHub's has here (docs.github.com, workflow syntax).
type workflow struct {
	Name        string
	On          map[string]struct{}
	Permissions map[string]string
	Env         map[string]string
	Jobs        map[string]struct {
		RunsOn         string `yaml:"runs-on"`
		TimeoutMinutes int    `yaml:"timeout-minutes"`
		Needs          []string
		Strategy       struct {
			FailFast    *bool `yaml:"fail-fast"`
			MaxParallel int   `yaml:"max-parallel"`
			Matrix      struct{ Task []int }
		}
		Steps []struct {
			Uses, Run string
			With, Env map[string]string
		}
	}
}

// pipelineJob is what a job of GitLab has here (docs.gitlab.com/ci/yaml).
type pipelineJob struct {
	Stage    string
	Parallel int
	Timeout  string
	Retry    struct {
		Max  int
		When []string
	}
	Script    []string
	Artifacts struct{ Paths []string }
}

// pipeline is the same of a whole file with two batches.
type pipeline struct {
	Stages  []string
	Default struct {
		Image        string
		Tags         []string
		BeforeScript []string `yaml:"before_script"`
	}
	Variables map[string]string
	First     pipelineJob `yaml:"recompress-0"`
	Second    pipelineJob `yaml:"recompress-1"`
	Collect   pipelineJob
}

// strictly decodes YAML, in which nothing may be unknown.
func strictly(t *testing.T, text string, v any) {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// planned creates a directory with the archives ci and their plan, and the release
// that one machine makes of them.
func planned(t *testing.T, count int) string {
	t.Helper()
	dir := t.TempDir()
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "ci"), 0o755))
	for i := range count {
		var text bytes.Buffer
		for line := range 2000 {
			fmt.Fprintf(&text, "%d of %d\n", line*(i+3), i)
		}
		testenv.Must(t, os.WriteFile(filepath.Join(dir, "file"), text.Bytes(), 0o644))
		cmd := exec.Command(testenv.Need(t, "tar"), "--mtime=@1", "-czf", fmt.Sprintf("ci/a%d.tar.gz", i), "file")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	planAndMake(t, dir)
	return dir
}

// planAndMake makes the plan of the archives in ci, and the release of one machine.
func planAndMake(t *testing.T, dir string) {
	t.Helper()
	runx.Must(t, dir, nil, "recompress", "plan", "--formats", "xz", "--profile", "fast", "--out", "plan.json", "ci")
	runx.Must(t, dir, nil, "recompress", "--formats", "xz", "--profile", "fast", "--out", "one", "ci")
}

// plannedReal is planned for archives of real files: the libraries of a toolchain, the
// largest of those that take no more than about a second each.
func plannedReal(t *testing.T, count int) string {
	t.Helper()
	libs, err := filepath.Glob(filepath.Join(testenv.Sysroot(t, "stable"), "lib/rustlib/*/lib/*.rlib"))
	testenv.Must(t, err)
	size := func(lib string) int64 {
		info, err := os.Stat(lib)
		testenv.Must(t, err)
		return info.Size()
	}
	const most = 8 << 20 // bytes
	libs = slices.DeleteFunc(libs, func(lib string) bool { return size(lib) > most })
	slices.SortFunc(libs, func(a, b string) int { return cmp.Or(cmp.Compare(size(b), size(a)), cmp.Compare(a, b)) })
	if len(libs) < count {
		testenv.Missing(t, "a toolchain with %d libraries: got %d", count, len(libs))
	}
	dir := t.TempDir()
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "ci"), 0o755))
	for i, lib := range libs[:count] {
		cmd := exec.Command(testenv.Need(t, "tar"), "--mtime=@1", "-czf", filepath.Join(dir, "ci", fmt.Sprintf("a%d.tar.gz", i)), "-C", filepath.Dir(lib), filepath.Base(lib))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	planAndMake(t, dir)
	return dir
}

// shell runs a command line as an engine does.
func shell(t *testing.T, dir string, env []string, line string) {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", line)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// compare compares the collected release with that of one machine.
func compare(t *testing.T, dir string) {
	t.Helper()
	for _, name := range testenv.List(t, filepath.Join(dir, "one")) {
		if strings.HasPrefix(name, ".") {
			continue
		}
		want, err := os.ReadFile(filepath.Join(dir, "one", name))
		testenv.Must(t, err)
		got, err := os.ReadFile(filepath.Join(dir, "release", name))
		testenv.Must(t, err)
		if !bytes.Equal(want, got) {
			t.Errorf("%s: the release has other bytes than that of one machine", name)
		}
	}
}

func engine(t *testing.T, dir, place, name string, args ...string) string {
	t.Helper()
	return runx.Must(t, dir, nil, append([]string{"recompress", "engine", name, "--plan", "plan.json", "--store", place}, args...)...).Stdout
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	dir := planned(t, 3)
	var job indexedJob
	text := engine(t, dir, "kept store", "kubernetes", "--image", "x:1", "--name", "195", "--namespace", "1", "--env", "NO=$(HOME)", "--secret", "Y", "--claim", "data", "--mount", "/srv")
	testenv.Must(t, readSchema(t).checkJob(text))
	strictly(t, text, &job)
	spec := job.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "Job" || spec.CompletionMode != "Indexed" || *spec.Completions != 3 || *spec.BackoffLimitPerIndex != 3 ||
		spec.Template.Spec.RestartPolicy != "Never" || len(spec.PodFailurePolicy.Rules) != 2 || spec.PodFailurePolicy.Rules[1].OnExitCodes.Values[0] != 2 {
		t.Errorf("got %+v", job)
	}
	c := spec.Template.Spec.Containers[0]
	if c.Resources.Requests["memory"] == "" || c.Resources.Requests["memory"] != c.Resources.Limits["memory"] || c.Resources.Requests["cpu"] != "1" {
		t.Errorf("got resources %+v", c.Resources)
	}
	for index := range *spec.Completions {
		cmd := exec.Command(c.Command[0], append(c.Command[1:], c.Args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), fmt.Sprintf("JOB_COMPLETION_INDEX=%d", index))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
	runx.Must(t, dir, nil, "recompress", "collect", "--plan", "plan.json", "--store", "kept store", "--out", "release")
	compare(t, dir)
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	dir := planned(t, 5)
	var w workflow
	strictly(t, engine(t, dir, "kept store", "github", "--limit", "3", "--env", "A=b", "--secret", "KEY", "--setup", "true"), &w)
	if len(w.Jobs) != 3 || len(w.Jobs["recompress-0"].Strategy.Matrix.Task) != 3 || len(w.Jobs["recompress-1"].Strategy.Matrix.Task) != 2 || len(w.Jobs["collect"].Needs) != 2 {
		t.Errorf("got %+v", w.Jobs)
	}
	temp := t.TempDir()
	for _, name := range []string{"recompress-0", "recompress-1", "collect"} {
		tasks := w.Jobs[name].Strategy.Matrix.Task
		if tasks == nil {
			tasks = []int{0}
		}
		for _, n := range tasks {
			for _, step := range w.Jobs[name].Steps {
				var env []string
				for key, value := range step.Env {
					env = append(env, key+"="+strings.NewReplacer("${{ matrix.task }}", fmt.Sprint(n), "${{ runner.temp }}", temp).Replace(value))
				}
				shell(t, dir, env, step.Run)
			}
		}
	}
	compare(t, dir)
}

func TestGitLab(t *testing.T) {
	t.Parallel()
	dir := planned(t, 4)
	var p pipeline
	strictly(t, engine(t, dir, "kept store", "gitlab", "--limit", "3", "--image", "x:1", "--env", "A=b"), &p)
	if p.First.Parallel != 3 || p.Second.Parallel != 0 || p.First.Retry.Max != 2 {
		t.Errorf("got %+v", p)
	}
	for index := 1; index <= p.First.Parallel; index++ {
		shell(t, dir, []string{fmt.Sprintf("CI_NODE_INDEX=%d", index), "CI_NODE_TOTAL=3"}, p.First.Script[0])
	}
	shell(t, dir, nil, p.Second.Script[0])
	shell(t, dir, nil, p.Collect.Script[0])
	compare(t, dir)
}
