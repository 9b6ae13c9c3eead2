package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/inspect"
	"x.go/dist/linkage"
	"x.go/dist/loader"
	"x.go/targets"
)

// DiagnoseFile is [Diagnose] of the log at path, which may be compressed as .gz, .xz or .zst. Of an
// ELF file or an archive it reads instead what went wrong in its link without a word.
func DiagnoseFile(ctx context.Context, name, path string, o Options) (Report, error) {
	f, err := dist.OpenFile(path)
	if err != nil {
		return Report{}, fmt.Errorf("reading %q: %w", path, dist.WithoutPath(err))
	}
	defer f.Close()
	var magic [8]byte
	n, err := f.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Report{}, fmt.Errorf("reading %q: %w", path, dist.WithoutPath(err))
	}
	switch inspect.Sniff(magic[:n]) {
	case inspect.ELF, inspect.Archive, inspect.Thin:
		d := newDiagnosis(name, o)
		if err := d.file(name, path, true); err != nil {
			return Report{}, err
		}
		return d.report(), nil
	}
	if format, ok := archive.SniffFormat(magic[:n]); ok {
		z, err := archive.NewDecoder(f, format, decoderMemory)
		if err != nil {
			return Report{}, fmt.Errorf("reading log %q: %w", name, err)
		}
		defer z.Close()
		return Diagnose(ctx, name, z, o)
	}
	return Diagnose(ctx, name, f, o)
}

// file judges an ELF file or an archive. named says that somebody asks about the very
// file: then what it would do to a link counts too.
func (d *diagnosis) file(name, path string, named bool) error {
	f, err := inspect.Read(path, inspect.Options{})
	if err != nil {
		return err
	}
	s := specimen{d, f, name}
	if f.Format == inspect.ELF && f.Kind != linkage.Relocatable {
		if t := f.Machine; t == "x86_64" && d.target.IsZero() {
			d.target = targets.HostOf("linux", "amd64")
		}
		return s.linked(named)
	}
	if named {
		s.input()
	}
	return nil
}

// specimen is a file under examination.
type specimen struct {
	d    *diagnosis
	file inspect.File
	name string // that evidence has
}

func (s specimen) found(c Cause, sure Confidence, format string, args ...any) {
	s.d.found.of(c, sure).addEvidence(Evidence{File: s.name, Text: shorten(fmt.Sprintf(format, args...), maxText)})
}

// linked judges an executable or a shared library.
func (s specimen) linked(named bool) error {
	for _, t := range s.file.Constructors {
		if t.Lost {
			s.found(Ctors, High, "section %q has %d entries that never run", t.Name, t.Entries)
		}
	}
	for _, l := range s.file.Versions.Lost {
		s.found(LostVersion, High, "symbol %q, version %q: %s", l.Symbol, l.Version, l.Why)
	}
	if s.file.Linker == linkage.Gold && s.rustc() != "" {
		s.found(Gold, High, "linked by gold %s, compiled by rustc %s", s.file.Version, s.rustc())
	}
	s.oldDriver()
	if !s.executable() {
		return nil
	}
	info, err := linkage.ReadFile(s.file.Path)
	if err != nil {
		return err
	}
	if info.Entry == 0 {
		s.found(SelfContainedCrash, High, "the program has no entry point: it crashes when it starts")
	}
	return s.libraries(named)
}

// executable reports whether a program is started from the file, with a loader.
func (s specimen) executable() bool {
	return (s.file.Kind == linkage.Executable || s.file.Kind == linkage.PIE) && s.file.Interpreter != ""
}

// rustc is the version of rustc that the file names, or "".
func (s specimen) rustc() string {
	for _, p := range s.file.Producers {
		if v, ok := strings.CutPrefix(p, "rustc version "); ok {
			v, _, _ = strings.Cut(v, " ")
			return v
		}
	}
	return ""
}

// oldDriver: rustc asks for LLD by default, GNU ld has linked, and the C compiler, which
// leaves its name with its start files, is too old to know LLD.
func (s specimen) oldDriver() {
	r, err := targets.ParseRelease(s.rustc())
	if err != nil || s.file.Linker == linkage.LLD || s.file.Linker == linkage.Unknown || s.file.Machine != "x86_64" ||
		!targets.DefaultLLD(r, targets.HostOf("linux", "amd64")) || strings.Contains(s.file.Interpreter, "musl") {
		return
	}
	newest, text := 0, ""
	for _, p := range s.file.Producers {
		if major := gccMajor(p); major > newest {
			newest, text = major, p
		}
	}
	if newest > 0 && newest < gccWithLLD {
		s.found(OldDriver, Medium, "linked by %s, compiled by rustc %s and %q", s.file.Linker, s.rustc(), text)
	}
}

const gccWithLLD = 9 // the first to take -fuse-ld=lld

// gccMajor reads the version in "GCC: (Debian 8.3.0-6) 8.3.0"; 0 if there is none.
func gccMajor(producer string) int {
	rest, ok := strings.CutPrefix(producer, "GCC: (")
	if !ok {
		return 0
	}
	_, version, _ := strings.Cut(rest, ") ")
	digits, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// libraries looks for the libraries that a program needs and for the symbols that it
// wants from them. Libraries may be found by a variable of the environment: without a
// sign of a wrapper, one that is not found tells only who asks about the very program.
func (s specimen) libraries(named bool) error {
	complete := true
	for _, l := range s.file.Needed {
		switch l.How {
		case inspect.Missing:
			complete = false
			if s.file.Linker == linkage.LLD && len(s.file.RunPath)+len(s.file.RPath) == 0 {
				sure := Low
				if !loader.StandardInterpreter(s.file.Interpreter) {
					sure = Medium
				}
				if sure == Low && !named {
					continue
				}
				s.found(LostRunPath, sure, "library %q is not found, and the file has no RUNPATH", l.Name)
			}
		case inspect.Unknown:
			complete = false
		}
	}
	if !complete {
		return nil // who knows what they define
	}
	return s.symbols()
}

const maxMissing = 1 << 14 // symbols that a program wants

var errEnough = errors.New("too many symbols")

// symbols looks for symbols that no library of a program defines.
func (s specimen) symbols() error {
	wanted := map[string]bool{}
	err := inspect.Symbols(s.file.Path, func(sym inspect.Symbol) error {
		if !sym.Defined && !sym.Weak && !sym.Local && sym.Version == "" {
			wanted[sym.Name] = true
		}
		if len(wanted) > maxMissing {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, l := range s.file.Needed {
		if len(wanted) == 0 {
			return nil
		}
		if err := inspect.Symbols(l.Path, func(sym inspect.Symbol) error {
			if sym.Defined && !sym.Local {
				delete(wanted, sym.Name)
			}
			return nil
		}); err != nil {
			return nil // a linker script, or a file that went away: nothing is sure
		}
	}
	names := make([]string, 0, len(wanted))
	for name := range wanted {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s.found(UnresolvedAtRunTime, High, "symbol %q: no library that the program needs defines it", name)
	}
	return nil
}

// input judges an object or an archive: what LLD would make of it.
func (s specimen) input() {
	members := s.file.Members
	if s.file.Format == inspect.ELF {
		members = []inspect.File{s.file}
	}
	for _, m := range members {
		name := m.Member
		if name == "" {
			name = filepath.Base(s.name)
		}
		for _, t := range m.Constructors {
			s.found(Ctors, Medium, "%q has section %q: LLD would not have it run", name, t.Name)
		}
		switch m.LTO {
		case inspect.GCCSlim:
			s.found(LTOObjects, High, "%q holds GCC's intermediate code alone", name)
		case inspect.GCCFat:
			s.found(LTOObjects, Medium, "%q holds GCC's intermediate code, which LLD passes over, beside machine code", name)
		}
	}
	for _, e := range s.file.Encapsulation {
		s.found(StartStopGC, Medium, "nothing keeps section %q, which %s ask for", e.Section, strings.Join(e.Symbols, ", "))
	}
	for _, m := range s.file.Foreign {
		s.found(Incompatible, High, "member %q is for another machine than most", m)
	}
}
