package targets

import "fmt"

// LinkerFlavor says how a linker wants to be talked to: the family of its
// command line, whether it is reached through a C compiler, and whether it is
// LLD. It mirrors rustc_target's LinkerFlavor. The zero LinkerFlavor is
// invalid; values are comparable.
type LinkerFlavor struct {
	kind    flavorKind
	cc, lld bool
}

type flavorKind byte

const (
	_ flavorKind = iota
	kindGNU
	kindDarwin
	kindWasm
	kindUnix
	kindMSVC
	kindEm
	kindBPF
	kindLLBC
	kindPTX
)

// flavorKinds says per kind which of the two bits a flavor can choose. A bit
// that cannot be chosen has a fixed value.
var flavorKinds = [...]struct {
	hasCC, hasLLD     bool
	fixedCC, fixedLLD bool
	lldName           string // what `lld -flavor` calls it
	direct            string // program without cc and without LLD
}{
	kindGNU:    {hasCC: true, hasLLD: true, lldName: "gnu", direct: "ld"},
	kindDarwin: {hasCC: true, hasLLD: true, lldName: "darwin", direct: "ld"},
	kindWasm:   {hasCC: true, fixedLLD: true, lldName: "wasm"},
	kindUnix:   {hasCC: true, direct: "ld"},
	kindMSVC:   {hasLLD: true, lldName: "link", direct: "link.exe"},
	kindEm:     {fixedCC: true, fixedLLD: true},
	kindBPF:    {direct: "bpf-linker"},
	kindLLBC:   {direct: "llvm-bitcode-linker"},
	kindPTX:    {direct: "rust-ptx-linker"},
}

// modernFlavors lists the names of flavors in the order of rustc's messages.
var modernFlavors = [...]struct {
	name   string
	flavor LinkerFlavor
}{
	{"gnu", LinkerFlavor{kindGNU, false, false}},
	{"gnu-lld", LinkerFlavor{kindGNU, false, true}},
	{"gnu-cc", LinkerFlavor{kindGNU, true, false}},
	{"gnu-lld-cc", LinkerFlavor{kindGNU, true, true}},
	{"darwin", LinkerFlavor{kindDarwin, false, false}},
	{"darwin-lld", LinkerFlavor{kindDarwin, false, true}},
	{"darwin-cc", LinkerFlavor{kindDarwin, true, false}},
	{"darwin-lld-cc", LinkerFlavor{kindDarwin, true, true}},
	{"wasm-lld", LinkerFlavor{kindWasm, false, true}},
	{"wasm-lld-cc", LinkerFlavor{kindWasm, true, true}},
	{"unix", LinkerFlavor{kindUnix, false, false}},
	{"unix-cc", LinkerFlavor{kindUnix, true, false}},
	{"msvc-lld", LinkerFlavor{kindMSVC, false, true}},
	{"msvc", LinkerFlavor{kindMSVC, false, false}},
	{"em-cc", LinkerFlavor{kindEm, true, true}},
	{"bpf", LinkerFlavor{kindBPF, false, false}},
	{"llbc", LinkerFlavor{kindLLBC, false, false}},
	{"ptx", LinkerFlavor{kindPTX, false, false}},
}

// ParseLinkerFlavor reads a flavor's modern name, such as gnu-lld-cc, as
// target specs spell it. The legacy names of the command line (gcc, ld.lld)
// are not flavors but hints: see [ParseFlavorOption].
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

// IsGNU reports whether the command line is GNU ld's.
func (f LinkerFlavor) IsGNU() bool { return f.kind == kindGNU }

// WithLLD returns f with LLD on or off. Kinds without a choice of their own,
// wasm among them, are returned as they are: this is what
// -Clinker-features=±lld does.
func (f LinkerFlavor) WithLLD(on bool) LinkerFlavor {
	if flavorKinds[f.kind].hasLLD {
		f.lld = on
	}
	return f
}

// withHints sets the bits a hint knows and f's kind can choose. It never
// changes the kind.
func (f LinkerFlavor) withHints(cc, lld hint) LinkerFlavor {
	if cc != keep && flavorKinds[f.kind].hasCC {
		f.cc = cc == on
	}
	if lld != keep {
		f = f.WithLLD(lld == on)
	}
	return f
}

// program returns the program rustc starts for f where neither target nor
// user name one. cc is the host's C compiler driver.
func (f LinkerFlavor) program(cc string) string {
	switch {
	case f.kind == kindEm:
		return "emcc"
	case f.cc:
		return cc
	case f.lld:
		return "lld"
	}
	return flavorKinds[f.kind].direct
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
