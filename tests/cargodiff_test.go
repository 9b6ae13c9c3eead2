package tests

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/explain"
	"x.go/tests/testenv"
)

var (
	cargoCases = flag.Int("cargo.cases", 8, "drawn projects per cargo")
	cargoSeed  = flag.Uint64("cargo.seed", 1, "seed of the projects drawn")
	cargoOnly  = flag.Int("cargo.only", -1, "number of the one project to try")
)

// notedCommand is what cargo gave to rustc, or that it did not come so far.
type notedCommand struct {
	Refused   bool
	Rustc     string
	Target    string
	Args      []string
	Bootstrap string
}

// recordRustc is a RUSTC_WRAPPER that notes the command line with which cargo
// compiles the crate, and does not compile it. Cargo's questions go on.
const recordRustc = `#!/bin/sh
case " $* " in
*" --crate-name probe "*) printf '%s\0' NOTED "$RUSTC_BOOTSTRAP" "$@" >> "$X_NOTE"; exit 1;;
*" --crate-name build_script_build "*) exec "$@" -Clinker=cc;;
esac
exec "$@"
`

// TestCargoDrawn draws projects, and holds the flags that x finds against the
// command line that the real cargo writes. A larger run is
//
//	go test ./tests -run CargoDrawn -cargo.cases 2000 -cargo.seed 7 -timeout 1h
func TestCargoDrawn(t *testing.T) {
	testenv.Long(t, "the real cargo runs for each project")
	testenv.Need(t, "cargo")
	stable, nightly := testenv.Sysroot(t, "stable"), testenv.Sysroot(t, "nightly")
	for _, sysroot := range []string{stable, nightly} {
		t.Run(strings.Split(filepath.Base(sysroot), "-")[0], func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			wrapper := filepath.Join(base, "record")
			testenv.Must(t, os.WriteFile(wrapper, []byte(recordRustc), 0o755))
			numbers := make(chan int)
			var w sync.WaitGroup
			for range runtime.NumCPU() {
				w.Go(func() {
					for n := range numbers {
						drawnCase(t, base, n, sysroot, nightly, wrapper)
					}
				})
			}
			for n := range *cargoCases {
				if *cargoOnly < 0 || n == *cargoOnly {
					numbers <- n
				}
			}
			close(numbers)
			w.Wait()
		})
	}
}

// drawnCase draws and compares one case.
func drawnCase(t *testing.T, base string, n int, sysroot, nightly, wrapper string) {
	dir, err := os.MkdirTemp(base, "")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	draw := cargoDraw{Rand: rand.New(rand.NewPCG(*cargoSeed, uint64(n))), dir: dir, nightly: filepath.Join(nightly, "bin", "rustc")}
	c := draw.next()
	spec, err := exec.Command(filepath.Join(nightly, "bin", "rustc"), "-Zunstable-options", "--print", "target-spec-json", "--target", drawnHost).Output()
	if err != nil {
		t.Error(err)
		return
	}
	writeFiles(t, dir, c.files)
	writeFiles(t, dir, map[string]string{"ws/p/my.json": string(spec), "ws/p/sub/my.json": string(spec)})
	env := []string{"CARGO_HOME=" + filepath.Join(dir, "home"), "HOME=" + os.Getenv("HOME"),
		"PATH=" + filepath.Join(sysroot, "bin") + ":" + os.Getenv("PATH"), "LC_ALL=C"}
	env = append(env, c.env...)
	commands, message := c.runCargo(t, dir, sysroot, wrapper, env)
	got, notes, err := c.askX(t.Context(), dir, sysroot, env)
	want := notedCommand{Refused: true}
	for i, command := range commands { // one for each target
		if i == 0 || command.Target == got.Target {
			want = command
		}
	}
	if want.Refused && got.Refused || slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "not known") }) {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("case %d of seed %d\n%s\ncargo says %s\nx says %v, notes %q\n(-cargo +x)\n%s", n, *cargoSeed, c, message, err, notes, diff)
	}
}

// runCargo returns the command lines that cargo writes, and its message.
func (c cargoCase) runCargo(t *testing.T, dir, sysroot, wrapper string, env []string) (commands []notedCommand, message string) {
	note := filepath.Join(dir, "note")
	args := []string{"rustc", "--offline", "--keep-going", "--jobs=1"}
	for _, v := range c.config {
		args = append(args, "--config", v)
	}
	if c.target != "" {
		args = append(args, "--target", c.target)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(sysroot, "bin", "cargo"), append(append(args, "--"), c.args...)...)
	cmd.Dir = filepath.Join(dir, "ws/p", c.dir)
	cmd.Env = append(slices.Clone(env), "RUSTC_WRAPPER="+wrapper, "X_NOTE="+note, "CARGO_TARGET_DIR="+filepath.Join(dir, "target"))
	out, _ := cmd.CombinedOutput() // it fails, since nothing was compiled
	data, _ := os.ReadFile(note)   // there is none where cargo stopped before
	for noted := range strings.SplitSeq(string(data), "NOTED\x00") {
		fields := strings.Split(strings.TrimSuffix(noted, "\x00"), "\x00")
		if len(fields) < 2 {
			continue
		}
		command := notedCommand{Bootstrap: fields[0], Rustc: fields[1], Args: flagsThatMatter(fields[2:])}
		if i := slices.Index(fields, "--target"); i >= 0 {
			command.Target = fields[i+1]
		}
		commands = append(commands, command)
	}
	return commands, string(out)
}

// askX returns the command line that x explains.
func (c cargoCase) askX(ctx context.Context, dir, sysroot string, env []string) (notedCommand, []string, error) {
	answer, err := explain.Link(ctx, explain.Options{Rustc: filepath.Join(sysroot, "bin", "rustc"), Dir: filepath.Join(dir, "ws/p", c.dir), Env: env},
		explain.Question{Target: c.target, Args: c.args, Cargo: true, CargoConfig: c.config})
	if err != nil {
		return notedCommand{Refused: true}, nil, err
	}
	if answer.Query.Refusal != "" {
		return notedCommand{Refused: true}, answer.Notes, errors.New(answer.Query.Refusal)
	}
	noted := notedCommand{Bootstrap: answer.Query.Bootstrap, Rustc: "rustc", Args: flagsThatMatter(answer.Query.Args)}
	if i := slices.Index(answer.Query.Args, "--target"); i >= 0 {
		noted.Target = answer.Query.Args[i+1]
	}
	for _, n := range answer.Notes {
		if path, ok := strings.CutPrefix(n, "cargo runs the compiler \""); ok {
			noted.Rustc, _, _ = strings.Cut(path, "\"")
		}
	}
	return noted, answer.Notes, nil
}

// flagsThatMatter keeps of rustc's arguments what configuration can give. Cargo
// writes `-C linker=`, x `-Clinker=`.
func flagsThatMatter(args []string) []string {
	var out []string
	for i, arg := range args {
		if i > 0 && args[i-1] == "-C" {
			arg = "-C" + arg
		}
		if i > 0 && args[i-1] == "--cfg" {
			arg = "--cfg=" + arg
		}
		for _, start := range []string{"-Clink", "-Cpanic", "-Ctarget-feature", "-Cdebug-assertions", "--cfg=", "-O", "-Zunstable"} {
			if strings.HasPrefix(arg, start) {
				out = append(out, arg)
				break
			}
		}
	}
	return out
}
