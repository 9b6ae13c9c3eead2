package link

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Option is one -C or -Z option as it was written: KEY, or KEY=VALUE. KEY
// keeps its underscores, because rustc's messages repeat them.
type Option struct {
	Key, Value string
	HasValue   bool
}

// String prints KEY or KEY=VALUE.
func (o Option) String() string {
	if !o.HasValue {
		return o.Key
	}
	return o.Key + "=" + o.Value
}

func parseOption(s string) Option {
	key, value, ok := strings.Cut(s, "=")
	return Option{key, value, ok}
}

// Invocation is rustc's command line, split into its options. Whether their
// values are right is for [Decide] to say.
type Invocation struct {
	Codegen    []Option // -C, --codegen, in order; -O is opt-level=3
	Unstable   []Option // -Z, in order
	Target     string   // --target; "" where not given
	Sysroot    string   // --sysroot; "" where not given
	CrateTypes []string // --crate-type, as written
	Emit       []string // --emit, as written
	Print      []string // --print, as written
	Inputs     []string // files to compile
	Other      []string // every other option, as separate arguments
	Exits      bool     // -h, -V: rustc prints something and ends
}

type optionArity byte

const (
	flag  optionArity = iota // no argument
	once                     // an argument; a second one is an error
	multi                    // an argument, any number of times
)

// rustcOptions are the names that rustc 1.95 and 1.97 hand to getopts
// (rustc_optgroups in compiler/rustc_session/src/config.rs).
var rustcOptions = map[string]optionArity{
	"h": flag, "help": flag, "cfg": multi, "check-cfg": multi, "L": multi, "l": multi,
	"crate-type": multi, "crate-name": once, "edition": once, "emit": multi, "print": multi,
	"g": flag, "O": flag, "o": once, "out-dir": once, "explain": once, "test": flag,
	"target": once, "A": multi, "allow": multi, "W": multi, "warn": multi, "force-warn": multi,
	"D": multi, "deny": multi, "F": multi, "forbid": multi, "cap-lints": multi,
	"C": multi, "codegen": multi, "V": flag, "version": flag, "v": flag, "verbose": flag,
	"extern": multi, "sysroot": once, "Z": multi, "error-format": once, "json": multi,
	"color": once, "diagnostic-width": once, "remap-path-prefix": multi,
	"remap-path-scope": once, "env-set": multi,
}

// ParseInvocation splits rustc's arguments (without argv[0]) as getopts does:
// -C x, -Cx, --codegen x, --codegen=x, flags of one letter joined (-gOCx), and
// no options after --. An argument @PATH stands for the lines of that file, which
// readFile reads; nil finds no file. The error is the first line of rustc's
// message.
func ParseInvocation(args []string, readFile func(path string) ([]byte, error)) (Invocation, error) {
	var p argParser
	if d := p.parse(args, readFile); d != nil {
		return Invocation{}, d
	}
	return p.inv, nil
}

// parse adds what args say to p.inv.
func (p *argParser) parse(args []string, readFile func(path string) ([]byte, error)) (d *diagnostic) {
	if p.args, d = expandArgFiles(args, readFile); d != nil {
		return d
	}
	for p.at < len(p.args) {
		arg := p.args[p.at]
		p.at++
		switch {
		case arg == "--":
			p.inv.Inputs = append(p.inv.Inputs, p.args[p.at:]...)
			return nil
		case strings.HasPrefix(arg, "--"):
			d = p.long(arg[2:])
		case len(arg) > 1 && arg[0] == '-':
			d = p.short(arg[1:])
		default:
			p.inv.Inputs = append(p.inv.Inputs, arg)
		}
		if d != nil {
			return d
		}
	}
	return nil
}

type argParser struct {
	args []string
	at   int
	inv  Invocation
	seen []string // options of arity once
}

func (p *argParser) long(s string) *diagnostic {
	name, value, joined := strings.Cut(s, "=")
	arity, ok := rustcOptions[name]
	switch {
	case !ok:
		return errUnrecognized(name)
	case arity == flag && joined:
		return errUsage("Option '" + name + "' does not take an argument")
	case arity == flag:
		p.setFlag(name)
		return nil
	case !joined && p.at == len(p.args):
		return errMissingArgument(name)
	case !joined:
		value = p.args[p.at]
		p.at++
	}
	return p.set(name, arity, value)
}

func (p *argParser) short(s string) *diagnostic {
	for i, r := range s {
		name := string(r)
		arity, ok := rustcOptions[name]
		if !ok {
			return errUnrecognized(name)
		}
		if arity == flag {
			p.setFlag(name)
			continue
		}
		value := s[i+len(name):]
		if value == "" {
			if p.at == len(p.args) {
				return errMissingArgument(name)
			}
			value = p.args[p.at]
			p.at++
		}
		return p.set(name, arity, value)
	}
	return nil
}

func (p *argParser) setFlag(name string) {
	switch name {
	case "h", "help", "V", "version":
		p.inv.Exits = true
	case "O":
		// The last of -O and -Copt-level counts.
		p.inv.Codegen = append(p.inv.Codegen, Option{"opt-level", "3", true})
		return
	}
	p.inv.Other = append(p.inv.Other, dashes(name))
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// joined writes an option and its argument as one argument, so that the
// argument cannot be taken for an @file.
func joined(name, value string) string {
	if len(name) > 1 || value == "" {
		return "--" + name + "=" + value
	}
	return "-" + name + value
}

func (p *argParser) set(name string, arity optionArity, value string) *diagnostic {
	if arity == once {
		if slices.Contains(p.seen, name) {
			return errUsage("Option '" + name + "' given more than once")
		}
		p.seen = append(p.seen, name)
	}
	inv := &p.inv
	switch name {
	case "C", "codegen":
		inv.Codegen = append(inv.Codegen, parseOption(value))
	case "Z":
		inv.Unstable = append(inv.Unstable, parseOption(value))
	case "target":
		inv.Target = value
	case "sysroot":
		inv.Sysroot = value
	case "crate-type":
		inv.CrateTypes = append(inv.CrateTypes, value)
	case "emit":
		inv.Emit = append(inv.Emit, value)
	case "print":
		inv.Print = append(inv.Print, value)
	default:
		inv.Other = append(inv.Other, joined(name, value))
	}
	return nil
}

// maxArgFile bounds what one @PATH may stand for.
const maxArgFile = 16 << 20

func expandArgFiles(args []string, readFile func(string) ([]byte, error)) ([]string, *diagnostic) {
	isFile := func(arg string) bool { return strings.HasPrefix(arg, "@") }
	if !slices.ContainsFunc(args, isFile) {
		return args, nil
	}
	var out []string
	for _, arg := range args {
		path, ok := strings.CutPrefix(arg, "@")
		if !ok {
			out = append(out, arg)
			continue
		}
		lines, d := readArgFile(path, readFile)
		if d != nil {
			return nil, d
		}
		out = append(out, lines...)
	}
	return out, nil
}

func readArgFile(path string, readFile func(string) ([]byte, error)) ([]string, *diagnostic) {
	fail := func(why string) *diagnostic {
		return errUsage("failed to load argument file: IO error: " + path + ": " + why)
	}
	if readFile == nil {
		return nil, fail("No such file or directory (os error 2)")
	}
	data, err := readFile(path)
	switch {
	case err != nil:
		return nil, fail(err.Error())
	case len(data) > maxArgFile:
		return nil, fail("file is too large")
	case !utf8.Valid(data):
		return nil, errUsage("failed to load argument file: UTF-8 error in " + path)
	}
	// Rust's str::lines: a last newline ends a line and starts none.
	text := strings.TrimSuffix(string(data), "\n")
	if text == "" && len(data) == 0 {
		return nil, nil
	}
	out := strings.Split(text, "\n")
	for i := range out {
		out[i] = strings.TrimSuffix(out[i], "\r")
	}
	return out, nil
}
