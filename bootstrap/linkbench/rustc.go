package linkbench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// wrapRustc stands where RUSTC_WRAPPER says: its arguments are a compiler, or another
// wrapper, and the arguments of that.
func wrapRustc(j job) error {
	if len(os.Args) < 2 {
		return fmt.Errorf("running %q: got no compiler", os.Args[0])
	}
	return j.compile(os.Args[1], os.Args[2:])
}

// beRustc stands before the real compiler on PATH, for commands that do not know
// RUSTC_WRAPPER.
func beRustc(j job) error {
	os.Setenv("PATH", without(os.Getenv("PATH"), j.Bin))
	if os.Getenv(crateVariable) != "" { // under cargo, which started wrapRustc
		return become(os.Args)
	}
	j.Wrapper = nil
	return j.compile(rustcName, os.Args[1:])
}

// compile becomes the compiler, with arguments that name the helper as the linker.
func (j job) compile(rustc string, args []string) error {
	c := crateOf(args)
	if c.outDir != "" && j.Target != "" && !below(c.outDir, j.Target) {
		return fmt.Errorf("building in %q, which is not the directory that x gave to cargo: drop --target-dir and a --config that sets build.target-dir or build.build-dir", c.outDir)
	}
	if c.name != "" {
		if err := j.add(record{Crate: c.name, Helper: c.helper, Links: c.links}); err != nil {
			return err
		}
	}
	os.Setenv(crateVariable, c.text())
	extra := []string{"-Clink-arg=-B" + j.Tools, "-Clink-arg=-fuse-ld=bfd"}
	return become(slices.Concat(j.Wrapper, []string{rustc}, args, extra))
}

// without is a search path without one directory.
func without(list, dir string) string {
	dirs := slices.DeleteFunc(filepath.SplitList(list), func(d string) bool { return d == dir })
	return strings.Join(dirs, string(filepath.ListSeparator))
}

// below reports whether a path is in a directory.
func below(path, dir string) bool {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	path, err := filepath.Abs(path)
	return err == nil && strings.HasPrefix(path, dir+string(filepath.Separator))
}

// crate is what rustc is to make.
type crate struct {
	name, outDir string
	helper       bool // a build script or a procedural macro
	links        bool
}

// crateOf reads rustc's arguments as cargo writes them.
func crateOf(args []string) crate {
	var c crate
	var types []string
	for i, arg := range args {
		for _, name := range []string{"--crate-name", "--crate-type", "--out-dir"} {
			value, ok := strings.CutPrefix(arg, name+"=")
			if arg == name && i+1 < len(args) {
				value, ok = args[i+1], true
			}
			switch {
			case !ok:
			case name == "--crate-name":
				c.name = value
			case name == "--crate-type":
				types = append(types, strings.Split(value, ",")...)
			default:
				c.outDir = value
			}
		}
	}
	if c.name == "___" { // cargo's question for conditions, which makes nothing
		c.name = ""
	}
	for _, t := range types {
		c.links = c.links || slices.Contains([]string{"bin", "dylib", "cdylib", "proc-macro"}, t)
	}
	c.links = c.links || slices.Contains(args, "--test")
	script := strings.HasPrefix(c.name, "build_script_") && os.Getenv("CARGO_BIN_NAME") == ""
	c.helper = script || slices.Contains(types, "proc-macro")
	// Under cargo, what is not of the packages asked for is a means, too.
	if os.Getenv("CARGO_PKG_NAME") != "" && os.Getenv("CARGO_PRIMARY_PACKAGE") == "" {
		c.helper = true
	}
	return c
}

// text is c for the variable that leads it to the linker.
func (c crate) text() string {
	kind := "final"
	if c.helper {
		kind = "helper"
	}
	return kind + " " + c.name
}

// parseCrate reads that variable.
func parseCrate(text string) crate {
	kind, name, _ := strings.Cut(text, " ")
	return crate{name: name, helper: kind == "helper"}
}

// lookUp finds a program on this process's PATH.
func lookUp(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("running %q: %w", name, err)
	}
	return path, nil
}
