package check_test

import (
	stdcmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap"
	"x.go/bootstrap/check"
	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/toolchain"
	"x.go/tests/testenv"
)

// axis is one property of a case, and the values that it takes. The first is the
// usual one.
type axis struct {
	name   string
	values []string
}

// toolchainAxes and configAxes are the axes of the matrix. Values of settings are
// texts of --set; HOST stands for the toolchain's host, DIR for a directory with
// programs.
var (
	toolchainAxes = []axis{
		{"host", []string{x64, "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "x86_64-pc-windows-gnu", "hexagon-unknown-linux-musl"}},
		{"release", []string{"1.95.0", "1.79.0", "1.85.0", "1.89.0", "1.91.0", "1.100.0-nightly"}},
		{"compiler", []string{"lld", "lld without option", "system"}},
		{"input", []string{"", "no rust-lld", "no gcc-ld", "no LLD", "shim", "broken record", "rust-lld=0644", "rust-lld=link", "rust-lld=dangling", "rust-lld=directory"}},
	}
	configAxes = []axis{
		{"go", []string{"go", "no go"}},
		{"lld", []string{"", "rust.lld=true", "rust.lld=false"}},
		{"override", []string{"", `target.HOST.default-linker-linux-override="off"`, `target.HOST.default-linker-linux-override="self-contained-lld-cc"`}},
		{"llvm", []string{"", `target.HOST.llvm-config="/usr/bin/llvm-config"`}},
		{"while building", []string{"", `rust.use-lld="self-contained"`, `rust.bootstrap-override-lld="self-contained"`}},
		{"build.host", []string{"", `build.host=["HOST"]`, `build.host=["aarch64-apple-darwin"]`, `build.host=["HOST","avr-none"]`}},
		{"profile", []string{"", `profile = "dist"`}}, // in the file: one of --set does not count
		{"baked-default", []string{"", `lld.baked-default="launcher"`, `lld.baked-default="error"`}},
		{"binary", []string{"", `lld.binary="DIR/program"`, `lld.binary="DIR/missing"`, `lld.binary="DIR/text"`}},
		{"wrapper", []string{"", `lld.wrapper="build"`, `lld.wrapper="DIR/program"`, `lld.wrapper="DIR/missing"`}},
		{"threads", []string{"", "lld.jobserver=true", "lld.jobserver=false", `lld.threads="leaf,4"`, `lld.threads="jobserver,memory"`}},
		{"site wrapper", []string{"", `lld.site-wrapper="DIR/program"`, `lld.site-wrapper="DIR/missing"`, `lld.site-wrapper="program"`}},
	}
)

const x64 = "x86_64-unknown-linux-gnu"

// How many toolchains are drawn, and how many configurations for each.
const drawnToolchains, drawnConfigs = 48, 12

// named are cases that went wrong once.
var named = []map[string]string{
	{"compiler": "system", "input": "no LLD", "baked-default": `lld.baked-default="launcher"`},
	{"compiler": "lld without option", "lld": "rust.lld=false", "baked-default": `lld.baked-default="launcher"`},
	{"compiler": "system", "host": "aarch64-unknown-linux-gnu", "threads": "lld.jobserver=true"},
	{"lld": "rust.lld=false", "site wrapper": `lld.site-wrapper="DIR/program"`},
	{"site wrapper": `lld.site-wrapper="DIR/missing"`},
	{"lld": "rust.lld=false", "binary": `lld.binary="DIR/missing"`},
	{"build.host": `build.host=["HOST","avr-none"]`},
	{"input": "rust-lld=0644"},
	{"wrapper": `lld.wrapper="DIR/missing"`},
	{"lld": "rust.lld=false", "go": "no go"},
}

// TestCheckEqualsBuild holds what is said before a build against the build: over a
// matrix of configurations, compilers and sysroots, check finds an error exactly
// where the dry run and the build fail, and tells of LLD what the record and the
// files of the result do.
func TestCheckEqualsBuild(t *testing.T) {
	testenv.Long(t, "it builds hundreds of toolchains")
	m := newMatrix(t)
	cases := m.cases(t)
	for goCommand, path := range m.path {
		t.Run(goCommand, func(t *testing.T) {
			t.Setenv("PATH", path) // for all that run at once
			for i, c := range cases {
				if c.values["go"] == goCommand {
					t.Run(strconv.Itoa(i), func(t *testing.T) {
						t.Parallel()
						m.compare(t, c.tc, c.values)
					})
				}
			}
		})
	}
	built, refused := m.built.Load(), m.refused.Load()
	t.Logf("%d builds, %d refused", built, refused)
	if quarter := int64(len(cases) / 4); built < quarter || refused < quarter {
		t.Errorf("got %d builds and %d refused of %d cases: the matrix is lopsided", built, refused, len(cases))
	}
}

// matrixCase is a toolchain and a value for each axis.
type matrixCase struct {
	tc     toolchain.Toolchain
	values map[string]string
}

// cases returns the named cases and those drawn. It writes all stub compilers
// before a case runs one: while another goroutine starts a program, a file just
// written may still be open in it, and running that file fails.
func (m *matrix) cases(t *testing.T) []matrixCase {
	var cases []matrixCase
	for _, c := range named {
		c = maps.Clone(c)
		for _, a := range slices.Concat(toolchainAxes, configAxes) {
			c[a.name] = stdcmp.Or(c[a.name], a.values[0])
		}
		cases = append(cases, matrixCase{m.toolchain(t, c), c})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range drawnToolchains {
		c := map[string]string{}
		for _, a := range toolchainAxes {
			c[a.name] = a.values[rng.IntN(len(a.values))]
		}
		tc := m.toolchain(t, c)
		for range drawnConfigs {
			c = maps.Clone(c)
			for _, a := range configAxes {
				c[a.name] = a.values[0]
				if rng.IntN(3) == 0 {
					c[a.name] = a.values[rng.IntN(len(a.values))]
				}
			}
			cases = append(cases, matrixCase{tc, c})
		}
	}
	return cases
}

// matrix writes stub toolchains, and a go command that is quick.
type matrix struct {
	dir            string            // with the programs that settings name
	path           map[string]string // PATH by the value of the axis "go"
	built, refused atomic.Int64
}

func newMatrix(t *testing.T) *matrix {
	goCommand, sh := testenv.Need(t, "go"), testenv.Need(t, "sh")
	m := &matrix{dir: t.TempDir(), path: map[string]string{"go": t.TempDir(), "no go": t.TempDir()}}
	program := filepath.Join(m.dir, "program")
	build := exec.Command(goCommand, "build", "-o", program, "x.go/bootstrap/programs/launcher")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building a program: %v\n%s", err, out)
	}
	write(t, filepath.Join(m.dir, "text"), "text", 0o644)
	write(t, filepath.Join(m.path["go"], "go"), "#!"+sh+`
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
/bin/ln '`+program+`' "$out"
`, 0o755)
	return m
}

// toolchain writes and asks the stub toolchain of a case.
func (m *matrix) toolchain(t *testing.T, c map[string]string) toolchain.Toolchain {
	t.Helper()
	tc, err := toolchain.Find(t.Context(), toolchain.Source{Sysroot: m.sysroot(t, c), Env: os.Environ()})
	if err != nil {
		t.Fatalf("%s: %v", caseName(c), err)
	}
	return tc
}

// compare runs one case.
func (m *matrix) compare(t *testing.T, tc toolchain.Toolchain, c map[string]string) {
	t.Helper()
	name := caseName(c)
	src := m.source(c, tc)
	cfg, loadErr := config.Load(src)
	findings, outcome := ask(t.Context(), cfg, loadErr, tc)
	errorsFound := slices.DeleteFunc(slices.Clone(findings), func(f config.Finding) bool { return f.Severity != config.Failure })
	dir := t.TempDir()
	dry := m.build(t.Context(), src, tc, dir, true)
	real := m.build(t.Context(), src, tc, dir, false)
	if (real.err != nil) != (dry.err != nil) || (real.err != nil) != (len(errorsFound) > 0) {
		t.Errorf("%s:\ncheck:   %v\ndry run: %v\nbuild:   %v", name, errorsFound, dry.err, real.err)
		return
	}
	if real.err != nil {
		m.refused.Add(1)
		return
	}
	m.built.Add(1)
	if diff := cmp.Diff(real.lld, outcome); diff != "" {
		t.Errorf("%s: LLD of the check (-record +check):\n%s", name, diff)
	}
	if diff := cmp.Diff(real.lld, dry.lld); diff != "" {
		t.Errorf("%s: LLD of the dry run (-record +dry run):\n%s", name, diff)
	}
	said(t, name, findings, real.lld)
	files(t, name, filepath.Join(dir, tc.Host.String(), "stage2"), tc, real.lld)
}

func caseName(c map[string]string) string {
	var b strings.Builder
	for _, a := range slices.Concat(toolchainAxes, configAxes) {
		if c[a.name] != "" {
			fmt.Fprintf(&b, "%s: %s; ", a.name, c[a.name])
		}
	}
	return b.String()
}

// source is the configuration of a case, as x reads it for a toolchain.
func (m *matrix) source(c map[string]string, tc toolchain.Toolchain) config.Source {
	src := config.Source{Host: tc.Host, Release: tc.Version.Release, Sets: []string{"rust.channel=auto-detect"}, ReadFile: func(path string) ([]byte, error) {
		if filepath.Base(path) == "bootstrap.toml" {
			id := "change-id = 'ignore'\n"
			if config.MinorOf(tc.Version.Release) < 88 {
				id = "change-id = 1\n" // "ignore" is newer
			}
			return []byte(id + c["profile"] + "\n"), nil
		}
		return nil, fs.ErrNotExist
	}}
	replace := strings.NewReplacer("HOST", c["host"], "DIR", m.dir)
	for _, a := range configAxes {
		if v := c[a.name]; strings.Contains(v, "=") && a.name != "profile" {
			src.Sets = append(src.Sets, replace.Replace(v))
		}
	}
	return src
}

// ask is what `x check` finds, and what it takes LLD to be.
func ask(ctx context.Context, cfg config.Config, loadErr error, tc toolchain.Toolchain) ([]config.Finding, lld.Outcome) {
	facts, err := check.Ask(ctx, cfg, tc)
	if err != nil {
		return []config.Finding{{Severity: config.Failure, Reason: err.Error()}}, lld.Outcome{}
	}
	d, _ := lld.Decide(cfg, facts.LLD)
	return check.Run(cfg, loadErr, facts), d.Outcome
}

// result is what a build came to.
type result struct {
	lld lld.Outcome // of the record
	err error
}

// build is `x build`.
func (m *matrix) build(ctx context.Context, src config.Source, tc toolchain.Toolchain, dir string, dryRun bool) result {
	src.Flags = append(src.Flags, config.Flag{Name: "--build-dir", Key: "build.build-dir", Value: dir})
	b, err := bootstrap.Open(ctx, bootstrap.Options{Config: src, Toolchain: &tc, DryRun: dryRun})
	if err != nil {
		return result{err: err}
	}
	defer b.Close()
	if _, err := b.Sysroot(ctx); err != nil {
		return result{err: err}
	}
	r, err := b.Record(ctx)
	return result{lld.Recorded(r), err}
}

// said holds the words of the findings against what became of LLD.
func said(t *testing.T, name string, findings []config.Finding, is lld.Outcome) {
	for _, claim := range []struct {
		words string
		holds bool
		only  bool // the words must also be there if it holds
	}{
		{"LLD is not shipped", !is.Shipped, false},
		{"LLD is the default on this host, and it is shipped", is.Shipped, false},
		{"gcc-ld will run the system linker", is.Wrapper == lld.WrapperShim, true},
		{"a launcher before rustc will turn LLD off", is.Launcher == lld.LauncherSystem, true},
		{"will ask for LLD", is.Launcher == lld.LauncherLLD && is.Default, true},
		{`set lld.baked-default = "launcher"`, is.Shipped && !is.Default && is.Launcher == lld.LauncherNone, false},
	} {
		words := slices.ContainsFunc(findings, func(f config.Finding) bool { return strings.Contains(f.Text(), claim.words) })
		if words && !claim.holds || claim.only && claim.holds && !words {
			t.Errorf("%s: %q: said: %t, but the record has %+v:\n%v", name, claim.words, words, is, findings)
		}
	}
}

// files holds the files of the assembled sysroot against what became of LLD.
func files(t *testing.T, name, sysroot string, tc toolchain.Toolchain, is lld.Outcome) {
	bin := "lib/rustlib/" + tc.Host.String() + "/bin/"
	for _, row := range []struct {
		file string
		want bool
	}{
		{bin + "rust-lld" + tc.Spec.ExeSuffix, is.Shipped},
		{bin + "gcc-ld/ld.lld" + tc.Spec.ExeSuffix, is.Wrapper != lld.WrapperNone},
		{"share/doc/rust/x-build.json", is.Overrides()},
	} {
		if _, err := os.Stat(filepath.Join(sysroot, row.file)); errors.Is(err, fs.ErrNotExist) == row.want {
			t.Errorf("%s: %s: got %v, want it there: %t", name, row.file, err, row.want)
		}
	}
}

// sysroot writes the stub toolchain of a case: a compiler that answers questions, and
// files to be packed.
func (m *matrix) sysroot(t *testing.T, c map[string]string) string {
	dir, host, exe := t.TempDir(), c["host"], ""
	if strings.Contains(host, "windows") {
		exe = ".exe"
	}
	write(t, filepath.Join(dir, "bin/rustc"), stubCompiler(c), 0o755)
	lib := filepath.Join(dir, "lib/rustlib", host)
	write(t, filepath.Join(lib, "lib/libcore-1.rlib"), "", 0o644)
	rustLLD := filepath.Join(lib, "bin/rust-lld"+exe)
	kind, how, _ := strings.Cut(c["input"], "=")
	if kind != "no rust-lld" && kind != "no LLD" {
		switch how {
		case "":
			write(t, rustLLD, "", 0o755)
		case "0644":
			write(t, rustLLD, "", 0o644)
		case "directory":
			write(t, filepath.Join(rustLLD, "file"), "", 0o644)
		default:
			target := map[string]string{"link": m.dir + "/program", "dangling": "nowhere"}[how]
			if err := errors.Join(os.MkdirAll(filepath.Dir(rustLLD), 0o755), os.Symlink(target, rustLLD)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if kind != "no gcc-ld" && kind != "no LLD" {
		for _, name := range []string{"ld.lld", "ld64.lld", "lld-link", "wasm-ld"} {
			write(t, filepath.Join(lib, "bin/gcc-ld", name+exe), "", 0o755)
		}
	}
	switch kind {
	case "shim":
		write(t, filepath.Join(dir, "share/doc/rust/x-build.json"), `{"format": 1, "toolchain": {"host": "`+host+`"}, "lld": {"wrapper": "shim", "launcher": "none"}}`, 0o644)
	case "broken record":
		write(t, filepath.Join(dir, "share/doc/rust/x-build.json"), `{`, 0o644)
	}
	return dir
}

// stubCompiler is a rustc that knows what it is asked for.
func stubCompiler(c map[string]string) string {
	host := c["host"]
	spec := map[string]any{"arch": "x86_64", "llvm-target": host, "os": "linux", "target-pointer-width": 64, "linker-flavor": "gnu-cc"}
	switch {
	case strings.HasPrefix(host, "aarch64"):
		spec["arch"] = "aarch64"
	case strings.HasPrefix(host, "hexagon"):
		spec["arch"], spec["target-pointer-width"] = "hexagon", 32
	case strings.Contains(host, "windows"):
		spec["os"], spec["exe-suffix"] = "windows", ".exe"
	}
	if c["compiler"] != "system" {
		spec["linker-flavor"], spec["link-self-contained"] = "gnu-lld-cc", map[string]any{"components": []string{"linker"}}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	option := "true"
	if c["compiler"] == "lld without option" {
		option = "echo 'error: unknown codegen option' >&2; exit 1"
	}
	return fmt.Sprintf(`#!/bin/sh
case "$*" in
*target-spec-json*) echo '%s';;
*-Clinker-features=-lld*) %s;;
*-vV*) printf 'rustc %[3]s\nhost: %s\nrelease: %[3]s\n';;
*) exit 1;;
esac
`, text, option, c["release"], host)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
