package programs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"x.go/targets"
)

// WrapperMode is what a built gcc-ld program does.
type WrapperMode string

// The modes of the gcc-ld program: see command lldwrapper.
const (
	// WrapperLLD runs ../rust-lld with the flavor of its own name.
	WrapperLLD WrapperMode = "lld"
	// WrapperSystem runs the system linker of the calling C driver.
	WrapperSystem WrapperMode = "system"
)

// The programs.
const (
	LLDWrapper = "lldwrapper" // what gcc-ld holds
	Launcher   = "launcher"   // runs before rustc and clippy-driver
)

// Build makes one of the programs for a host, as data.
type Build struct {
	Name     string // LLDWrapper or Launcher
	Host     *targets.Spec
	Settings []Setting // what the program does
	Out      string    // absolute path of the program
}

// Setting is one thing that is fixed when a program is built. Those of LLDWrapper are
// "mode", a [WrapperMode], "site", a path, "jobserver", "yes", which needs
// [HasJobserver], and "threads", what else bounds the threads of LLD: some of "leaf",
// "memory", which needs the same, "serial" and a number with commas between them; those of Launcher are "linker", "system" or "lld", and "host", a triple.
type Setting struct{ Name, Value string }

// String describes the build for a plan: "linux/x86_64, mode lld, jobserver yes".
func (p Build) String() string {
	s := p.Host.OS + "/" + p.Host.Arch
	for _, v := range p.Settings {
		s += ", " + v.Name + " " + v.Value
	}
	return s
}

// Compiles reports whether Run starts a compiler.
func (p Build) Compiles() bool { return guestFor(p.Host) == nil }

// Run puts the program at p.Out. env is the environment of the go command, as in
// [exec.Cmd]; the command itself is searched on PATH of this process. No network is
// needed: the source imports the standard library only.
func (p Build) Run(ctx context.Context, env []string) error {
	var err error
	if guest := guestFor(p.Host); guest != nil {
		err = p.place(guest)
	} else {
		err = p.compile(ctx, env)
	}
	if err != nil {
		return fmt.Errorf("building %s for %s/%s: %w", p.Name, p.Host.OS, p.Host.Arch, err)
	}
	return nil
}

// HasJobserver reports whether the gcc-ld program for a host knows jobservers, and the
// memory that is free.
func HasJobserver(host *targets.Spec) bool { return guestFor(host) != nil }

// CanBuild returns why the programs that x puts into a toolchain cannot be
// built here for a host, or nil.
func CanBuild(host *targets.Spec) error {
	if guestFor(host) != nil {
		return nil
	}
	if _, _, err := platform(host); err != nil {
		return err
	}
	goCmd, err := exec.LookPath("go")
	if err != nil {
		return errNoGo
	}
	return tooOld(goCmd)
}

// errNoGo says that a program can't be built here.
var errNoGo = errors.New("PATH has no go command: install Go")
