// Package linkage reads from an ELF file how it was linked: by which linker
// and version, against which libraries, and with which search path.
//
// A successful link says nothing about the linker that ran: if a C compiler
// rejects -fuse-ld=lld, rustc tries again without it and exits 0
// (rust-lang/rust#140964). The file itself tells. LLD, mold and Wild name themselves in
// the section .comment, gold leaves a note, and GNU ld leaves nothing:
//
//	linker  mark                                         order in the dynamic table
//	LLD     .comment: "Linker: [vendor] LLD 22.1.2 (...)" SYMTAB STRTAB GNU_HASH INIT_ARRAY
//	mold    .comment: "mold 1.10.1 (...)"                 SYMTAB STRTAB INIT_ARRAY GNU_HASH
//	gold    .note.gnu.gold-version: "gold 1.16"           SYMTAB STRTAB GNU_HASH NEEDED
//	BFD     none, .comment names only compilers           GNU_HASH STRTAB SYMTAB
//	Go      .note.go.buildid, and no .comment             HASH SYMTAB STRTAB
//	Wild    .comment: "Linker: Wild version 0.7.0 (...)"  (not known)
//
// A mark decides. The order of the dynamic table, and that of sections, only confirms
// or contradicts it, and gives a guess for a stripped .comment; see [Info].
//
// Input is untrusted, and debug/elf is documented as not hardened. So [Read] has a
// bounded decoder of its own: it reads headers and short strings only, never a
// whole section, and its memory does not depend on the size of the file.
package linkage

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
)

// The error of [Read] wraps ErrNotELF for input that does not start with the ELF
// magic: a script, a linker script such as libLLVM's
// "INPUT(libLLVM.so.22.1-rust-1.95.0-stable)", an archive.
var ErrNotELF = errors.New("not an ELF file")

// FormatError says where an ELF file breaks its own format or a limit of this
// package.
type FormatError struct {
	Offset int64  // byte offset in the file
	Msg    string // what is wrong there
}

// Error implements [error].
func (e *FormatError) Error() string {
	return fmt.Sprintf("reading ELF at offset %#x: %s", e.Offset, e.Msg)
}

// Kind is what a linked file is for.
type Kind string

// The kinds of ELF files.
const (
	Executable  Kind = "executable" // ET_EXEC
	PIE         Kind = "pie"        // ET_DYN with an interpreter
	StaticPIE   Kind = "static-pie" // ET_DYN marked DF_1_PIE, no interpreter
	Shared      Kind = "shared"     // ET_DYN otherwise
	Relocatable Kind = "relocatable"
	OtherKind   Kind = "other" // core files and processor-specific types
)

// Info is what one ELF file tells about its linking. Lists keep the order of
// the file.
type Info struct {
	Class   elf.Class
	Data    elf.Data // byte order
	Machine elf.Machine
	Kind    Kind
	Entry   uint64 // virtual address where a program starts; 0: it has no start

	// Linker follows from marks. Unknown means that the file holds no mark, and no
	// producers either (those without a mark speak for GNU ld), or that its layout
	// contradicts them.
	Linker Linker
	// LinkerVersion is the linker's own version, "22.1.2"; empty if unknown or
	// if the file holds marks of several versions (objects that mold joined with
	// -r have one too).
	LinkerVersion string
	// Layout is the only linker that writes files laid out like this one, and
	// Unknown if none or several do. It survives stripping.
	Layout Linker
	// Evidence is every witness found, marks first.
	Evidence []Evidence
	// Doubt says why the witnesses contradict each other; empty if they agree. Linker
	// is then Unknown.
	Doubt string
	// Producers are the strings of .comment that are no linker's mark, such
	// as "rustc version 1.95.0 (59807616e 2026-04-14)" and
	// "GCC: (Debian 12.2.0-14+deb12u1) 12.2.0".
	Producers []string

	Interpreter string   // PT_INTERP
	SOName      string   // DT_SONAME
	Needed      []string // DT_NEEDED
	RPath       []string // DT_RPATH, split at colons
	RunPath     []string // DT_RUNPATH, split at colons
	// GlibcFloor is the oldest glibc that has every symbol version needed,
	// "2.17"; empty if none is needed.
	GlibcFloor string
	// NeededVersions are the symbol versions that libraries must have.
	NeededVersions []NeededVersion
	// BindNow says that the loader resolves all symbols before it starts the program.
	BindNow bool
	// Constructors are the .ctors and .dtors sections. GNU ld folds them into
	// .init_array and .fini_array; LLD keeps them, and the functions they list
	// silently never run (rust-lang/rust#128286).
	Constructors []Constructors
}

// LostConstructors names the sections of functions that nobody runs.
func (info Info) LostConstructors() []string {
	var names []string
	for _, c := range info.Constructors {
		if c.Lost {
			names = append(names, c.Section)
		}
	}
	return names
}

// NeededVersion is a symbol version that a library must have.
type NeededVersion struct {
	Library string // as DT_NEEDED has it
	Version string // "GLIBC_2.17"
	Weak    bool   // nothing fails without it
	index   uint16 // in the table of the symbols' versions
}

// ReadFile is [Read] of the file at path.
func ReadFile(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, fmt.Errorf("reading linkage: %w", err)
	}
	defer f.Close()
	info, err := Read(f)
	if err != nil {
		return Info{}, fmt.Errorf("reading linkage of %q: %w", path, err)
	}
	return info, nil
}

// Read judges one ELF file of either class and byte order. The error wraps
// [ErrNotELF], is a [*FormatError], or comes from r.
func Read(r io.ReaderAt) (Info, error) {
	f, err := Open(r)
	if err != nil {
		return Info{}, err
	}
	return f.Info()
}

// Info judges how the file was linked.
func (f *File) Info() (Info, error) {
	info, dyn, err := f.loaded()
	if err != nil {
		return Info{}, err
	}
	if err := f.judge(&info, dyn.tags); err != nil {
		return Info{}, err
	}
	return info, nil
}

// ReadLoaded is [Read] without a judgement: it reads what the dynamic loader does, so
// r may lack the rest of the file.
func ReadLoaded(r io.ReaderAt) (Info, error) {
	f, err := Open(r)
	if err != nil {
		return Info{}, err
	}
	return f.Loaded()
}

// Loaded is [File.Info] without a judgement.
func (f *File) Loaded() (Info, error) {
	info, _, err := f.loaded()
	return info, err
}

// loaded is what the dynamic loader reads.
func (f *File) loaded() (Info, dynamic, error) {
	info := Info{Class: f.Class, Data: f.Data, Machine: f.Machine, Entry: f.Entry}
	dyn, err := f.readDynamic()
	if err != nil {
		return Info{}, dynamic{}, err
	}
	info.BindNow = dyn.now
	if info.Interpreter, err = f.interpreter(); err != nil {
		return Info{}, dynamic{}, err
	}
	if err := dyn.fill(f, &info); err != nil {
		return Info{}, dynamic{}, err
	}
	info.Kind = kindOf(f.Type, info.Interpreter != "", dyn.pie, info.SOName != "")
	return info, dyn, nil
}

func kindOf(typ elf.Type, interp, pie, soname bool) Kind {
	switch typ {
	case elf.ET_EXEC:
		return Executable
	case elf.ET_REL:
		return Relocatable
	case elf.ET_DYN:
		switch {
		case pie && !interp:
			return StaticPIE
		case pie, interp && !soname:
			return PIE // old linkers do not set DF_1_PIE
		}
		return Shared
	}
	return OtherKind
}
