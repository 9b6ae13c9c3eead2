package programs

import (
	"context"
	"embed"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"x.go/targets"
)

// sources holds the source of the programs for hosts without a guest program, and of
// the package that they share. x builds a program when it is needed, for the host
// of the toolchain, which need not be the host that x runs on.
//
//go:embed launcher/flags.go launcher/main.go launcher/options.go
//go:embed lldwrapper/main.go lldwrapper/system.go lldwrapper/users.go lldwrapper/threads.go lldwrapper/link.go
//go:embed process/become_*.go process/path.go process/self.go
var sources embed.FS

// goVersion is the oldest Go that compiles the sources.
const goVersion = "go1.26"

func (p Build) goArgs() []string {
	ldflags := "-s -w -buildid="
	for _, v := range p.Settings {
		ldflags += fmt.Sprintf(" -X 'main.%s=%s'", v.Name, v.Value)
	}
	return []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", p.Out, "./bootstrap/programs/" + p.Name}
}

// compile builds the program from its source in Go, in a temporary directory.
func (p Build) compile(ctx context.Context, env []string) error {
	goos, goarch, err := platform(p.Host)
	if err != nil {
		return err
	}
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
	cmd := exec.CommandContext(ctx, goCmd, p.goArgs()...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clip(env), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch,
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
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x.go\n\ngo "+strings.TrimPrefix(goVersion, "go")+"\n"), 0o644)
}

// tooOld returns an error if a go command is older than the source needs.
func tooOld(goCmd string) error {
	cmd := exec.Command(goCmd, "env", "GOVERSION")
	cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("asking %q for its version: %w", goCmd, err)
	}
	have := strings.TrimSpace(string(out))
	if version.IsValid(have) && version.Compare(have, goVersion) < 0 {
		return fmt.Errorf("%q is %s, want %s or later", goCmd, have, goVersion)
	}
	return nil
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

// platform returns Go's names for the platform of a target.
func platform(spec *targets.Spec) (goos, goarch string, err error) {
	arch := spec.Arch
	if !spec.BigEndian && (arch == "powerpc64" || arch == "mips" || arch == "mips64") {
		arch += "le"
	}
	if spec.BigEndian && (arch == "aarch64" || arch == "arm") {
		arch += "_be"
	}
	goos, goarch = goSystems[spec.OS], goArchs[arch]
	if goos == "" || goarch == "" {
		return "", "", fmt.Errorf("no port of Go to %s on %s", spec.OS, arch)
	}
	return goos, goarch, nil
}
