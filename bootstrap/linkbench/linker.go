package linkbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"x.go/bootstrap/programs"
	"x.go/bootstrap/toolchain"
	"x.go/dist/linkage"
)

// linker is a row of the table of linkers.
type linker struct {
	name  string
	about string         // for people
	kind  linkage.Linker // that every result has to be of
	names []string       // of a program of the system, best first; nil for the toolchain's LLD
	// driver lets the C compiler's own directories come before PATH, as a cross compiler
	// has a linker of its own there.
	driver  bool
	args    []string           // behind those of the C compiler
	wrapper []programs.Setting // of a gcc-ld program in front of the toolchain's LLD
}

// linkers are all rows, in the order of their turns.
var linkers = []linker{
	{name: "bfd", about: "GNU ld", kind: linkage.BFD, names: []string{"ld.bfd", "ld"}, driver: true},
	{name: "lld", about: "the toolchain's LLD, by its gcc-ld", kind: linkage.LLD},
	{name: "lld-serial", about: "the same with --threads=1", kind: linkage.LLD, args: []string{"--threads=1"}},
	{name: "lld-leaf", about: "the same with one thread for build scripts and proc macros", kind: linkage.LLD,
		wrapper: []programs.Setting{{Name: "threads", Value: "leaf"}}},
	{name: "lld-jobserver", about: "the same with as many threads as cargo's jobserver has free tokens", kind: linkage.LLD,
		wrapper: []programs.Setting{{Name: "jobserver", Value: "yes"}}},
	{name: "system-lld", about: "an LLD of the system", kind: linkage.LLD, names: []string{"ld.lld"}},
	{name: "mold", about: "mold", kind: linkage.Mold, names: []string{"ld.mold", "mold"}},
	{name: "gold", about: "gold", kind: linkage.Gold, names: []string{"ld.gold"}, driver: true},
	{name: "wild", about: "Wild", kind: linkage.Wild, names: []string{"wild"}},
}

// Names returns the names of all linkers, installed or not.
func Names() []string {
	var out []string
	for _, l := range linkers {
		out = append(out, l.name)
	}
	return out
}

// defaultBaseline is what LLD replaces.
const defaultBaseline = "bfd"

// found is a linker that is there.
type found struct {
	linker
	program string // absolute path
	lld     string // for a wrapper: the program that it starts
}

// find looks for a linker. The error says why it takes no part.
func (l linker) find(tc toolchain.Toolchain) (found, error) {
	f := found{linker: l}
	if l.names != nil {
		for _, name := range l.names {
			if path, err := exec.LookPath(name); err == nil {
				f.program, err = filepath.Abs(path)
				return f, err
			}
		}
		return f, fmt.Errorf("PATH has no %s", strings.Join(l.names, " or "))
	}
	bin := tc.Path("lib/rustlib/" + tc.Host.String() + "/bin")
	f.program = filepath.Join(bin, "gcc-ld", "ld.lld")
	if l.wrapper != nil {
		f.lld = filepath.Join(bin, "rust-lld")
		if err := programs.CanBuild(tc.Spec); err != nil {
			return f, fmt.Errorf("a gcc-ld program that bounds threads cannot be built for host %s: %w", tc.Host, err)
		}
		if l.wrapper[0].Name == "jobserver" && !programs.HasJobserver(tc.Spec) {
			return f, fmt.Errorf("the gcc-ld program of x for host %s knows no jobserver", tc.Host)
		}
	}
	for _, path := range []string{f.program, f.lld} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return f, fmt.Errorf("the toolchain has no %q: it comes with rust.lld = true, or with lld.wrapper = \"build\" in x.toml", path)
		}
	}
	return f, nil
}

// place puts the wrapper of a linker below dir, if it has one, and makes it the program.
func (f *found) place(ctx context.Context, tc toolchain.Toolchain, dir string, env []string) error {
	if f.wrapper == nil {
		return nil
	}
	bin := filepath.Join(dir, f.name)
	f.program = filepath.Join(bin, "gcc-ld", "ld.lld")
	if err := os.MkdirAll(filepath.Dir(f.program), 0o700); err != nil {
		return fmt.Errorf("creating a gcc-ld program: %w", err)
	}
	settings := append([]programs.Setting{{Name: "mode", Value: string(programs.WrapperLLD)}}, f.wrapper...)
	build := programs.Build{Name: programs.LLDWrapper, Host: tc.Spec, Settings: settings, Out: f.program}
	return errors.Join(build.Run(ctx, env), os.Symlink(f.lld, filepath.Join(bin, "rust-lld")))
}

// argv0 is the name under which the linker is started: LLD goes by it.
func (f found) argv0() string {
	if f.kind == linkage.LLD {
		return filepath.Join(filepath.Dir(f.program), "ld.lld")
	}
	return f.program
}
