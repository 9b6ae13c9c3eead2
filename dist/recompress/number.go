package recompress

import (
	"fmt"
	"strconv"
	"strings"
)

// MatrixVar is the variable in which the matrix of a CI system gives the number of a
// task.
const MatrixVar = "X_RECOMPRESS_TASK"

// indexVars are the variables in which engines say which of many jobs one is, and the
// number of the first.
var indexVars = []struct {
	name  string
	first int
}{
	{MatrixVar, 0},
	{"SLURM_ARRAY_TASK_ID", 0},
	{"JOB_COMPLETION_INDEX", 0},   // of a Kubernetes Job of mode Indexed
	{"CI_NODE_INDEX", 1},          // GitLab's parallel: docs.gitlab.com/ci/variables/predefined_variables
	{"BUILDKITE_PARALLEL_JOB", 0}, // buildkite.com/docs/pipelines/configure/environment-variables
}

// NumberFromEnv returns the number of the task that an engine's variable names, from
// 0. Several may be set if they agree.
func NumberFromEnv(getenv func(string) string) (int, error) {
	var names, said []string
	number := -1
	for _, v := range indexVars {
		names = append(names, v.name)
		text := getenv(v.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < v.first || n > maxTasks || text != strconv.Itoa(n) {
			return 0, fmt.Errorf("reading %s: got %.40q, want a number from %d", v.name, text, v.first)
		}
		n -= v.first
		said = append(said, fmt.Sprintf("%s is %s", v.name, text))
		if len(said) > 1 && n != number {
			return 0, fmt.Errorf("finding the number of the task: %s, which are different tasks: name one with --task N", strings.Join(said, " and "))
		}
		number = n
	}
	if len(said) == 0 {
		return 0, fmt.Errorf("finding the number of the task: none of %s is set: name it with --task N", strings.Join(names, ", "))
	}
	return number, nil
}
