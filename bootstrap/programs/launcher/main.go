// Command launcher runs a toolchain's rustc or clippy-driver with a different default
// linker from the one it was built with. It is installed as bin/rustc and as
// bin/clippy-driver, and becomes libexec/rustc or libexec/clippy-driver with an option
// before the arguments. The options that a user gives come later and win.
//
// What it adds is fixed when it is built:
//
//	-ldflags '-X main.host=TRIPLE'     the compiler's host, the only target it changes
//	-ldflags '-X main.linker=system'   turn off LLD, the compiler's default
//	-ldflags '-X main.linker=lld'      turn on LLD, which is not the compiler's default
//
// rustdoc needs no launcher: bin/rustc compiles its doctests. Programs that load
// librustc_driver themselves, such as miri, are not covered.
//
// It is for hosts that the guest program in bootstrap/programs/guest was not compiled
// for. The tests hold both to the same tables.
//
// The program starts at each compilation, so it is kept small, without fmt. It turns
// off the runtime's CPU-limit check.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"strings"

	"x.go/bootstrap/programs/process"
)

// Set with -ldflags -X.
var (
	host   = ""
	linker = "" // "system" or "lld"
)

func main() {
	self, err := process.Executable()
	if err != nil {
		fail("could not get the path of the current executable: " + process.Describe(err))
	}
	args := process.Arguments()
	dir, name := process.Split(self)
	root, _ := process.Split(dir)
	if root == "" {
		fail("parent directory could not be determined")
	}
	path := process.Join(process.Join(root, "libexec"), name)
	at := compilerArgs(name, args)
	rest := override{linker, host, root}.launch(args[at:])
	fail(process.Become(path, append(append([]string{path}, args[:at]...), rest...), path).Error())
}

func fail(message string) {
	process.Complain("rustc-launcher: " + message + "\n")
	process.Exit(1)
}

// compilerArgs is how many arguments stand before those of the compiler: cargo runs
// clippy-driver with the path of rustc first, by whose name the driver knows it.
func compilerArgs(name string, args []string) int {
	if stem(name) == "clippy-driver" && len(args) > 0 && stem(args[0]) == "rustc" {
		return 1
	}
	return 0
}

// stem is the file name of a path without extension, as Rust's Path::file_stem.
func stem(path string) string {
	_, name := process.Split(strings.TrimRight(path, process.Separators))
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i]
	}
	return name
}

// launch returns the compiler's arguments with what has to be added.
func (o override) launch(args []string) []string {
	expanded, pass, ok := readArgFiles(args)
	if !ok || len(expanded) == 0 {
		// Without arguments the compiler prints its help. It reports a file that
		// it cannot read.
		return args
	}
	return append(o.flags(parse(expanded)), pass...)
}

// readArgFiles replaces each @PATH by the lines of that file, once, as rustc does in
// any position. pass is what the compiler is to get: the same arguments as before, but
// for files that can be read only once.
func readArgFiles(args []string) (expanded, pass []string, ok bool) {
	for _, arg := range args {
		path, isFile := strings.CutPrefix(arg, "@")
		if !isFile {
			expanded, pass = append(expanded, arg), append(pass, arg)
			continue
		}
		text, err := process.ReadFile(path)
		if err != nil {
			return nil, nil, false
		}
		held := lines(text)
		expanded = append(expanded, held...)
		if process.IsRegular(path) {
			pass = append(pass, arg)
		} else {
			pass = append(pass, held...)
		}
	}
	return expanded, pass, true
}

// lines cuts a text as Rust's str::lines.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if cut, ended := strings.CutSuffix(line, "\n"); ended {
			line = strings.TrimSuffix(cut, "\r")
		}
		all = append(all, line)
	}
	return all
}
