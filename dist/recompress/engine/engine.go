package engine

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"x.go/dist/recompress"
)

// Names are the engines.
func Names() []string { return []string{"slurm", "kubernetes", "github", "gitlab"} }

// Options are the values of a job. Those that are empty follow from the plan.
type Options struct {
	Name  string // of the job; empty means x-recompress
	X     string // the program on the workers; empty means x
	Plan  string // where workers find the plan: a path, or a file in a store
	Store string // where outputs are kept
	From  string // where workers find the inputs; empty means as the plan says
	Out   string // directory of the collected release; empty means release

	First, Last int // the tasks; a negative Last means to the end

	CPUs     int   // processors of a task; 0 means what was planned
	Memory   int64 // bytes of a task; 0 means the most that one takes
	Minutes  int   // that a task may take; 0 means four times the longest, and ten
	Parallel int   // tasks at a time; 0 leaves that to the engine
	Retries  int   // of a task that failed
	Limit    int   // tasks of one array or matrix; 0 means the engine's default

	Env     []string // NAME=VALUE
	Secrets []string // names of variables that the engine keeps secret

	// Directives are more lines of the engine's own: options of sbatch, such as
	// --partition=release.
	Directives []string
	// Image and Namespace are of containers. Claim is a volume that Mount gets.
	Image, Namespace, Claim, Mount string
	// Runner is where CI runs: runs-on of GitHub, a tag of GitLab.
	Runner string
	// Setup is a command that gets x onto a worker.
	Setup string
}

//go:embed *.tmpl
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"yaml": yamlString, "sh": shellWord, "join": strings.Join, "literal": literal,
	"expressions": func(s string) string { return strings.ReplaceAll(s, "${{", "${{ '${{' }}") }, // GitHub replaces ${{ EXPRESSION }}
	"dollars":     func(s string) string { return strings.ReplaceAll(s, "$", "$$") },             // GitLab replaces $NAME in variables
}).ParseFS(files, "*.tmpl"))

// limits are how many jobs an array or a matrix may have.
var limits = map[string]int{
	"slurm":      1000,   // MaxArraySize of slurm.conf is 1001, and no index may reach it
	"kubernetes": 100000, // completions of an Indexed Job: k8s.io/api/batch/v1
	"github":     256,    // docs.github.com/en/actions/reference/limits
	"gitlab":     200,    // docs.gitlab.com/ci/yaml: parallel
}

// batch is an array or a matrix: tasks First to Last.
type batch struct{ First, Last int }

// Count is the number of tasks.
func (b batch) Count() int { return b.Last - b.First + 1 }

// End is the last index of an array that begins at 0.
func (b batch) End() int { return b.Last - b.First }

// Numbers are those of the tasks.
func (b batch) Numbers() []int {
	out := make([]int, 0, b.Count())
	for n := b.First; n <= b.Last; n++ {
		out = append(out, n)
	}
	return out
}

// job is what a template sees.
type job struct {
	Options
	Count   int
	Batches []batch
	MiB     int64 // of a task
	Time    string
}

// Print returns the job of an engine for a plan.
func Print(engine string, t *recompress.Tasks, o Options) ([]byte, error) {
	limit, ok := limits[engine]
	if !ok {
		return nil, fmt.Errorf("printing job: got engine %.40q, want %s", engine, strings.Join(Names(), ", "))
	}
	j, err := newJob(t, o, cmp.Or(o.Limit, limit))
	if err == nil && engine == "kubernetes" && len(j.Batches) > 1 {
		err = fmt.Errorf("got %d tasks, want at most %d: print jobs of some of them", j.Count, cmp.Or(o.Limit, limit))
	}
	// Each pod has the name of the job, and its index, as its host name.
	if last := fmt.Sprintf("%s-%d", j.Name, j.Count-1); err == nil && engine == "kubernetes" && !dnsLabel.MatchString(last) {
		err = fmt.Errorf("got name %.80q, want lower case letters, digits and hyphens, 63 at most in %.80q", j.Name, last)
	}
	if err == nil && (engine == "kubernetes" || engine == "gitlab") && o.Image == "" {
		err = errors.New("got no image: name a container image that has x")
	}
	if err != nil {
		return nil, fmt.Errorf("printing job for %s: %w", engine, err)
	}
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, engine+".tmpl", j); err != nil {
		return nil, fmt.Errorf("printing job for %s: %w", engine, err)
	}
	return b.Bytes(), nil
}

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	jobName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// newJob fills in what follows from the plan, and checks all values.
func newJob(t *recompress.Tasks, o Options, limit int) (job, error) {
	o.Name, o.X, o.Out = cmp.Or(o.Name, "x-recompress"), cmp.Or(o.X, "x"), cmp.Or(o.Out, "release")
	if o.Last < 0 {
		o.Last = len(t.Tasks) - 1
	}
	if o.First < 0 || o.First > o.Last || o.Last >= len(t.Tasks) {
		return job{}, fmt.Errorf("got tasks %d to %d, want some of 0 to %d", o.First, o.Last, len(t.Tasks)-1)
	}
	if o.CPUs < 0 || o.Memory < 0 || o.Minutes < 0 || o.Parallel < 0 || o.Retries < 0 || limit < 1 {
		return job{}, errors.New("got a negative number")
	}
	if err := o.check(); err != nil {
		return job{}, err
	}
	var memory, seconds int64
	for _, task := range t.Tasks[o.First : o.Last+1] {
		memory, seconds = max(memory, task.Memory), max(seconds, task.Seconds)
	}
	o.CPUs = cmp.Or(o.CPUs, t.Settings.Jobs)
	o.Memory = cmp.Or(o.Memory, memory)
	o.Minutes = cmp.Or(o.Minutes, int(math.Ceil(float64(4*seconds)/60))+10)
	j := job{Options: o, Count: o.Last - o.First + 1, MiB: (o.Memory-1)>>20 + 1}
	j.Time = fmt.Sprintf("%02d:%02d:00", o.Minutes/60, o.Minutes%60)
	for at := o.First; at <= o.Last; at += limit {
		j.Batches = append(j.Batches, batch{at, min(at+limit-1, o.Last)})
	}
	return j, nil
}

// check refuses what could not be written into a job as one line.
func (o Options) check() error {
	if o.Plan == "" || o.Store == "" {
		return errors.New("want the place of the plan and a store")
	}
	if !jobName.MatchString(o.Name) {
		return fmt.Errorf("got name %.80q, want letters, digits, dots, hyphens and underscores, 63 at most", o.Name)
	}
	texts := []string{o.X, o.Plan, o.Store, o.From, o.Out, o.Image, o.Namespace, o.Claim, o.Mount, o.Runner, o.Setup}
	for _, text := range append(append(texts, o.Directives...), o.Env...) {
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029' || c == '\u0085' }) {
			return fmt.Errorf("got %.80q, want one line", text)
		}
	}
	for _, d := range o.Directives {
		if !strings.HasPrefix(d, "-") {
			return fmt.Errorf("got directive %.80q, want an option of sbatch, such as --partition=release", d)
		}
	}
	for _, v := range o.Env {
		if name, _, ok := strings.Cut(v, "="); !ok || !variable.MatchString(name) {
			return fmt.Errorf("got variable %.80q, want NAME=VALUE", v)
		}
	}
	for _, name := range o.Secrets {
		if !variable.MatchString(name) {
			return fmt.Errorf("got secret %.80q, want the name of a variable", name)
		}
	}
	if (o.Claim == "") != (o.Mount == "") {
		return errors.New("want a claim and where to mount it, or neither")
	}
	return nil
}

// Vars are the variables as names and values.
func (j job) Vars() [][2]string {
	var out [][2]string
	for _, v := range j.Env {
		name, value, _ := strings.Cut(v, "=")
		out = append(out, [2]string{name, value})
	}
	return out
}

// Sets reports whether a variable is among those of the user.
func (j job) Sets(name string) bool {
	return slices.ContainsFunc(j.Env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
}

// taskArgs are the arguments of x for a task, and those for where inputs and outputs are.
func (j job) taskArgs(task ...string) []string {
	args := append([]string{"recompress", "task", "--plan", j.Plan, "--store", j.Store}, task...)
	if j.From != "" {
		args = append(args, "--from", j.From)
	}
	return args
}

// TaskArgs are the arguments of x for a task of an array that begins at the first task.
func (j job) TaskArgs(first int) []string {
	args := j.taskArgs("--task", "auto", "--first", strconv.Itoa(first))
	for i, a := range args {
		args[i] = literal(a)
	}
	return args
}

// literal keeps Kubernetes from replacing $(NAME) in a text.
func literal(s string) string { return strings.ReplaceAll(s, "$(", "$$(") }

// Command is the command line of a task, for a shell, of an array that begins at a
// task; first is a number or a word of the shell.
func (j job) Command(first string) string {
	return shellWords(append([]string{j.X}, j.taskArgs("--task", "auto")...)) + " --first " + first
}

// One is the command line of the task n.
func (j job) One(n int) string {
	return shellWords(append([]string{j.X}, j.taskArgs("--task", strconv.Itoa(n))...))
}

// Seconds is the time of a task.
func (j job) Seconds() int { return 60 * j.Minutes }

// CollectCommand is the command line that gathers the outputs.
func (j job) CollectCommand() string {
	return shellWords([]string{j.X, "recompress", "collect", "--plan", j.Plan, "--store", j.Store, "--out", j.Out})
}

// shellWords quotes words for a POSIX shell.
func shellWords(words []string) string {
	var out []string
	for _, w := range words {
		out = append(out, shellWord(w))
	}
	return strings.Join(out, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellWord quotes a word for a POSIX shell.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// yamlString quotes a text for YAML, of which strings of JSON are a part.
func yamlString(s any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(fmt.Sprint(s))
	return strings.TrimSpace(b.String()), err
}
