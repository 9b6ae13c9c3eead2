package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"x.go/bootstrap/programs/process"
)

// choice is what the options of a C compiler seen so far say of the linker. rustc puts
// -fuse-ld=lld right behind the gcc-ld directory that it passes with -B; one in any
// other place is the user's own.
type choice struct {
	behindGCCLD bool // the option before was -B with a gcc-ld directory
	valueOfB    bool // the option before was -B alone
	lld         bool // the last -fuse-ld is lld, and it is not rustc's
}

func (c *choice) see(option string) {
	if linker, ok := strings.CutPrefix(option, "-fuse-ld="); ok && !c.valueOfB {
		c.lld = linker == "lld" && !c.behindGCCLD
	}
	dir, joined := strings.CutPrefix(option, "-B")
	if c.valueOfB {
		dir, joined = option, true
	}
	c.behindGCCLD = joined && strings.HasSuffix(strings.TrimSuffix(dir, "/"), "/gcc-ld")
	c.valueOfB = !c.valueOfB && option == "-B"
}

// eachQuoted calls see for each word of a text, as gcc writes and all drivers and LLD
// read response files: blanks separate, quotes and backslashes protect. Within single
// quotes, COLLECT_GCC_OPTIONS has no backslashes.
func eachQuoted(text string, escapesInSingle bool, see func(word string)) {
	var word []byte
	var quoted byte
	inWord := false
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b == '\\' && i+1 < len(text) && (quoted != '\'' || escapesInSingle):
			i++
			word, inWord = append(word, text[i]), true
		case quoted != 0 && b == quoted:
			quoted = 0
		case quoted == 0 && (b == '\'' || b == '"'):
			quoted, inWord = b, true
		case quoted == 0 && strings.IndexByte(" \n\t\r", b) >= 0:
			if inWord {
				see(string(word))
			}
			word, inWord = word[:0], false
		default:
			word, inWord = append(word, b), true
		}
	}
	if inWord {
		see(string(word))
	}
}

// seeParent sees the command line of the program that started this one: clang does
// not tell otherwise. Systems other than Linux have no such file.
func (c *choice) seeParent() {
	line, err := process.ReadFile("/proc/" + strconv.Itoa(os.Getppid()) + "/cmdline")
	if err != nil {
		return
	}
	for arg := range strings.SplitSeq(strings.TrimSuffix(line, "\x00"), "\x00") {
		path, isFile := strings.CutPrefix(arg, "@")
		if !isFile {
			c.see(arg)
		} else if process.IsRegular(path) {
			if text, err := process.ReadFile(path); err == nil {
				eachQuoted(text, true, c.see)
			}
		}
	}
}

// askedForLLD reports whether the last -fuse-ld of the calling C compiler is the user's
// own, and asks for LLD. gcc leaves only the last of several equal options in
// COLLECT_GCC_OPTIONS.
func askedForLLD() bool {
	var c choice
	if options := os.Getenv("COLLECT_GCC_OPTIONS"); options != "" {
		eachQuoted(options, false, c.see)
	} else {
		c.seeParent()
	}
	return c.lld
}

// usersLLD finds the LLD that the C compiler would have run if rustc had passed no -B:
// gcc looks in COMPILER_PATH, clang beside itself, and both in PATH. name is that of
// this program, which the C compiler looks for.
func usersLLD(self, name string) (string, error) {
	dirs := os.Getenv("COMPILER_PATH")
	driver := os.Getenv("COLLECT_GCC")
	if driver == "" {
		if parent, err := os.Readlink("/proc/" + strconv.Itoa(os.Getppid()) + "/exe"); err == nil {
			dirs = filepath.Dir(parent)
		}
	}
	name = strings.TrimSuffix(name, process.ExeSuffix)
	if path, ok := find(self, dirs, name); ok {
		return path, nil
	}
	if prefix := targetPrefix(driver); prefix != "" {
		if path, ok := find(self, os.Getenv("PATH"), prefix+name); ok {
			return path, nil
		}
	}
	if path, ok := find(self, os.Getenv("PATH"), name); ok {
		return path, nil
	}
	return "", process.Problem("could not find the LLD that -fuse-ld=lld asks for: no " + name +
		" in COMPILER_PATH or PATH, and the default of this toolchain is the system linker; install lld")
}
