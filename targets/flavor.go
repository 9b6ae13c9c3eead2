package targets

import "fmt"

// LinkerFlavor says what command line a linker takes: its family, whether a C
// compiler runs the linker, and whether it is LLD. It mirrors rustc_target's
// LinkerFlavor. The zero LinkerFlavor is invalid; values are comparable.
type LinkerFlavor struct {
	kind    FlavorKind
	cc, lld bool
}

// FlavorKind is the family of a linker's command line, a variant of rustc's
// LinkerFlavor without its two bits. The zero FlavorKind is invalid.
type FlavorKind byte

// The kinds, in the order of rustc_target's enum.
const (
	_          FlavorKind = iota
	KindGNU               // GNU ld and compatible ones, LLD among them
	KindDarwin            // Apple's ld64
	KindWasm              // wasm-ld, which is LLD always
	KindUnix              // other systems' ld
	KindMSVC              // link.exe
	KindEm                // emcc
	KindBPF               // bpf-linker
	KindLLBC              // llvm-bitcode-linker
	KindPTX               // rust-ptx-linker
)

// flavorKinds says per kind which of the two bits a flavor can choose. A bit
// that cannot be chosen has a fixed value.
var flavorKinds = [...]struct {
	hasCC, hasLLD     bool
	fixedCC, fixedLLD bool
}{
	KindGNU:    {hasCC: true, hasLLD: true},
	KindDarwin: {hasCC: true, hasLLD: true},
	KindWasm:   {hasCC: true, fixedLLD: true},
	KindUnix:   {hasCC: true},
	KindMSVC:   {hasLLD: true},
	KindEm:     {fixedCC: true, fixedLLD: true},
	KindPTX:    {},
}

// modernFlavors lists the names of flavors in the order of rustc's messages.
var modernFlavors = [...]struct {
	name   string
	flavor LinkerFlavor
}{
	{"gnu", LinkerFlavor{KindGNU, false, false}},
	{"gnu-lld", LinkerFlavor{KindGNU, false, true}},
	{"gnu-cc", LinkerFlavor{KindGNU, true, false}},
	{"gnu-lld-cc", LinkerFlavor{KindGNU, true, true}},
	{"darwin", LinkerFlavor{KindDarwin, false, false}},
	{"darwin-lld", LinkerFlavor{KindDarwin, false, true}},
	{"darwin-cc", LinkerFlavor{KindDarwin, true, false}},
	{"darwin-lld-cc", LinkerFlavor{KindDarwin, true, true}},
	{"wasm-lld", LinkerFlavor{KindWasm, false, true}},
	{"wasm-lld-cc", LinkerFlavor{KindWasm, true, true}},
	{"unix", LinkerFlavor{KindUnix, false, false}},
	{"unix-cc", LinkerFlavor{KindUnix, true, false}},
	{"msvc-lld", LinkerFlavor{KindMSVC, false, true}},
	{"msvc", LinkerFlavor{KindMSVC, false, false}},
	{"em-cc", LinkerFlavor{KindEm, true, true}},
	{"bpf", LinkerFlavor{KindBPF, false, false}},
	{"llbc", LinkerFlavor{KindLLBC, false, false}},
	{"ptx", LinkerFlavor{KindPTX, false, false}},
}

// ParseLinkerFlavor reads a flavor's modern name, such as gnu-lld-cc, as
// target specs spell it. The legacy names of the command line (gcc, ld.lld)
// are not flavors but hints at one.
func ParseLinkerFlavor(name string) (LinkerFlavor, error) {
	for i := range modernFlavors {
		if modernFlavors[i].name == name {
			return modernFlavors[i].flavor, nil
		}
	}
	return LinkerFlavor{}, fmt.Errorf("parsing linker flavor %q: unknown flavor, want one such as gnu-lld-cc", name)
}

// String returns the modern name, or "" for the zero LinkerFlavor.
func (f LinkerFlavor) String() string {
	for i := range modernFlavors {
		if modernFlavors[i].flavor == f {
			return modernFlavors[i].name
		}
	}
	return ""
}

// IsZero reports whether f is the invalid zero LinkerFlavor.
func (f LinkerFlavor) IsZero() bool { return f == LinkerFlavor{} }

// UsesCC reports whether a C compiler drives the linker.
func (f LinkerFlavor) UsesCC() bool { return f.cc }

// UsesLLD reports whether the linker is LLD.
func (f LinkerFlavor) UsesLLD() bool { return f.lld }

// Kind returns the family of the command line.
func (f LinkerFlavor) Kind() FlavorKind { return f.kind }

// WithCC returns f with or without a C compiler as the driver. Kinds without
// that choice stay as they are.
func (f LinkerFlavor) WithCC(on bool) LinkerFlavor {
	if flavorKinds[f.kind].hasCC {
		f.cc = on
	}
	return f
}

// WithLLD returns f with LLD on or off, as -Clinker-features=±lld does. Kinds
// without that choice, wasm among them, stay as they are.
func (f LinkerFlavor) WithLLD(on bool) LinkerFlavor {
	if flavorKinds[f.kind].hasLLD {
		f.lld = on
	}
	return f
}

// MarshalText implements [encoding.TextMarshaler].
func (f LinkerFlavor) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParseLinkerFlavor].
func (f *LinkerFlavor) UnmarshalText(b []byte) error {
	p, err := ParseLinkerFlavor(string(b))
	if err != nil {
		return err
	}
	*f = p
	return nil
}
