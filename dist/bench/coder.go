package bench

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"x.go/dist/measure"
)

// coder is a program with the arguments that make it compress or decompress one
// file.
type coder struct {
	Tool    string   // such as "xz"; the coders of one tool are a line in the chart
	Level   string   // such as "-9"
	Format  string   // of what it writes, or reads if it decodes: xz, zst or gz
	Ours    bool     // a coder of x
	Program string   // path of the program
	Args    []string // argIn and argOut stand for the paths of the files; without argOut the result is standard output
}

// The names of files in [coder.Args].
const (
	argIn  = "{in}"
	argOut = "{out}"
)

// Name is the tool and the level, unique among the coders of a run.
func (c coder) Name() string { return c.Tool + " " + c.Level }

// args returns the arguments for two files, and whether the result is standard
// output.
func (c coder) args(in, out string) (args []string, toStdout bool) {
	toStdout = true
	for _, arg := range c.Args {
		switch arg {
		case argIn:
			arg = in
		case argOut:
			arg, toStdout = out, false
		}
		args = append(args, arg)
	}
	return args, toStdout
}

// Command returns what one would type into a shell to run c.
func (c coder) Command(in, out string) string {
	args, toStdout := c.args(in, out)
	words := []string{quote(c.Program)}
	for _, arg := range args {
		words = append(words, quote(arg))
	}
	if toStdout {
		words = append(words, ">", quote(out))
	}
	return strings.Join(words, " ")
}

// quote returns word as a POSIX shell takes it.
func quote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// peer is a row of the table of other programs.
type peer struct {
	tool, format string
	programs     []string // names of the program, best first
	levels       []string
	args         string // {level} and {jobs} are replaced
	version      string // the argument for the program to print its version
}

// encoders are the levels that people use: default, lowest and highest of xz, and
// the highest of the others; zstd also with the window that rustup accepts. pigz needs -f for names that end in gz.
var encoders = []peer{
	{"xz", "xz", []string{"xz"}, []string{"-1", "-6", "-9"}, "{level} -T{jobs} -c {in}", "--version"},
	{"7zz", "xz", []string{"7zz", "7z"}, []string{"-mx=9"}, "a -txz {level} -mmt={jobs} {out} {in}", "--help"},
	{"zstd", "zst", []string{"zstd"}, []string{"-19", "--ultra -22 --long=27"}, "{level} -T{jobs} -q -c {in}", "--version"},
	{"gzip", "gz", []string{"gzip"}, []string{"-9"}, "{level} -n -c {in}", "--version"},
	{"pigz", "gz", []string{"pigz"}, []string{"-9"}, "{level} -n -f -p {jobs} -c {in}", "--version"},
}

// decoders: those with several threads come first, as the ratios are to them.
var decoders = []peer{
	{"xz", "xz", []string{"xz"}, []string{"-d -T{jobs}", "-d -T1"}, "{level} -c {in}", "--version"},
	{"zstd", "zst", []string{"zstd"}, []string{"-d"}, "{level} -q -c {in}", "--version"},
	{"gzip", "gz", []string{"gzip"}, []string{"-d"}, "{level} -c {in}", "--version"},
}

// findEncoders returns the other programs that compress, with jobs threads where they
// have threads. look finds a program, as [os/exec.LookPath] does; missing names the
// tools whose program it does not find.
func findEncoders(jobs int, look func(program string) (path string, err error)) (found []coder, missing []string) {
	return locate(encoders, jobs, look)
}

// findDecoders is [findEncoders] for programs that decompress.
func findDecoders(jobs int, look func(program string) (path string, err error)) (found []coder, missing []string) {
	return locate(decoders, jobs, look)
}

func locate(table []peer, jobs int, look func(string) (string, error)) (found []coder, missing []string) {
	for _, p := range table {
		program := ""
		for _, name := range p.programs {
			if path, err := look(name); err == nil {
				program = path
				break
			}
		}
		if program == "" {
			missing = append(missing, p.tool)
			continue
		}
		count := strings.NewReplacer("{jobs}", strconv.Itoa(jobs))
		seen := map[string]bool{}
		for _, level := range p.levels {
			level = count.Replace(level)
			if seen[level] {
				continue // with one job, two levels are the same
			}
			seen[level] = true
			args := strings.ReplaceAll(count.Replace(p.args), "{level}", level)
			found = append(found, coder{Tool: p.tool, Level: level, Format: p.format, Program: program, Args: strings.Fields(args)})
		}
	}
	return found, missing
}

// versionNumber is what looks like a version in the words of a program.
var versionNumber = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// programsOf describes the other programs among coders, in their order.
func programsOf(ctx context.Context, coders []coder, env []string) []Program {
	var out []Program
	for _, c := range coders {
		at := slices.IndexFunc(encoders, func(p peer) bool { return p.tool == c.Tool })
		if at < 0 || slices.ContainsFunc(out, func(p Program) bool { return p.Tool == c.Tool }) {
			continue
		}
		out = append(out, Program{Tool: c.Tool, Version: versionNumber.FindString(measure.Said(ctx, c.Program, encoders[at].version, env))})
	}
	return out
}
