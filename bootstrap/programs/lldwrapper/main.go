// Command lldwrapper runs rust-lld with the flavor of its own file name. A Rust
// sysroot has it four times, as
// lib/rustlib/HOST/bin/gcc-ld/{ld.lld,ld64.lld,lld-link,wasm-ld}. rustc points a C
// compiler there with -B and -fuse-ld=lld, and the program becomes ../rust-lld, as
// `src/tools/lld-wrapper` does.
//
// It is for hosts that the guest program in bootstrap/programs/guest was not compiled
// for. The tests hold both to the same tables.
//
// What it runs is fixed when it is built. It never changes during the life of a
// toolchain, and a configuration file would have to be read at each link:
//
//	-ldflags '-X main.mode=system'    run the C compiler's usual linker, not LLD, unless
//	                                  the user asks that compiler for LLD
//	-ldflags '-X main.site=/a/path'   run /a/path with the linker's path and arguments
//
//	-ldflags '-X main.threads=leaf,8' start one thread for build scripts and procedural
//	                                  macros, at most eight for others
//
// They combine. The program starts at each link, so it is kept small, without fmt. It
// turns off the runtime's CPU-limit check.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"x.go/bootstrap/programs/process"
)

// Set with -ldflags -X.
var (
	mode    = "lld" // or "system"
	site    = ""    // absolute path of a program
	threads = ""    // words with commas between them
)

// flavors maps file names to flavors of LLD. system says whether the C compiler's
// usual linker can replace LLD: for the last two there is none.
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
	path  string
	args  []string // args[0] is the program's name
	label string   // what error messages call it
}

func main() {
	self, err := process.Executable()
	if err != nil {
		fail("could not get the path of the current executable: " + process.Describe(err))
	}
	args := process.Arguments()
	c, err := choose(self, args)
	if err != nil {
		fail(err.Error())
	}
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
		if f.flavor == "gnu" {
			c = bounded(c, args)
		}
		switch {
		case mode != "lld" && mode != "system":
			return command{}, process.Problem("built with unknown mode " + process.Quote(mode))
		case mode == "system" && f.system:
			path, err := linker(self, name, args)
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

// rustLLD is the rust-lld in directory root. LLD reads the flavor from its first two
// arguments only.
func rustLLD(root, flavor string, args []string) command {
	path := process.Join(root, "rust-lld"+process.ExeSuffix)
	return command{
		path:  path,
		args:  append([]string{path, "-flavor", flavor}, args...),
		label: "rust-lld",
	}
}

// linker returns what mode system runs in the place of the LLD called name.
func linker(self, name string, args []string) (string, error) {
	if askedForLLD() {
		return usersLLD(self, name)
	}
	return systemLinker(self, args)
}
