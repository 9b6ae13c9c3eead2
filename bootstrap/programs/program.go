package programs

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"x.go/targets"
)

// sources holds the source of the programs that x puts into a toolchain, and of
// the package that they share. x builds a program when it is needed, for the host
// of the toolchain, which need not be the host that x runs on.
//
//go:embed launcher/flags.go launcher/main.go launcher/options.go
//go:embed lldwrapper/jobserver_*.go lldwrapper/main.go lldwrapper/system.go
//go:embed process/become_*.go process/path.go process/self_*.go
var sources embed.FS

// WrapperMode is what a built gcc-ld program does.
type WrapperMode string

// The modes of the gcc-ld program: see command lldwrapper.
const (
	// WrapperLLD runs ../rust-lld with the flavor of its own name.
	WrapperLLD WrapperMode = "lld"
	// WrapperSystem runs the system linker of the calling C driver.
	WrapperSystem WrapperMode = "system"
)

// The programs in the embedded sources.
const (
	LLDWrapper = "lldwrapper" // what gcc-ld holds
	Launcher   = "launcher"   // runs before rustc and clippy-driver
)

// Build is the command that builds one of the programs, as data.
type Build struct {
	Name         string // LLDWrapper or Launcher
	GOOS, GOARCH string
	Vars         []Variable // of package main
	Tag          string     // build tag, or ""
	Out          string     // absolute path of the program
}

// Variable is a string variable that is set when a program is linked.
type Variable struct{ Name, Value string }

func (p Build) args() []string {
	ldflags := "-s -w -buildid="
	for _, v := range p.Vars {
		ldflags += fmt.Sprintf(" -X 'main.%s=%s'", v.Name, v.Value)
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", p.Out}
	if p.Tag != "" {
		args = append(args, "-tags", p.Tag)
	}
	return append(args, "./bootstrap/programs/"+p.Name)
}

// String describes the build for a plan: "linux/amd64, mode lld, jobserver".
func (p Build) String() string {
	s := p.GOOS + "/" + p.GOARCH
	for _, v := range p.Vars {
		s += ", " + v.Name + " " + v.Value
	}
	if p.Tag != "" {
		s += ", " + p.Tag
	}
	return s
}

// Go's names of the architectures and systems of target specs.
var (
	goArchs = map[string]string{
		"x86_64": "amd64", "x86": "386", "aarch64": "arm64", "arm": "arm", "riscv64": "riscv64", "s390x": "s390x",
		"powerpc64": "ppc64", "powerpc64le": "ppc64le",
		"loongarch64": "loong64", "mips": "mips", "mipsle": "mipsle", "mips64": "mips64", "mips64le": "mips64le",
	}
	goSystems = map[string]string{
		"linux": "linux", "macos": "darwin", "windows": "windows", "freebsd": "freebsd", "netbsd": "netbsd",
		"openbsd": "openbsd", "dragonfly": "dragonfly", "illumos": "illumos", "solaris": "solaris", "android": "android", "aix": "aix",
	}
)

// errNoGo says that a program can't be built here.
var errNoGo = errors.New("PATH has no go command: install Go")

// Run compiles the program's embedded source in a temporary directory and puts the
// program at p.Out. env is the environment of the go command, as in [exec.Cmd]; the
// command itself is searched on PATH of this process. No network is needed: the
// source imports the standard library only.
func (p Build) Run(ctx context.Context, env []string) error {
	if err := p.compile(ctx, env); err != nil {
		return fmt.Errorf("building %s for %s/%s: %w", p.Name, p.GOOS, p.GOARCH, err)
	}
	return nil
}

func (p Build) compile(ctx context.Context, env []string) error {
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return errNoGo
	}
	dir, err := os.MkdirTemp("", "x-"+p.Name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeModule(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.Out), 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, goCmd, p.args()...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clip(env), "CGO_ENABLED=0", "GOOS="+p.GOOS, "GOARCH="+p.GOARCH,
		"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOTOOLCHAIN=local", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// writeModule lays the embedded sources out as a module of the same
// name as their own, because they import one another.
func writeModule(dir string) error {
	src := filepath.Join(dir, "bootstrap", "programs")
	if err := os.CopyFS(src, sources); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x.go\n\ngo 1.26\n"), 0o644)
}

// CanBuild returns why the programs that x puts into a toolchain cannot be
// built here for a host, or nil.
func CanBuild(host *targets.Spec) error {
	if _, _, err := Platform(host); err != nil {
		return err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errNoGo
	}
	return nil
}

// Platform returns Go's names for the platform of a target.
func Platform(spec *targets.Spec) (goos, goarch string, err error) {
	arch := spec.Arch
	if !spec.BigEndian && (arch == "powerpc64" || arch == "mips" || arch == "mips64") {
		arch += "le"
	}
	goos, goarch = goSystems[spec.OS], goArchs[arch]
	if goos == "" || goarch == "" {
		return "", "", fmt.Errorf("no port of Go to %s on %s", spec.OS, spec.Arch)
	}
	return goos, goarch, nil
}
