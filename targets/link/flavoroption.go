package link

import (
	"strings"
	"unicode"

	"x.go/targets"
)

// flavorOption is a value of -Clinker-flavor: one of the modern names or of
// the seven legacy ones. The zero flavorOption means that the option was not
// given.
type flavorOption struct{ index byte } // index into flavorOptions, from 1

type hint byte

const (
	keep hint = iota // leave the target's bit as it is
	off
	on
)

type flavorOptionRow struct {
	name    string
	cc, lld hint
	kind    targets.FlavorKind // kind of a modern name, 0 for a legacy one
	stable  bool
}

// flavorOptions is in the order of rustc's listing. A modern name hints at its
// own bits, except those that its kind does not have.
var flavorOptions = [...]flavorOptionRow{
	{},
	{"gnu", off, off, targets.KindGNU, false},
	{"gnu-lld", off, on, targets.KindGNU, false},
	{"gnu-cc", on, off, targets.KindGNU, false},
	{"gnu-lld-cc", on, on, targets.KindGNU, false},
	{"darwin", off, off, targets.KindDarwin, false},
	{"darwin-lld", off, on, targets.KindDarwin, false},
	{"darwin-cc", on, off, targets.KindDarwin, false},
	{"darwin-lld-cc", on, on, targets.KindDarwin, false},
	{"wasm-lld", off, on, targets.KindWasm, false},
	{"wasm-lld-cc", on, on, targets.KindWasm, false},
	{"unix", off, keep, targets.KindUnix, false},
	{"unix-cc", on, keep, targets.KindUnix, false},
	{"msvc-lld", off, on, targets.KindMSVC, false},
	{"msvc", off, off, targets.KindMSVC, true},
	{"em-cc", on, on, targets.KindEm, false},
	{"bpf", keep, keep, targets.KindBPF, false},
	{"llbc", keep, keep, targets.KindLLBC, false},
	{"ptx", keep, keep, targets.KindPTX, false},
	{"gcc", on, keep, 0, true},
	{"ld", off, off, 0, true},
	{"ld.lld", off, on, 0, true},
	{"ld64.lld", off, on, 0, true},
	{"lld-link", off, on, 0, true},
	{"wasm-ld", off, on, 0, true},
	{"em", on, on, 0, true},
}

// parseFlavorOption finds a value of -Clinker-flavor by name.
func parseFlavorOption(name string) (flavorOption, bool) {
	for i := 1; i < len(flavorOptions); i++ {
		if flavorOptions[i].name == name {
			return flavorOption{byte(i)}, true
		}
	}
	return flavorOption{}, false
}

// String returns the option's value, or "" where it was not given.
func (o flavorOption) String() string { return flavorOptions[o.index].name }

// isZero reports whether the option was not given.
func (o flavorOption) isZero() bool { return o.index == 0 }

// stable reports whether the value needs no -Zunstable-options.
func (o flavorOption) stable() bool { return flavorOptions[o.index].stable }

// apply returns the flavor that rustc uses on a target of flavor f when this
// option is given. Only llbc and ptx replace the target's kind; every other
// value is a hint about the two bits, so that gcc on a gnu-lld-cc target keeps
// LLD.
func (o flavorOption) apply(f targets.LinkerFlavor) targets.LinkerFlavor {
	row := &flavorOptions[o.index]
	switch row.kind {
	case targets.KindLLBC:
		return llbc
	case targets.KindPTX:
		return ptx
	}
	return withHints(f, row.cc, row.lld)
}

// The flavors that an option can put in the place of the target's.
var llbc, ptx = mustFlavor("llbc"), mustFlavor("ptx")

func mustFlavor(name string) targets.LinkerFlavor {
	f, err := targets.ParseLinkerFlavor(name)
	if err != nil {
		panic(err) // a constant of this file
	}
	return f
}

// withHints sets the bits a hint knows and f's kind can choose. It never
// changes the kind.
func withHints(f targets.LinkerFlavor, cc, lld hint) targets.LinkerFlavor {
	if cc != keep {
		f = f.WithCC(cc == on)
	}
	if lld != keep {
		f = f.WithLLD(lld == on)
	}
	return f
}

// flavorPrograms names the linkers of a kind: the program that runs without a C
// compiler and without LLD, and the value that `lld -flavor` takes.
var flavorPrograms = [...]struct{ direct, lldName string }{
	targets.KindGNU:    {"ld", "gnu"},
	targets.KindDarwin: {"ld", "darwin"},
	targets.KindWasm:   {"", "wasm"},
	targets.KindUnix:   {"ld", ""},
	targets.KindMSVC:   {"link.exe", "link"},
	targets.KindBPF:    {"bpf-linker", ""},
	targets.KindLLBC:   {"llvm-bitcode-linker", ""},
	targets.KindPTX:    {"rust-ptx-linker", ""},
}

// defaultProgram returns the program rustc starts for f where neither target
// nor user name one. cc is the host's C compiler driver.
func defaultProgram(f targets.LinkerFlavor, cc string) string {
	switch {
	case f.Kind() == targets.KindEm:
		return "emcc"
	case f.UsesCC():
		return cc
	case f.UsesLLD():
		return "lld"
	}
	return flavorPrograms[f.Kind()].direct
}

// compatibleWith reports whether rustc takes this option on a target of
// flavor f: the kinds are the same, or llbc is asked of a ptx target, or the
// legacy name is the one that describes f after its own hints.
func (o flavorOption) compatibleWith(f targets.LinkerFlavor) bool {
	row := &flavorOptions[o.index]
	if row.kind != 0 {
		return row.kind == f.Kind() || row.kind == targets.KindLLBC && f.Kind() == targets.KindPTX
	}
	return row.name == legacyName(withHints(f, row.cc, row.lld))
}

// legacyName names a flavor in the vocabulary from before rust-lang/rust#100552.
// Kinds that had no name there have their modern one.
func legacyName(f targets.LinkerFlavor) string {
	switch k := f.Kind(); {
	case k == targets.KindEm:
		return "em"
	case k == targets.KindMSVC && f.UsesLLD():
		return "lld-link"
	case k == targets.KindMSVC, k == targets.KindBPF, k == targets.KindLLBC, k == targets.KindPTX:
		return f.String()
	case f.UsesCC():
		return "gcc"
	case k == targets.KindWasm:
		return "wasm-ld"
	case !f.UsesLLD():
		return "ld"
	case k == targets.KindDarwin:
		return "ld64.lld"
	}
	return "ld.lld"
}

// compatibleFlavors lists the values a target of flavor f takes, as the note
// of rustc's error does.
func compatibleFlavors(f targets.LinkerFlavor) string {
	var names []string
	for i := 1; i < len(flavorOptions); i++ {
		if o := (flavorOption{byte(i)}); o.compatibleWith(f) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, ", ")
}

// flavorListing is every value with a blank after it, the last one too, as rustc
// prints it.
func flavorListing() string {
	var b strings.Builder
	for i := 1; i < len(flavorOptions); i++ {
		b.WriteString(flavorOptions[i].name)
		b.WriteByte(' ')
	}
	return b.String()
}

// stemHints reads what rustc concludes from the name of the program given with
// -Clinker: the last extension and a trailing -<digits> do not count. llbc is
// true for llvm-bitcode-linker, which replaces the flavor outright.
func stemHints(program string) (cc, lld hint, llbc bool) {
	stem := fileStem(program)
	if i := strings.LastIndexByte(stem, '-'); i >= 0 && !strings.ContainsFunc(stem[i+1:], notNumeric) {
		stem = stem[:i]
	}
	switch stem {
	case "emcc":
		return on, off, false
	case "wasm-ld", "ld.lld", "lld", "rust-lld", "lld-link":
		return off, on, false
	case "ld", "link":
		return off, off, false
	case "llvm-bitcode-linker":
		return keep, keep, true
	}
	for _, cc := range [...]string{"gcc", "g++", "clang", "clang++"} {
		if isOrEndsDash(stem, cc) {
			return on, off, false
		}
	}
	switch {
	case isOrEndsDash(stem, "wasm-ld"):
		return off, on, false
	case isOrEndsDash(stem, "ld"):
		return off, off, false
	}
	return keep, keep, false
}

// isLinker reports whether a program is known to be a linker and no C compiler,
// whatever rustc makes of its name: rui314/mold#1102.
func isLinker(program string) bool {
	switch fileStem(program) {
	case "mold", "sold", "wild", "lld", "rust-lld", "ld", "ld64", "gold", "bfd", "eld", "lld-link", "wasm-ld", "bpf-linker":
		return true
	}
	base := program[strings.LastIndexByte(program, '/')+1:]
	return strings.HasPrefix(base, "ld.") || strings.HasPrefix(base, "ld64.") || isOrEndsDash(base, "ld") ||
		strings.Contains(base, "-ld.")
}

// isLLD reports whether the value of -fuse-ld or --ld-path is LLD: its name, or a
// path to it.
func isLLD(name string) bool {
	switch base := name[strings.LastIndexByte(name, '/')+1:]; base {
	case "lld", "ld.lld", "ld64.lld", "lld-link", "wasm-ld", "rust-lld":
		return true
	default:
		return strings.HasPrefix(base, "ld.lld-")
	}
}

func notNumeric(r rune) bool { return !unicode.IsNumber(r) }

// isOrEndsDash reports whether stem is name itself or ends in "-name", the
// form of a cross tool's name.
func isOrEndsDash(stem, name string) bool {
	rest, ok := strings.CutSuffix(stem, name)
	return ok && (rest == "" || strings.HasSuffix(rest, "-"))
}

// fileStem is Rust's Path::file_stem: the last component without its last
// extension, "" where there is none. A leading dot starts no extension.
func fileStem(path string) string {
	path = strings.TrimRight(path, "/")
	for strings.HasSuffix(path, "/.") {
		path = strings.TrimRight(strings.TrimSuffix(path, "."), "/")
	}
	base := path[strings.LastIndexByte(path, '/')+1:]
	if base == "." || base == ".." {
		return ""
	}
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		return base[:i]
	}
	return base
}
