// Package inspect tells facts of ELF files, and of the archives that hold them: who
// linked a file, and what of its linking goes wrong without a word.
//
// A [File] is what one path has. An archive has a File for each member, an rlib's
// lib.rmeta among them, which is none of the object formats. Facts are read from the
// headers; [Symbols] reads more. Input is untrusted: every read is bounded, and a
// malformed file is an error with an offset.
package inspect

import (
	"x.go/dist/linkage"
)

// Format is what kind of file the bytes are.
type Format string

// The formats. Only ELF files and archives have facts; the others are named, so that
// a person knows what a member is.
const (
	ELF     Format = "elf"
	Archive Format = "archive"      // ar(1): !<arch>, BSD and GNU names
	Thin    Format = "thin archive" // !<thin>: the members are files of their own
	Bitcode Format = "llvm bitcode" // what clang -flto writes in place of an object
	MachO   Format = "mach-o"
	COFF    Format = "coff"
	PE      Format = "pe"
	Wasm    Format = "wasm"
	Other   Format = "other" // lib.rmeta, text, …
)

// LTO says which link-time optimisation an object is for.
type LTO string

// The forms of LTO. LLD reads LLVM's bitcode, not GCC's: of a slim object of GCC it
// finds no code, and of a fat one it takes the code that was not optimised.
const (
	NoLTO       LTO = ""
	GCCSlim     LTO = "gcc-slim"      // .gnu.lto_* and no code
	GCCFat      LTO = "gcc-fat"       // .gnu.lto_* and code
	LLVMBitcode LTO = "llvm-bitcode"  // the whole file is bitcode
	LLVMFat     LTO = "llvm-fat"      // .llvm.lto: clang -ffat-lto-objects
	LLVMEmbed   LTO = "llvm-embedded" // .llvmbc: rustc, clang -fembed-bitcode
)

// RELRO says how much of a linked file is read-only once it is loaded.
type RELRO string

// The degrees of RELRO. Full needs PT_GNU_RELRO and BIND_NOW.
const (
	NoRELRO      RELRO = "none"
	PartialRELRO RELRO = "partial"
	FullRELRO    RELRO = "full"
)

// Table is a .ctors or .dtors section.
type Table struct {
	Name string `json:"name"`
	Size uint64 `json:"size"` // bytes
	// Entries are the functions it lists: words but the -1 and 0 with which crtbegin.o
	// and crtend.o of old compilers frame the table.
	Entries int `json:"entries"`
	// Lost says that nobody runs them. It is false in an object, where the linker may
	// still fold them into .init_array, and where the start-up code of an old compiler
	// walks the table.
	Lost bool `json:"lost"`
}

// Library is an entry of DT_NEEDED.
type Library struct {
	Name string `json:"name"`
	// By is the library that needs it; "" for the file itself.
	By string `json:"by,omitempty"`
	// Path is where it was found; "" if it was not.
	Path string `json:"path,omitempty"`
	How  How    `json:"how"`
}

// How says by what a library was found.
type How string

// The ways of finding a library. Unknown says that the file is for another kind of
// system than the one that was searched.
const (
	ByOrigin  How = "origin"  // RUNPATH or RPATH, from where the file lies: $ORIGIN
	ByRunPath How = "runpath" // RUNPATH or RPATH, an absolute directory
	BySystem  How = "system"  // the directories of the system
	ByPath    How = "path"    // NEEDED is an absolute path
	Missing   How = "missing"
	Unknown   How = "unknown"
)

// Section is a section with compressed content.
type Section struct {
	Name   string `json:"name"`
	Coder  string `json:"coder"`  // "zlib", "zstd", "zlib-gnu" for the old .zdebug_*
	Size   uint64 `json:"size"`   // bytes in the file
	Unpack uint64 `json:"unpack"` // bytes once decompressed
}

// Encapsulation is a section whose ends code asks for, by __start_X or __stop_X, and
// that nothing keeps if LLD collects garbage (-z start-stop-gc, its default). In a
// linked file it is one that is gone.
type Encapsulation struct {
	Section string   `json:"section"`
	Symbols []string `json:"symbols"`           // __start_X, __stop_X
	Members []string `json:"members,omitempty"` // of the archive, where it is loose
}

// LostVersion is a symbol version that was there once, by what can be seen.
type LostVersion struct {
	Symbol  string `json:"symbol,omitempty"`
	Version string `json:"version,omitempty"`
	Library string `json:"library,omitempty"` // the other side
	Why     string `json:"why"`
}

// Versions are the symbol versions of a linked file.
type Versions struct {
	Defined []string            `json:"defined,omitempty"`
	Needed  map[string][]string `json:"needed,omitempty"` // by library
	Lost    []LostVersion       `json:"lost,omitempty"`
	// Asked are symbols of an object with a version in their name, by .symver:
	// "f@V1", "f@@V2". A link has to define the versions, by a version script.
	Asked []string `json:"asked,omitempty"`
}

// File is what is known of a file or of a member of an archive.
type File struct {
	Path   string `json:"path"`
	Member string `json:"member,omitempty"`
	Size   int64  `json:"size"` // bytes
	Format Format `json:"format"`
	// Kind is what an ELF file is for; "" for the others.
	Kind linkage.Kind `json:"kind,omitempty"`
	// Machine is as uname -m has it: "x86_64", "aarch64"; "" if unknown.
	Machine string `json:"machine,omitempty"`
	Class   int    `json:"class,omitempty"`  // 32 or 64
	Endian  string `json:"endian,omitempty"` // "little" or "big"

	Linker    linkage.Linker     `json:"linker,omitempty"`
	Version   string             `json:"version,omitempty"` // of the linker
	Sure      Certainty          `json:"sure,omitempty"`
	Evidence  []linkage.Evidence `json:"evidence,omitempty"`
	Doubt     string             `json:"doubt,omitempty"`
	Producers []string           `json:"producers,omitempty"`

	Constructors []Table   `json:"constructors,omitempty"`
	LTO          LTO       `json:"lto,omitempty"`
	Interpreter  string    `json:"interpreter,omitempty"`
	SOName       string    `json:"soname,omitempty"`
	Needed       []Library `json:"needed,omitempty"`
	RunPath      []string  `json:"runpath,omitempty"`
	RPath        []string  `json:"rpath,omitempty"`
	Glibc        string    `json:"glibc,omitempty"` // the floor
	RELRO        RELRO     `json:"relro,omitempty"` // of linked files
	BindNow      bool      `json:"bind_now,omitempty"`
	Compressed   []Section `json:"compressed,omitempty"`
	Versions     Versions  `json:"versions,omitzero"`

	// Asks are the undefined symbols __start_X and __stop_X of an object.
	Asks          []string        `json:"asks,omitempty"`
	Encapsulation []Encapsulation `json:"encapsulation,omitempty"`
	// Foreign are members for another machine than most of the archive.
	Foreign []string `json:"foreign,omitempty"`
	Members []File   `json:"members,omitempty"`
	// Failed says what of the file could not be read: of an archive, a malformed member.
	Failed string `json:"failed,omitempty"`

	most string // of the archive's systems
	info linkage.Info
	open []string // undefined symbols without a version
}

// Certainty says how sure the linker of a file is.
type Certainty string

// The degrees of certainty.
const (
	Certain Certainty = "certain" // it named itself
	Likely  Certainty = "likely"  // the silence of GNU ld
	Guess   Certainty = "guess"   // only the layout tells; Linker is the one of that layout
)

// Options say how far to look.
type Options struct {
	// Root is the directory that stands for / when libraries are looked for.
	Root string
	// Jobs is how many files are read at once; 0 stands for the number of processors.
	Jobs int
}
