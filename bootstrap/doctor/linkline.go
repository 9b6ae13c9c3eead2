package doctor

import (
	"bytes"
	"path"
	"strings"

	"x.go/targets"
)

// command is what the command of a link tells. Lists are bounded by maxWords.
type command struct {
	line    int
	program string
	files   []string // inputs, as written, {a,b} expanded
	libs    []string // -lNAME
	dirs    []string // -L
	scripts []string // --version-script
	output  string
	fuseLD  string // of the last -fuse-ld, --ld-path included
	bDirs   []string
	flags   map[string]bool // of interestingFlags
	target  targets.Triple  // zero if it does not tell
}

// interestingFlags change what a link does about symbols and files.
var interestingFlags = map[string]bool{
	"--warn-unresolved-symbols": true, "--noinhibit-exec": true, "--unresolved-symbols=ignore-all": true,
	"--unresolved-symbols=ignore-in-object-files": true, "--allow-shlib-undefined": true, "-z undefs": true,
	"-nostartfiles": true, "-shared": true, "-z muldefs": true, "-z nostart-stop-gc": true,
}

const maxWords = 1 << 16 // of a command

// readCommand reads the command of a link from a line of rustc, of `--print link-args`
// or of a build system. ok is false if the line is none.
func readCommand(no int, text []byte) (c command, ok bool) {
	words := splitWords(text)
	start := -1
	for i, w := range words {
		if isLinkProgram(w) && i+1 < len(words) && (strings.HasPrefix(words[i+1], "-") || strings.Contains(words[i+1], "/") || strings.HasPrefix(words[i+1], "<") || strings.HasSuffix(words[i+1], ".o")) {
			start = i
			break
		}
	}
	if start < 0 {
		return command{}, false
	}
	c = command{line: no, program: words[start], flags: map[string]bool{}}
	c.read(words[start+1:])
	shortened := c.fuseLD != "" // by whoever shows the log
	return c, c.output != "" && (len(c.files)+len(c.libs) > 0 || shortened)
}

// isLinkProgram reports whether a word names a C compiler or a linker.
func isLinkProgram(word string) bool {
	if strings.HasSuffix(word, ":") || strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
		return false
	}
	return programSpeaker(word) != sayNobody
}

// splitWords splits a line as a shell does, without its expansions. Everything that
// rustc writes is within double quotes.
func splitWords(text []byte) []string {
	var words []string
	var word []byte
	open := false
	end := func() {
		if open {
			words = append(words, string(word))
		}
		word, open = word[:0], false
	}
	for i := 0; i < len(text) && len(words) < maxWords; i++ {
		switch b := text[i]; b {
		case ' ', '\t':
			end()
		case '"', '\'':
			open = true
			for i++; i < len(text) && text[i] != b; i++ {
				if text[i] == '\\' && b == '"' && i+1 < len(text) {
					i++
				}
				word = append(word, text[i])
			}
		case '\\':
			if i+1 < len(text) {
				i++
				word, open = append(word, text[i]), true
			}
		default:
			word, open = append(word, b), true
		}
	}
	end()
	return words
}

// read reads the arguments of a link.
func (c *command) read(args []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		value := func(short string) (string, bool) {
			if arg == short {
				if i++; i < len(args) {
					return args[i], true
				}
				return "", false
			}
			return strings.CutPrefix(arg, short)
		}
		if list, ok := strings.CutPrefix(arg, "-Wl,"); ok {
			c.readLinkerArgs(strings.Split(list, ","))
			continue
		}
		if arg == "-Xlinker" {
			continue // the next one speaks for itself
		}
		if !strings.HasPrefix(arg, "-") {
			c.addFile(arg)
			continue
		}
		if v, ok := value("-o"); ok {
			c.output = v
		} else if v, ok := value("-L"); ok {
			c.dirs = append(c.dirs, v)
		} else if v, ok := value("-B"); ok {
			c.bDirs = append(c.bDirs, v)
		} else {
			i += c.readLinkerArg(args[i:])
		}
	}
}

func (c *command) readLinkerArgs(args []string) {
	for i := 0; i < len(args); i++ {
		i += c.readLinkerArg(args[i:])
	}
}

// readLinkerArg reads an option that a linker takes too, and returns how many words
// after it belong to it.
func (c *command) readLinkerArg(args []string) int {
	arg, next := args[0], ""
	if len(args) > 1 {
		next = args[1]
	}
	long, isLong := strings.CutPrefix(arg, "--")
	if !isLong {
		long = strings.TrimPrefix(arg, "-")
	}
	name, v, joined := strings.Cut(long, "=")
	switch {
	case name == "version-script":
		if !joined {
			c.scripts = append(c.scripts, next)
			return 1
		}
		c.scripts = append(c.scripts, v)
	case name == "fuse-ld" || name == "ld-path":
		c.fuseLD = v
	case isLong || !strings.HasPrefix(arg, "-"):
		c.flag(arg)
	case arg == "-z" && next != "":
		c.flag("-z " + next)
		return 1
	case arg == "-l" && next != "":
		c.libs = append(c.libs, next)
		return 1
	case strings.HasPrefix(arg, "-z"):
		c.flag("-z " + arg[2:])
	case strings.HasPrefix(arg, "-l"):
		c.libs = append(c.libs, arg[2:])
	default: // one dash does for most long options
		c.flag(arg)
		c.flag("-" + arg)
	}
	return 0
}

func (c *command) flag(f string) {
	if interestingFlags[f] {
		c.flags[f] = true
	}
}

// addFile adds an input. rustc shortens several of one directory to
// "/dir/{liba,libb}.rlib", and leaves others out: "<2 object files omitted>".
func (c *command) addFile(name string) {
	if c.target.IsZero() {
		c.target = targetOfPath(name)
	}
	if strings.HasPrefix(name, "<") && strings.HasSuffix(name, ">") {
		return
	}
	before, list, ok := strings.Cut(name, "{")
	inner, after, closed := strings.Cut(list, "}")
	if !ok || !closed {
		c.files = append(c.files, name)
		return
	}
	for one := range strings.SplitSeq(inner, ",") {
		if len(c.files) < maxWords {
			c.files = append(c.files, before+one+after)
		}
	}
}

// targetOfPath reads the target from a path in a sysroot: lib/rustlib/TARGET/lib.
func targetOfPath(name string) targets.Triple {
	_, rest, ok := strings.Cut(name, "/rustlib/")
	if !ok {
		return targets.Triple{}
	}
	triple, rest, _ := strings.Cut(rest, "/")
	if !strings.HasPrefix(rest, "lib/") {
		return targets.Triple{}
	}
	t, err := targets.ParseTriple(triple)
	if err != nil {
		return targets.Triple{}
	}
	return t
}

// lld reports whether the command asks for LLD; known is false if it leaves that to
// the C compiler.
func (c *command) lld() (yes, known bool) {
	if c.fuseLD != "" {
		name := path.Base(c.fuseLD)
		return name == "lld" || programSpeaker(name) == sayLLD, true
	}
	switch programSpeaker(c.program) {
	case sayLLD:
		return true, true
	case sayDriver:
		return false, false
	}
	return false, true
}

// releaseOf finds the version of rustc in a line: "rustc 1.90.0 (1159e78c4 2025-09-14)"
// or the directory of a toolchain, "toolchains/1.91.1-x86_64-unknown-linux-gnu".
func releaseOf(text []byte) targets.Release {
	for _, mark := range []string{"rustc ", "toolchains/"} {
		i := bytes.Index(text, []byte(mark))
		if i < 0 {
			continue
		}
		word := text[i+len(mark):]
		if end := bytes.IndexAny(word, " \t/\"'),;"); end >= 0 {
			word = word[:end]
		}
		version := string(word[:min(len(word), 64)])
		if r, err := targets.ParseRelease(version); err == nil {
			return r
		}
		if number, _, ok := strings.Cut(version, "-"); ok {
			if r, err := targets.ParseRelease(number); err == nil {
				return r
			}
		}
	}
	return targets.Release{}
}
