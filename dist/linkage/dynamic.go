package linkage

import (
	"debug/elf"
	"strconv"
	"strings"
)

const (
	maxDynamic  = 1 << 14 // entries of the dynamic table
	maxDynNames = 1 << 10 // entries of it that are names
	maxVersions = 1 << 14 // entries of .gnu.version_r
	verFlagWeak = 2       // of a needed version: nothing needs it to be there
)

// dynamic is the dynamic table as the loader sees it: found through
// PT_DYNAMIC, so that a file without section headers is read as well.
type dynamic struct {
	strtab     uint64 // file offset; valid if hasStrtab
	hasStrtab  bool
	verneed    uint64 // virtual address; 0 if none
	verneedNum uint64
	strings    []dynString
	pie, now   bool
	tags       []elf.DynTag // in the order of the file
}

// dynString is an entry whose value is an offset in the string table.
type dynString struct {
	tag elf.DynTag
	off uint64
}

func (f *File) readDynamic() (dynamic, error) {
	var d dynamic
	var seg *Segment
	for i := range f.Segments {
		if f.Segments[i].Type == elf.PT_DYNAMIC {
			seg = &f.Segments[i]
			break
		}
	}
	if seg == nil {
		return d, nil
	}
	w := uint64(f.WordSize())
	count := seg.Filesz / (2 * w)
	if count > maxDynamic {
		return d, formatErrorf(seg.Offset, "got %d dynamic entries, want at most %d", count, maxDynamic)
	}
	for i := range count {
		b, err := f.view(&f.rows, seg.Offset+i*2*w, int(2*w), "the dynamic table")
		if err != nil {
			return d, err
		}
		tag, val := elf.DynTag(f.word(b)), f.word(b[w:])
		if tag == elf.DT_NULL {
			return d, nil
		}
		d.tags = append(d.tags, tag)
		switch tag {
		case elf.DT_STRTAB:
			d.strtab, d.hasStrtab = f.offsetOf(val)
		case elf.DT_NEEDED, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH:
			if len(d.strings) == maxDynNames {
				return d, formatErrorf(seg.Offset, "got more than %d names in the dynamic table", maxDynNames)
			}
			d.strings = append(d.strings, dynString{tag, val})
		case elf.DT_VERNEED:
			d.verneed = val
		case elf.DT_VERNEEDNUM:
			d.verneedNum = val
		case elf.DT_FLAGS_1:
			d.pie = val&uint64(elf.DF_1_PIE) != 0
			d.now = d.now || val&uint64(elf.DF_1_NOW) != 0
		case elf.DT_FLAGS:
			d.now = d.now || val&uint64(elf.DF_BIND_NOW) != 0
		case elf.DT_BIND_NOW:
			d.now = true
		}
	}
	return d, nil
}

// fill resolves the strings of d into info.
func (d dynamic) fill(f *File, info *Info) error {
	if len(d.strings) == 0 && d.verneed == 0 {
		return nil
	}
	if !d.hasStrtab {
		return formatErrorf(0, "the dynamic table names no string table inside a loaded segment")
	}
	for _, e := range d.strings {
		s, err := f.stringAt(d.strtab+e.off, "the dynamic string table")
		if err != nil {
			return err
		}
		switch e.tag {
		case elf.DT_NEEDED:
			info.Needed = append(info.Needed, s)
		case elf.DT_SONAME:
			info.SOName = s
		case elf.DT_RPATH:
			info.RPath = strings.Split(s, ":")
		case elf.DT_RUNPATH:
			info.RunPath = strings.Split(s, ":")
		}
	}
	return d.readNeeds(f, info)
}

// readNeeds walks the list of needed symbol versions. Its entries are chained
// by relative offsets: Verneed (count, file, first, next) and, for each
// library, Vernaux (hash, flags, other, name, next); both are 16 bytes.
func (d dynamic) readNeeds(f *File, info *Info) error {
	if d.verneed == 0 || d.verneedNum == 0 {
		return nil
	}
	need, ok := f.offsetOf(d.verneed)
	if !ok {
		return formatErrorf(0, "the list of needed versions lies in no loaded segment")
	}
	const what = "the list of needed versions"
	var floor glibcVersion
	for range min(d.verneedNum, maxVersions) {
		b, err := f.view(&f.rows, need, 16, what)
		if err != nil {
			return err
		}
		count, library, first, next := f.order.Uint16(b[2:]), f.order.Uint32(b[4:]), f.order.Uint32(b[8:]), f.order.Uint32(b[12:])
		from, err := f.stringAt(d.strtab+uint64(library), "the name of a library of needed versions")
		if err != nil {
			return err
		}
		aux := need + uint64(first)
		for range count {
			if len(info.NeededVersions) == maxVersions {
				return formatErrorf(need, "got more than %d needed versions", maxVersions)
			}
			if b, err = f.view(&f.rows, aux, 16, what); err != nil {
				return err
			}
			v := NeededVersion{Library: from, Weak: f.order.Uint16(b[4:])&verFlagWeak != 0, index: f.order.Uint16(b[6:])}
			at, step := f.order.Uint32(b[8:]), f.order.Uint32(b[12:])
			if v.Version, err = f.stringAt(d.strtab+uint64(at), "the name of a needed version"); err != nil {
				return err
			}
			info.NeededVersions = append(info.NeededVersions, v)
			floor = floor.max(parseGlibc(v.Version))
			if step == 0 {
				break
			}
			aux += uint64(step)
		}
		if next == 0 {
			break
		}
		need += uint64(next)
	}
	info.GlibcFloor = floor.String()
	return nil
}

// glibcVersion is a version such as 2.2.5; the zero value means none.
type glibcVersion [3]int

// abiVersions are symbol versions without a number in them, with the glibc
// that introduced them.
var abiVersions = map[string]glibcVersion{
	"GLIBC_ABI_DT_RELR": {2, 36},
}

// parseGlibc reads "GLIBC_2.17"; other version names give the zero value.
func parseGlibc(name string) glibcVersion {
	if v, ok := abiVersions[name]; ok {
		return v
	}
	digits, ok := strings.CutPrefix(name, "GLIBC_")
	if !ok {
		return glibcVersion{}
	}
	var v glibcVersion
	for i, part := range strings.SplitN(digits, ".", len(v)) {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return glibcVersion{}
		}
		v[i] = int(n)
	}
	return v
}

func (v glibcVersion) max(w glibcVersion) glibcVersion {
	for i := range v {
		if v[i] != w[i] {
			if v[i] < w[i] {
				return w
			}
			return v
		}
	}
	return v
}

func (v glibcVersion) String() string {
	if v == (glibcVersion{}) {
		return ""
	}
	s := strconv.Itoa(v[0]) + "." + strconv.Itoa(v[1])
	if v[2] != 0 {
		s += "." + strconv.Itoa(v[2])
	}
	return s
}

// CompareGlibc orders two versions as [Info.GlibcFloor] writes them: negative
// if a is older than b, and the empty string is the oldest.
func CompareGlibc(a, b string) int {
	va, vb := parseGlibc("GLIBC_"+a), parseGlibc("GLIBC_"+b)
	switch {
	case va == vb:
		return 0
	case va.max(vb) == va:
		return 1
	}
	return -1
}

// interpreter is the path in PT_INTERP, or empty.
func (f *File) interpreter() (string, error) {
	for _, s := range f.Segments {
		if s.Type == elf.PT_INTERP {
			return f.stringAt(s.Offset, "the interpreter")
		}
	}
	return "", nil
}
