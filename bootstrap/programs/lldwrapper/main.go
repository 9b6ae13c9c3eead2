// Command lldwrapper is the executable that a Rust sysroot has four times, as
// lib/rustlib/HOST/bin/gcc-ld/{ld.lld,ld64.lld,lld-link,wasm-ld}. rustc points a C
// compiler there with -B and -fuse-ld=lld. The program takes LLD's flavor from its
// own file name and becomes ../rust-lld, as `src/tools/lld-wrapper` does.
//
// What it runs is settled when it is built, for it stays the same as long as the
// toolchain does, and a file beside it would have to be read at each link:
//
//	-ldflags '-X main.mode=system'    run the C compiler's usual linker, not LLD
//	-ldflags '-X main.site=/a/path'   run /a/path with the linker's path and arguments
//	-tags jobserver                   give LLD as many threads as the jobserver has tokens
//
// The last is a tag since it needs packages that the others should not carry. It is
// for Linux, and of no effect elsewhere or in mode system. The three combine.
//
// The program is started for each link, so it is kept small: no fmt, and on Linux
// no os, and it spares the runtime the look for CPU limits.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"x.go/bootstrap/programs/process"
)

// Set with -ldflags -X.
var (
	mode = "lld" // or "system"
	site = ""    // absolute path of a program
)

// flavors says what each file name stands for. system is whether the C compiler's
// usual linker can take LLD's place: no other linker stands for the last two.
var flavors = []struct {
	name, flavor string
	system       bool
}{
	{"ld.lld", "gnu", true},
	{"ld64.lld", "darwin", true},
	{"lld-link", "link", false},
	{"wasm-ld", "wasm", false},
}

// command is what the wrapper becomes.
type command struct {
	path    string
	args    []string // args[0] is the program's name
	label   string   // what error messages call it
	threads bool     // whether it is an LLD that takes --threads first of its arguments
}

func main() {
	self, err := process.Executable()
	if err != nil {
		fail("could not get the path of the current executable: " + process.Describe(err))
	}
	args, err := process.Arguments()
	if err != nil {
		fail("could not get the arguments: " + process.Describe(err))
	}
	c, err := choose(self, args)
	if err != nil {
		fail(err.Error())
	}
	runUnderJobserver(c)
	fail(process.Become(c.path, c.args, c.label).Error())
}

// fail ends the program with the status and prefix of the original.
func fail(message string) {
	process.Complain("lld-wrapper: " + message + "\n")
	process.Exit(1)
}

// choose returns the command for a wrapper whose resolved path is self.
func choose(self string, args []string) (command, error) {
	dir, name := process.Split(self)
	root, _ := process.Split(dir)
	if dir == "" {
		return command{}, process.Problem("directory containing current executable could not be determined")
	}
	if root == "" {
		return command{}, process.Problem("parent directory could not be determined")
	}
	for _, f := range flavors {
		if f.name+process.ExeSuffix != name && f.name != name {
			continue
		}
		c := rustLLD(root, f.flavor, args)
		switch {
		case mode != "lld" && mode != "system":
			return command{}, process.Problem("built with unknown mode " + process.Quote(mode))
		case mode == "system" && f.system:
			path, err := systemLinker(self, args)
			if err != nil {
				return command{}, err
			}
			c = command{path: path, args: append([]string{path}, args...), label: path}
		}
		if site != "" {
			c.path, c.args, c.label = site, append([]string{site, c.path}, c.args[1:]...), site
		}
		return c, nil
	}
	return command{}, process.Problem("executable has unexpected name: Some(" + process.Quote(name) + ")")
}

// rustLLD is the rust-lld in folder root. LLD reads the flavor from its first two
// arguments only.
func rustLLD(root, flavor string, args []string) command {
	path := process.Join(root, "rust-lld"+process.ExeSuffix)
	return command{
		path:    path,
		args:    append([]string{path, "-flavor", flavor}, args...),
		label:   "rust-lld",
		threads: flavor == "gnu",
	}
}
