package bootstrap

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

// programSource is the source of the programs that x puts into a toolchain, and
// of the package that they share. A program is built on demand for the host of
// the toolchain, which need not be the host that x runs on.
//
//go:embed launcher/flags.go launcher/main.go launcher/options.go
//go:embed lldwrapper/jobserver_*.go lldwrapper/main.go lldwrapper/system.go
//go:embed process/become_*.go process/path.go process/self_*.go
var programSource embed.FS

// WrapperMode is what a built gcc-ld program does.
type WrapperMode string

// The modes of the gcc-ld program, see package lldwrapper.
const (
	// WrapperLLD runs ../rust-lld with the flavor of its own name.
	WrapperLLD WrapperMode = "lld"
	// WrapperSystem runs the system linker of the calling C driver.
	WrapperSystem WrapperMode = "system"
)

// The packages of programSource that are programs.
const (
	lldWrapper = "lldwrapper" // what gcc-ld holds
	launcher   = "launcher"   // stands before rustc and clippy-driver
)

// programBuild is the command that builds one of the programs, as data.
type programBuild struct {
	name         string // folder in programSource
	goos, goarch string
	vars         []variable // of package main
	tag          string     // build tag, or ""
	out          string     // absolute path of the program
}

// variable is a string variable that is set when a program is linked.
type variable struct{ name, value string }

func (p programBuild) args() []string {
	ldflags := "-s -w -buildid="
	for _, v := range p.vars {
		ldflags += fmt.Sprintf(" -X 'main.%s=%s'", v.name, v.value)
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", p.out}
	if p.tag != "" {
		args = append(args, "-tags", p.tag)
	}
	return append(args, "./bootstrap/"+p.name)
}

// String describes the build for a plan: "linux/amd64, mode lld, jobserver".
func (p programBuild) String() string {
	s := p.goos + "/" + p.goarch
	for _, v := range p.vars {
		s += ", " + v.name + " " + v.value
	}
	if p.tag != "" {
		s += ", " + p.tag
	}
	return s
}

// goPlatforms maps the architecture and system of a target spec to Go's names.
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

// build compiles the program's embedded source in a temporary folder and puts
// the program at p.out. It needs the go command but no network: the source
// imports the standard library only.
func (p programBuild) build(ctx context.Context, env []string) error {
	if err := p.compile(ctx, env); err != nil {
		return fmt.Errorf("building %s for %s/%s: %w", p.name, p.goos, p.goarch, err)
	}
	return nil
}

func (p programBuild) compile(ctx context.Context, env []string) error {
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return errNoGo
	}
	dir, err := os.MkdirTemp("", "x-"+p.name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeProgramModule(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.out), 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, goCmd, p.args()...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clip(env), "CGO_ENABLED=0", "GOOS="+p.goos, "GOARCH="+p.goarch,
		"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOTOOLCHAIN=local", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// writeProgramModule lays the embedded sources out as a module of the same
// name as their own, because they import one another.
func writeProgramModule(dir string) error {
	src := filepath.Join(dir, "bootstrap")
	if err := os.CopyFS(src, programSource); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x.go\n\ngo 1.26\n"), 0o644)
}

// CanBuildPrograms returns why the programs that x puts into a toolchain cannot be
// built here for a host, or nil.
func CanBuildPrograms(host *targets.Spec) error {
	if _, _, err := programPlatform(host); err != nil {
		return err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errNoGo
	}
	return nil
}

// programPlatform returns Go's names for the platform of a target.
func programPlatform(spec *targets.Spec) (goos, goarch string, err error) {
	arch := spec.Arch
	if !spec.BigEndian && (arch == "powerpc64" || arch == "mips" || arch == "mips64") {
		arch += "le"
	}
	goos, goarch = goSystems[spec.OS], goArchs[arch]
	if goos == "" || goarch == "" {
		return "", "", fmt.Errorf("there is no port of Go to %s on %s", spec.OS, spec.Arch)
	}
	return goos, goarch, nil
}
