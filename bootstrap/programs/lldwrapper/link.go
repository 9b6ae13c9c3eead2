package main

import (
	"strings"

	"x.go/bootstrap/programs/process"
)

// A response file names others, even itself.
const (
	maxDepth = 16
	maxFiles = 256
	maxList  = 64 << 10
	maxFile  = 64 << 20
)

// link is what a link is: its output, and what the user says of threads.
type link struct {
	output  string
	threads bool // the user says how many
	macros  bool // it makes a crate of procedural macros, if that is asked for
	leaves  bool // that is asked for
	option  string
	files   int
}

func seeLink(args []string, leaves bool) link {
	l := link{output: "a.out", leaves: leaves}
	for _, arg := range args {
		l.see(arg, 0)
	}
	return l
}

// see sees an argument. option is the one before it whose value it is.
func (l *link) see(arg string, depth int) {
	name := strings.TrimLeft(arg, "-")
	if name != arg && (name == "threads" || name == "no-threads" || strings.HasPrefix(name, "threads=")) {
		l.threads = true
	}
	path, isFile := strings.CutPrefix(arg, "@")
	switch {
	case l.option != "":
		l.seeValue(l.option, arg)
		l.option = ""
	case isFile && path != "":
		l.seeFile(path, depth)
	case strings.HasPrefix(arg, "-"):
		l.seeOption(strings.TrimPrefix(arg[1:], "-"), !strings.HasPrefix(arg, "--"))
	}
}

// seeOption sees an option without its hyphens. LLD takes one or two for all long names.
func (l *link) seeOption(name string, one bool) {
	if strings.HasPrefix(name, "export-dynamic-symbol") && strings.Contains(name, macroDecls) {
		l.macros = true
	}
	for _, option := range []string{"o", "output", "version-script", "dynamic-list"} {
		switch value, joined := strings.CutPrefix(name, option+"="); {
		case name == option:
			l.option = option
		case joined && option != "o":
			l.seeValue(option, value)
		}
	}
	if value, joined := strings.CutPrefix(name, "o"); one && joined && value != "" && !strings.HasPrefix(name, "output") {
		l.seeValue("o", value)
	}
}

func (l *link) seeValue(option, value string) {
	switch {
	case option == "o" || option == "output":
		l.output = value
	case l.leaves:
		text, ok := process.ReadRegular(value, maxList)
		l.macros = l.macros || ok && strings.Contains(text, macroDecls)
	}
}

// macroDecls is in the list of symbols that rustc writes for the linker of a crate of
// procedural macros (proc_macro_decls_name in `compiler/rustc_session/src/session.rs`).
const macroDecls = "rustc_proc_macro_decls_"

// seeFile sees the arguments in a response file, if it can be read twice.
func (l *link) seeFile(path string, depth int) {
	if l.files++; depth == maxDepth || l.files > maxFiles {
		return
	}
	if text, ok := process.ReadRegular(path, maxFile); ok {
		eachQuoted(text, true, func(word string) { l.see(word, depth+1) })
	}
}

// isLeaf reports whether the link makes a build script. cargo has them in
// build/PACKAGE-HASH, or with -Zbuild-dir-new-layout in build/PACKAGE/HASH/out.
func (l *link) isLeaf() bool {
	dir, name := process.Split(l.output)
	if !strings.HasPrefix(name, "build_script_") {
		return false
	}
	for up := range 4 {
		var last string
		if dir, last = process.Split(dir); last == "build" && (up == 1 || up == 3) {
			return true
		}
	}
	return false
}
