package inspect

import (
	"debug/elf"
	"maps"
	"slices"
	"strings"

	"x.go/dist/linkage"
)

const (
	maxProvided = 1 << 18 // symbols of a library that are looked up
	maxLost     = 64      // lost versions that are listed
)

// providedSymbol is a symbol that a library defines.
type providedSymbol struct {
	version string
	hidden  bool
}

// readVersions lists the versions of a linked file.
func (r *elfReader) readVersions() error {
	v, err := r.File.Versions(r.info.NeededVersions)
	if err != nil {
		return err
	}
	r.out.Versions.Defined = v.Defined
	for _, n := range r.info.NeededVersions {
		if r.out.Versions.Needed == nil {
			r.out.Versions.Needed = map[string][]string{}
		}
		r.out.Versions.Needed[n.Library] = append(r.out.Versions.Needed[n.Library], n.Version)
	}
	table, ok := r.SymbolTable(elf.SHT_DYNSYM)
	if !ok || len(r.info.Needed) == 0 && len(v.Defined) > 0 {
		return nil
	}
	signs := false
	if int(table.Link) < len(r.Sections) {
		if signs, err = r.contains(r.Sections[table.Link], []string{"@"}); err != nil {
			return err
		}
	}
	var failed error
	err = r.Symbols(table, 1, func(s linkage.Symbol) bool {
		if s.Bind == elf.STB_LOCAL || s.Defined() && (len(v.Defined) > 0 || !signs) {
			return true
		}
		version, _, err := v.Of(s)
		if failed = err; err != nil || version != "" {
			return err == nil
		}
		name, err := r.Name(s)
		if failed = err; err != nil {
			return false
		}
		// A weak reference is meant to hold without the symbol too, and may be older than
		// its version.
		if s.Defined() || s.Bind != elf.STB_WEAK || strings.Contains(name, "@") {
			r.out.unversioned(s.Defined(), name)
		}
		return true
	})
	if failed != nil {
		return failed
	}
	return err
}

// unversioned notes a dynamic symbol without a version.
func (f *File) unversioned(defined bool, name string) {
	switch plain, version, ok := strings.Cut(name, "@"); {
	case ok && plain != "":
		f.lose(LostVersion{Symbol: plain, Version: strings.TrimLeft(version, "@"), Why: "its name still has the version, the table of versions does not"})
	case !defined && len(f.open) < maxProvided:
		f.open = append(f.open, name)
	}
}

func (f *File) lose(l LostVersion) {
	if len(f.Versions.Lost) < maxLost {
		f.Versions.Lost = append(f.Versions.Lost, l)
	}
}

// versions are those that a library defines; known is false if it cannot be read.
func (l *library) versions() (defined []string, known bool) {
	l.once.Do(func() {
		l.failed = l.opened(func(_ *linkage.File, v *linkage.Versions) error {
			l.defined = v.Defined
			return nil
		}) != nil
	})
	return l.defined, !l.failed
}

// provides returns a symbol that a library defines.
func (l *library) provides(symbol string) (providedSymbol, bool) {
	l.reading.Do(func() {
		l.symbols = map[string]providedSymbol{}
		// Of one that cannot be read nothing is known, as of one without symbols.
		_ = l.opened(l.readSymbols)
	})
	p, ok := l.symbols[symbol]
	return p, ok
}

// opened calls do with the file of a library.
func (l *library) opened(do func(*linkage.File, *linkage.Versions) error) error {
	in, _, err := open(l.path)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := linkage.Open(in)
	if err != nil {
		return err
	}
	v, err := f.Versions(nil)
	if err != nil {
		return err
	}
	return do(f, v)
}

func (l *library) readSymbols(f *linkage.File, v *linkage.Versions) error {
	table, ok := f.SymbolTable(elf.SHT_DYNSYM)
	if !ok {
		return nil
	}
	var failed error
	err := f.Symbols(table, 1, func(s linkage.Symbol) bool {
		if !s.Defined() || s.Bind == elf.STB_LOCAL {
			return true
		}
		var p providedSymbol
		var name string
		if p.version, p.hidden, failed = v.Of(s); failed != nil {
			return false
		}
		if name, failed = f.Name(s); failed != nil {
			return false
		}
		if old, ok := l.symbols[name]; !ok || old.hidden {
			l.symbols[name] = p
		}
		return len(l.symbols) < maxProvided
	})
	if failed != nil {
		return failed
	}
	return err
}

// compareVersions holds the versions of a file against those of the libraries that were
// found for it, by their names.
func (f *File) compareVersions(found map[string]*library) {
	for _, n := range f.info.NeededVersions {
		lib := found[n.Library]
		if lib == nil || n.Weak {
			continue
		}
		switch defined, known := lib.versions(); {
		case !known || slices.Contains(defined, n.Version):
		case len(defined) == 0:
			f.lose(LostVersion{Version: n.Version, Library: n.Library, Why: "the library defines no versions"})
		default:
			f.lose(LostVersion{Version: n.Version, Library: n.Library, Why: "the library does not define it"})
		}
	}
	if len(f.open) == 0 {
		return
	}
	var versioned, plain []*library
	names := map[*library]string{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		lib := found[name]
		names[lib] = name
		if defined, _ := lib.versions(); len(defined) > 0 {
			versioned = append(versioned, lib)
		} else {
			plain = append(plain, lib)
		}
	}
	for _, symbol := range f.open {
		for _, lib := range versioned {
			p, ok := lib.provides(symbol)
			if !ok || p.version == "" || slices.ContainsFunc(plain, func(l *library) bool { _, ok := l.provides(symbol); return ok }) {
				continue
			}
			f.lose(LostVersion{Symbol: symbol, Version: p.version, Library: names[lib], Why: "the file asks for the symbol without a version"})
			break
		}
	}
}
