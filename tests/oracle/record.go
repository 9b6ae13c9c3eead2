package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"x.go/targets"
)

// Case is one question, with the names of the recordings' fields.
type Case struct {
	ID        int      `json:"id"`
	Group     string   `json:"group"`
	Target    string   `json:"target"`
	Flags     []string `json:"flags"`
	Unstable  bool     `json:"unstable"`
	Bootstrap *string  `json:"bootstrap"`
	Channel   string   `json:"channel"`
	Sysroot   string   `json:"sysroot"`
}

// Answer is what a compiler did, or what the model says it does.
type Answer struct {
	Exit    int      `json:"exit"`
	Error   *string  `json:"error"`
	Linker  *string  `json:"linker"`
	LLDArgs []string `json:"lld_args"`
}

// Recording is a case with the compiler's answer.
type Recording struct {
	Case
	Answer
	Argv []string `json:"argv"`

	Stderr string `json:"-"`
}

// limit is how long one run may take. A rustc that hangs is a failure.
const limit = 2 * time.Minute

// Record runs the compiler on one case.
func (tc *Toolchain) Record(ctx context.Context, c Case) (Recording, error) {
	r := Recording{Case: c}
	spec, err := tc.spec(c.Target)
	if err != nil {
		return r, err
	}
	if err := tc.prepare(spec); err != nil {
		return r, err
	}
	tmp, err := os.MkdirTemp(tc.work(), "case")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(tmp)
	source, notes := filepath.Join(tmp, "app.rs"), filepath.Join(tmp, "notes")
	if err := os.WriteFile(source, []byte(program), 0o644); err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd, err := tc.command(ctx, c, source, tmp)
	if err != nil {
		return r, err
	}
	cmd.Env = tc.environment(c, notes)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		return r, fmt.Errorf("running %s: %w", cmd, err)
	}
	r.Exit = cmd.ProcessState.ExitCode()
	r.Stderr = tc.normalize(stderr.String(), tmp)
	for line := range strings.Lines(r.Stderr) {
		if strings.HasPrefix(line, "error") {
			first := strings.TrimSuffix(line, "\n")
			r.Error = &first
			break
		}
	}
	return r, tc.readNotes(&r, notes, tmp)
}

func (tc *Toolchain) command(ctx context.Context, c Case, source, tmp string) (*exec.Cmd, error) {
	kind, explicit := "tc", ""
	switch c.Sysroot {
	case "normal":
	case "nogccld":
		kind = "nogccld"
	case "explicit-bare":
		explicit = tc.bare()
	case "explicit-same":
		explicit = tc.root("tc")
	case "relative-cwd":
		explicit = tc.relative()
	default:
		return nil, fmt.Errorf("recording case %d: unknown sysroot %q", c.ID, c.Sysroot)
	}
	args := []string{"--crate-name=app", "-Cpanic=abort", "--target", c.Target, "-o", filepath.Join(tmp, "app"), source}
	if explicit != "" {
		args = append(args, "--sysroot", explicit)
	}
	if c.Unstable {
		args = append(args, "-Zunstable-options")
	}
	for _, f := range c.Flags {
		args = append(args, strings.ReplaceAll(f, "<fake>", tc.fake()))
	}
	cmd := exec.CommandContext(ctx, filepath.Join(tc.root(kind), "bin", "rustc"), args...)
	cmd.Dir = tmp
	return cmd, nil
}

// relative is the path from a case's working directory to the sysroot.
func (tc *Toolchain) relative() string { return "../../tc/" + tc.Name }

// environment is small, so that no variable of the machine has a say.
func (tc *Toolchain) environment(c Case, notes string) []string {
	env := []string{"PATH=" + tc.fake(), "LC_ALL=C", noteVar + "=" + notes, "HOME=" + tc.work(), "TMPDIR=" + filepath.Dir(notes)}
	if c.Bootstrap != nil {
		env = append(env, "RUSTC_BOOTSTRAP="+*c.Bootstrap)
	}
	return env
}

// readNotes reads what the first linker noted, if one ran.
func (tc *Toolchain) readNotes(r *Recording, notes, tmp string) error {
	data, err := os.ReadFile(notes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(data), "\n")
	argv := strings.Split(first, "\x00")
	for i := range argv {
		argv[i] = tc.normalize(argv[i], tmp)
	}
	r.Linker, r.Argv = &argv[0], argv[1:]
	r.LLDArgs = []string{}
	for i, arg := range r.Argv {
		switch {
		case strings.HasPrefix(arg, "-B") && strings.Contains(arg, "/"),
			strings.HasPrefix(arg, "-fuse-ld="), strings.HasPrefix(arg, "--target="),
			arg == "-flavor", i > 0 && r.Argv[i-1] == "-flavor":
			r.LLDArgs = append(r.LLDArgs, arg)
		}
	}
	return nil
}

// normalize replaces the directories of this run by the names that recordings use.
func (tc *Toolchain) normalize(s, tmp string) string {
	return strings.NewReplacer(
		tmp, "<tmp>",
		tc.root("tc"), "<sysroot>",
		tc.root("nogccld"), "<sysroot>",
		tc.bare(), "<bare-sysroot>",
		tc.fake(), "<fake>",
		tc.relative(), relativeSysroot(tc.Name),
	).Replace(s)
}

// specs decodes what the compiler itself says about its targets.
func (tc *Toolchain) specs() (map[string]*targets.Spec, error) {
	text, err := targets.Import(tc.Specs, targets.Info{Release: tc.Release, Commit: tc.Commit, Host: tc.Host}, nil)
	if err != nil {
		return nil, err
	}
	r, err := targets.NewRegistry(string(text))
	if err != nil {
		return nil, err
	}
	s, _ := r.Newest("")
	out := map[string]*targets.Spec{}
	for spec := range s.All() {
		out[spec.Triple.String()] = spec
	}
	return out, nil
}

func (tc *Toolchain) spec(name string) (*targets.Spec, error) {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	if tc.bySpec == nil {
		specs, err := tc.specs()
		if err != nil {
			return nil, err
		}
		tc.bySpec = specs
	}
	spec, ok := tc.bySpec[name]
	if !ok {
		return nil, fmt.Errorf("recording a case: rustc %s has no target %q", tc.Release, name)
	}
	return spec, nil
}

// Targets lists the compiler's targets by name.
func (tc *Toolchain) Targets() ([]string, error) {
	specs, err := tc.specs()
	return slices.Sorted(maps.Keys(specs)), err
}
