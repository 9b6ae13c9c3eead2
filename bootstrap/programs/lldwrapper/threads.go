package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"x.go/bootstrap/programs/process"
)

// maxThreads is LLD's own limit, where it may choose (lld::elf).
const maxThreads = 16

// bounds is how many threads LLD gets, of those that it would take, and why.
type bounds struct {
	n, most int
	why     string
}

func (b *bounds) apply(n int, why string) {
	if n < b.n {
		b.n, b.why = n, why
	}
}

// bounded passes LLD the number of threads by the settings, unless the user does or LLD
// would choose the same. The option stands behind the flavor, so that one in a response
// file comes later and wins.
func bounded(c command, args []string) command {
	if threads == "" {
		return c
	}
	most := min(runtime.NumCPU(), maxThreads)
	b := bounds{most, most, "as LLD chooses"}
	l := seeLink(args, contains(strings.ReplaceAll(threads, ",", " "), "leaf"))
	if l.threads {
		logChoice(l, "no option", "the user chooses the threads")
		return c
	}
	for word := range strings.SplitSeq(threads, ",") {
		n, err := strconv.Atoi(word)
		switch {
		case word == "leaf" && l.macros:
			b.apply(1, "procedural macros")
		case word == "leaf" && l.isLeaf():
			b.apply(1, "a build script")
		case word == "serial":
			b.apply(1, "the cap")
		case err == nil && n > 0:
			b.apply(n, "the cap")
		}
	}
	text := strconv.Itoa(b.n)
	if b.n < b.most {
		c.args = append([]string{c.args[0], c.args[1], c.args[2], "--threads=" + text}, c.args[3:]...)
	}
	if text += " threads"; b.n == 1 {
		text = "1 thread"
	}
	logChoice(l, text, b.why)
	return c
}

// logChoice adds a line about the link to the file that the user names.
func logChoice(l link, chosen, why string) {
	path := os.Getenv("X_LLD_LOG")
	if path == "" {
		return
	}
	if f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666); err == nil {
		f.WriteString(process.Show(l.output) + ": " + chosen + ", " + why + "\n")
		f.Close()
	}
}
