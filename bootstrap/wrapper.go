package bootstrap

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"x.go/targets"
)

// wrapperSource is the source of the gcc-ld program. It is built on demand for
// the host of the toolchain, which need not be the host that x runs on.
//
//go:embed lldwrapper/become_*.go lldwrapper/jobserver_*.go lldwrapper/main.go lldwrapper/path.go lldwrapper/self_*.go lldwrapper/system.go
var wrapperSource embed.FS

// WrapperMode is what a built gcc-ld program does.
type WrapperMode string

// The modes of the gcc-ld program, see package lldwrapper.
const (
	// WrapperLLD runs ../rust-lld with the flavor of its own name.
	WrapperLLD WrapperMode = "lld"
	// WrapperSystem runs the system linker of the calling C driver.
	WrapperSystem WrapperMode = "system"
)

// wrapperBuild is the command that builds the gcc-ld program, as data.
type wrapperBuild struct {
	goos, goarch string
	mode         WrapperMode
	site         string // program to chain, or ""
	jobserver    bool   // give LLD as many threads as make or cargo has free
	out          string // absolute path of the program
}

func (w wrapperBuild) args() []string {
	ldflags := "-s -w -buildid= -X main.mode=" + string(w.mode)
	if w.site != "" {
		ldflags += " -X 'main.site=" + w.site + "'"
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", w.out}
	if w.jobserver {
		args = append(args, "-tags", "jobserver")
	}
	return append(args, ".")
}

// String describes the build for a plan: "linux/amd64, mode lld, jobserver".
func (w wrapperBuild) String() string {
	s := fmt.Sprintf("%s/%s, mode %s", w.goos, w.goarch, w.mode)
	if w.site != "" {
		s += ", site wrapper " + w.site
	}
	if w.jobserver {
		s += ", jobserver"
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

// errNoGo says that the wrapper can't be built here.
var errNoGo = errors.New("building the gcc-ld wrapper needs the go command, and PATH has none: install Go, or name a ready wrapper with lld.wrapper in x.toml")

// build compiles the wrapper's embedded source in a temporary folder and puts
// the program at w.out. It needs the go command but no network: the source
// imports the standard library only.
func (w wrapperBuild) build(ctx context.Context, env []string) error {
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return errNoGo
	}
	dir, err := os.MkdirTemp("", "x-lldwrapper-")
	if err != nil {
		return fmt.Errorf("building the gcc-ld wrapper: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := writeWrapperModule(dir); err != nil {
		return fmt.Errorf("building the gcc-ld wrapper: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(w.out), 0o755); err != nil {
		return fmt.Errorf("building the gcc-ld wrapper: %w", err)
	}
	cmd := exec.CommandContext(ctx, goCmd, w.args()...)
	cmd.Dir = dir
	cmd.Env = append(env, "CGO_ENABLED=0", "GOOS="+w.goos, "GOARCH="+w.goarch,
		"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOTOOLCHAIN=local", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the gcc-ld wrapper for %s/%s: %w: %s", w.goos, w.goarch, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// writeWrapperModule lays the embedded sources out as a module of their own.
func writeWrapperModule(dir string) error {
	files, err := fs.Glob(wrapperSource, "lldwrapper/*.go")
	if err != nil {
		return err
	}
	for _, name := range files {
		data, err := wrapperSource.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(name)), data, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module lldwrapper\n\ngo 1.26\n"), 0o644)
}

// wrapperPlatform returns Go's names for the platform of a target.
func wrapperPlatform(spec *targets.Spec) (goos, goarch string, err error) {
	arch := spec.Arch
	if !spec.BigEndian && (arch == "powerpc64" || arch == "mips" || arch == "mips64") {
		arch += "le"
	}
	goos, goarch = goSystems[spec.OS], goArchs[arch]
	if goos == "" || goarch == "" {
		return "", "", fmt.Errorf("building the gcc-ld wrapper for %s on %s: Go has no port to it: name a ready wrapper with lld.wrapper in x.toml", spec.OS, spec.Arch)
	}
	return goos, goarch, nil
}
