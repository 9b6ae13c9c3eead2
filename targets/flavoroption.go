package targets

import (
	"strings"
	"unicode"
)

// FlavorOption is a value of -Clinker-flavor: one of the modern names or of
// the seven legacy ones. The zero FlavorOption means that the option was not
// given.
type FlavorOption struct{ index byte } // index into flavorOptions, from 1

type hint byte

const (
	keep hint = iota // leave the target's bit as it is
	off
	on
)

type flavorOptionRow struct {
	name    string
	cc, lld hint
	kind    flavorKind // kind of a modern name, 0 for a legacy one
	stable  bool
}

// flavorOptions is in the order of rustc's listing. Modern names hint at their
// own bits but for the bits their kind has none of.
var flavorOptions = [...]flavorOptionRow{
	{},
	{"gnu", off, off, kindGNU, false},
	{"gnu-lld", off, on, kindGNU, false},
	{"gnu-cc", on, off, kindGNU, false},
	{"gnu-lld-cc", on, on, kindGNU, false},
	{"darwin", off, off, kindDarwin, false},
	{"darwin-lld", off, on, kindDarwin, false},
	{"darwin-cc", on, off, kindDarwin, false},
	{"darwin-lld-cc", on, on, kindDarwin, false},
	{"wasm-lld", off, on, kindWasm, false},
	{"wasm-lld-cc", on, on, kindWasm, false},
	{"unix", off, keep, kindUnix, false},
	{"unix-cc", on, keep, kindUnix, false},
	{"msvc-lld", off, on, kindMSVC, false},
	{"msvc", off, off, kindMSVC, true},
	{"em-cc", on, on, kindEm, false},
	{"bpf", keep, keep, kindBPF, false},
	{"llbc", keep, keep, kindLLBC, false},
	{"ptx", keep, keep, kindPTX, false},
	{"gcc", on, keep, 0, true},
	{"ld", off, off, 0, true},
	{"ld.lld", off, on, 0, true},
	{"ld64.lld", off, on, 0, true},
	{"lld-link", off, on, 0, true},
	{"wasm-ld", off, on, 0, true},
	{"em", on, on, 0, true},
}

// ParseFlavorOption finds a value of -Clinker-flavor by name.
func ParseFlavorOption(name string) (FlavorOption, bool) {
	for i := 1; i < len(flavorOptions); i++ {
		if flavorOptions[i].name == name {
			return FlavorOption{byte(i)}, true
		}
	}
	return FlavorOption{}, false
}

// String returns the option's value, or "" where it was not given.
func (o FlavorOption) String() string { return flavorOptions[o.index].name }

// IsZero reports whether the option was not given.
func (o FlavorOption) IsZero() bool { return o.index == 0 }

// Stable reports whether the value needs no -Zunstable-options.
func (o FlavorOption) Stable() bool { return flavorOptions[o.index].stable }

// Apply returns the flavor that rustc uses on a target of flavor f when this
// option is given. Only llbc and ptx replace the target's kind; every other
// value is a hint about the two bits, so that gcc on a gnu-lld-cc target keeps
// LLD.
func (o FlavorOption) Apply(f LinkerFlavor) LinkerFlavor {
	row := &flavorOptions[o.index]
	if row.kind == kindLLBC || row.kind == kindPTX {
		return LinkerFlavor{kind: row.kind}
	}
	return f.withHints(row.cc, row.lld)
}

// CompatibleWith reports whether rustc takes this option on a target of
// flavor f: the kinds are the same, or llbc is asked of a ptx target, or the
// legacy name is the one that describes f after its own hints.
func (o FlavorOption) CompatibleWith(f LinkerFlavor) bool {
	row := &flavorOptions[o.index]
	if row.kind != 0 {
		return row.kind == f.kind || row.kind == kindLLBC && f.kind == kindPTX
	}
	return row.name == f.withHints(row.cc, row.lld).legacyName()
}

// legacyName names a flavor in the vocabulary from before rust-lang/rust#100552.
// Kinds that had no name there have their modern one.
func (f LinkerFlavor) legacyName() string {
	switch {
	case f.kind == kindEm:
		return "em"
	case f.kind == kindMSVC && f.lld:
		return "lld-link"
	case f.kind >= kindMSVC:
		return f.String()
	case f.cc:
		return "gcc"
	case f.kind == kindWasm:
		return "wasm-ld"
	case !f.lld:
		return "ld"
	case f.kind == kindDarwin:
		return "ld64.lld"
	}
	return "ld.lld"
}

// compatibleFlavors lists the values a target of flavor f takes, as the note
// of rustc's error does.
func compatibleFlavors(f LinkerFlavor) string {
	var names []string
	for i := 1; i < len(flavorOptions); i++ {
		if o := (FlavorOption{byte(i)}); o.CompatibleWith(f) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, ", ")
}

// flavorListing is every value followed by one blank, the last too, as rustc
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
