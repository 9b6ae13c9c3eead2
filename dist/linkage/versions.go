package linkage

import "debug/elf"

// Versions are the versions of the dynamic symbols of a linked file.
type Versions struct {
	// Defined are the versions that the file defines, in its order, without that which
	// is the file's own name.
	Defined []string

	file  *File
	names map[uint16]string
	table Section // of a number for each symbol
}

const (
	verFlagBase = 1      // of a defined version: it is the name of the file
	verHidden   = 0x8000 // of a symbol's version: not the one that a linker takes
)

// Versions reads the lists of versions. needed are those of [Info].
func (f *File) Versions(needed []NeededVersion) (*Versions, error) {
	v := &Versions{file: f, names: map[uint16]string{}}
	for _, n := range needed {
		v.names[n.index] = n.Version
	}
	for _, s := range f.Sections {
		switch s.Type {
		case elf.SHT_GNU_VERSYM:
			v.table = s
		case elf.SHT_GNU_VERDEF:
			if err := v.readDefined(s); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// readDefined walks the list of defined versions: Verdef (version, flags, index, count,
// hash, first, next) of 20 bytes, each with the offset of its name.
func (v *Versions) readDefined(s Section) error {
	f := v.file
	const what = "the list of defined versions"
	if uint64(s.Link) >= uint64(len(f.Sections)) {
		return formatErrorf(s.Offset, "got section %d for the names of versions, want one below %d", s.Link, len(f.Sections))
	}
	names, at := f.Sections[s.Link], s.Offset
	for range min(s.Info, maxVersions) {
		b, err := f.view(&f.rows, at, 20, what)
		if err != nil {
			return err
		}
		flags, index, aux, next := f.order.Uint16(b[2:]), f.order.Uint16(b[4:]), f.order.Uint32(b[12:]), f.order.Uint32(b[16:])
		if b, err = f.view(&f.rows, at+uint64(aux), 8, what); err != nil {
			return err
		}
		name, err := f.stringAt(names.Offset+uint64(f.order.Uint32(b)), "the name of a defined version")
		if err != nil {
			return err
		}
		if flags&verFlagBase == 0 {
			v.names[index] = name
			v.Defined = append(v.Defined, name)
		}
		if next == 0 {
			break
		}
		at += uint64(next)
	}
	return nil
}

// Of returns the version of a symbol of .dynsym, "" without one. hidden says that a
// linker takes another one of the same name.
func (v *Versions) Of(s Symbol) (version string, hidden bool, err error) {
	if 2*uint64(s.Index)+2 > v.table.Size {
		return "", false, nil
	}
	b, err := v.file.view(&v.file.rows, v.table.Offset+2*uint64(s.Index), 2, "the versions of symbols")
	if err != nil {
		return "", false, err
	}
	index := v.file.order.Uint16(b)
	return v.names[index&^verHidden], index&verHidden != 0, nil
}
