package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/recompress"
)

// planOf has tasks of memory and time that get smaller.
func planOf(n int) *recompress.Tasks {
	t := &recompress.Tasks{Settings: recompress.Settings{Jobs: 2}}
	for i := range n {
		t.Tasks = append(t.Tasks, recompress.Task{Name: "a", Memory: int64(3000-i) << 20, Seconds: int64(1000 - i)})
	}
	return t
}

// TestPrint compares each job with its golden.
// To renew: X_UPDATE=1 go test -run Print ./dist/recompress/engine
func TestPrint(t *testing.T) {
	t.Parallel()
	all := Options{
		Name: "release-1.95", X: "/opt/x/bin/x", Plan: "/srv/it's/plan.json", Store: "s3://kept?endpoint=http://10.0.0.1&use_path_style=true",
		From: "/srv/ci", Out: "out put", First: 1, Last: -1, CPUs: 4, Memory: 5 << 30, Minutes: 90, Parallel: 7, Retries: 1, Limit: 2,
		Env: []string{"A=b ${{ c }} $(d)", "TMPDIR=/scratch"}, Secrets: []string{"AWS_ACCESS_KEY_ID"}, Directives: []string{"--partition=big"},
		Image: "registry.example/x:1", Namespace: "release", Claim: "data", Mount: "/srv", Runner: "large", Setup: `curl -sSf "https://x.example/x" -o x`,
	}
	least := Options{Plan: "plan.json", Store: "/srv/kept", Last: -1, Retries: 3, Image: "x:1"}
	for _, engine := range Names() {
		every := all
		if engine == "kubernetes" {
			every.Limit, every.Name = 0, "release-1-95"
		}
		for name, o := range map[string]Options{"least": least, "all": every} {
			got, err := Print(engine, planOf(6), o)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", engine+"-"+name+".golden")
			if os.Getenv("X_UPDATE") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", golden, diff)
			}
		}
	}
}

func TestPrintErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		engine string
		change func(*Options)
		want   string
	}{
		{"nomad", func(*Options) {}, `got engine "nomad", want slurm, kubernetes, github, gitlab`},
		{"slurm", func(o *Options) { o.Store = "" }, "want the place of the plan and a store"},
		{"slurm", func(o *Options) { o.Store = "a\n#SBATCH --wrap=x" }, "want one line"},
		{"slurm", func(o *Options) { o.Name = "a b" }, "got name"},
		{"slurm", func(o *Options) { o.Directives = []string{"rm -rf"} }, "want an option of sbatch"},
		{"slurm", func(o *Options) { o.Env = []string{"A-B=c"} }, "want NAME=VALUE"},
		{"slurm", func(o *Options) { o.First, o.Last = 4, 6 }, "got tasks 4 to 6, want some of 0 to 5"},
		{"slurm", func(o *Options) { o.CPUs = -1 }, "negative"},
		{"github", func(o *Options) { o.Secrets = []string{"a}}"} }, "want the name of a variable"},
		{"gitlab", func(o *Options) { o.Image = "" }, "got no image"},
		{"kubernetes", func(o *Options) { o.Image = "" }, "got no image"},
		{"kubernetes", func(o *Options) { o.Name = "A" }, "lower case"},
		{"kubernetes", func(o *Options) { o.Name = strings.Repeat("a", 62) }, "63 at most in"}, // with -5
		{"kubernetes", func(o *Options) { o.Mount = "/srv" }, "or neither"},
		{"kubernetes", func(o *Options) { o.Limit = 5 }, "got 6 tasks, want at most 5"},
	} {
		o := Options{Plan: "plan.json", Store: "kept", Last: -1, Image: "x"}
		tt.change(&o)
		if _, err := Print(tt.engine, planOf(6), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.engine, err, tt.want)
		}
	}
}
