package inspect

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"x.go/dist/linkage"
)

// elfReader reads the facts of one ELF file.
type elfReader struct {
	*linkage.File
	in   io.ReaderAt
	info linkage.Info
	out  *File
}

// readELF describes an ELF file, but not where its libraries are.
func readELF(in io.ReaderAt, out *File) (object, error) {
	e, err := linkage.Open(in)
	if err != nil {
		return object{}, err
	}
	info, err := e.Info()
	if err != nil {
		return object{}, err
	}
	r := elfReader{e, in, info, out}
	r.fill()
	if err := r.readLTO(); err != nil {
		return object{}, err
	}
	if err := r.readCompressed(); err != nil {
		return object{}, err
	}
	if info.Kind == linkage.Relocatable {
		return r.readObject()
	}
	if err := r.readGone(); err != nil {
		return object{}, err
	}
	return object{}, r.readVersions()
}

// fill copies what package linkage knows.
func (r *elfReader) fill() {
	info, f := r.info, r.out
	f.info = info
	f.Kind, f.Machine, f.Class, f.Endian = info.Kind, info.MachineName(), 32, "little"
	if info.Class == elf.ELFCLASS64 {
		f.Class = 64
	}
	if info.Data == elf.ELFDATA2MSB {
		f.Endian = "big"
	}
	f.Linker, f.Version, f.Evidence, f.Doubt, f.Producers = info.Linker, info.LinkerVersion, info.Evidence, info.Doubt, info.Producers
	if f.Sure = certainty(info); f.Sure == Guess {
		f.Linker = info.Layout
	}
	for _, c := range info.Constructors {
		f.Constructors = append(f.Constructors, Table{c.Section, c.Size, c.Entries, c.Lost})
	}
	f.Interpreter, f.SOName, f.RunPath, f.RPath, f.Glibc = info.Interpreter, info.SOName, info.RunPath, info.RPath, info.GlibcFloor
	for _, name := range info.Needed {
		f.Needed = append(f.Needed, Library{Name: name, How: Unknown})
	}
	if info.Kind == linkage.Relocatable || info.Kind == linkage.OtherKind {
		return
	}
	f.BindNow, f.RELRO = info.BindNow, NoRELRO
	if slices.ContainsFunc(r.Segments, func(s linkage.Segment) bool { return s.Type == elf.PT_GNU_RELRO }) {
		if f.RELRO = PartialRELRO; f.BindNow {
			f.RELRO = FullRELRO
		}
	}
}

// certainty weighs what tells the linker.
func certainty(info linkage.Info) Certainty {
	switch {
	case info.Kind == linkage.Relocatable && info.Linker == linkage.Unknown:
		return ""
	case info.Linker == linkage.BFD:
		return Likely
	case info.Linker != linkage.Unknown:
		return Certain
	case info.Layout != linkage.Unknown:
		return Guess
	}
	return ""
}

// readLTO looks for the sections of link-time optimisation.
func (r *elfReader) readLTO() error {
	gcc, code := false, false
	var header linkage.Section
	for _, s := range r.Sections {
		switch {
		case strings.HasPrefix(s.Name, ".gnu.lto_.lto."):
			gcc, header = true, s
		case strings.HasPrefix(s.Name, ".gnu.lto_"):
			gcc = true
		case s.Name == ".llvm.lto":
			r.out.LTO = LLVMFat
		case s.Name == ".llvmbc" && s.Size > 1 && r.out.LTO == NoLTO: // one byte is only a marker
			r.out.LTO = LLVMEmbed
		case s.Flags&elf.SHF_EXECINSTR != 0 && s.Size > 0:
			code = true
		}
	}
	if !gcc {
		return nil
	}
	slim := !code
	if b := make([]byte, 5); header.Size >= uint64(len(b)) {
		header.Size = uint64(len(b))
		b, err := r.Contents(header, "section "+header.Name)
		if err != nil {
			return err
		}
		slim = b[4] != 0 // struct lto_section of GCC 10: two versions of 16 bits come first
	} else {
		marked := false
		err := r.eachNamed(elf.SHT_SYMTAB, 1, "__gnu_lto_slim", func(s linkage.Symbol, name string) {
			marked = marked || name == "__gnu_lto_slim"
		})
		if err != nil {
			return err
		}
		slim = slim || marked
	}
	if r.out.LTO = GCCFat; slim {
		r.out.LTO = GCCSlim
	}
	return nil
}

// readCompressed lists the compressed sections.
func (r *elfReader) readCompressed() error {
	for _, s := range r.Sections {
		old := strings.HasPrefix(s.Name, ".zdebug_")
		if s.Flags&elf.SHF_COMPRESSED == 0 && !old || s.Type == elf.SHT_NOBITS {
			continue
		}
		if len(r.out.Compressed) == maxCompressed {
			return nil
		}
		c := Section{Name: s.Name, Size: s.Size}
		var err error
		if old {
			err = r.readOldHeader(s, &c)
		} else {
			err = r.readHeader(s, &c)
		}
		if err != nil {
			return err
		}
		r.out.Compressed = append(r.out.Compressed, c)
	}
	return nil
}

// maxCompressed is how many compressed sections are listed: an object has a few for
// each group of sections.
const maxCompressed = 1 << 12

// readHeader reads the header of a compressed section: Elf32_Chdr or Elf64_Chdr.
func (r *elfReader) readHeader(s linkage.Section, c *Section) error {
	w := r.WordSize()
	s.Size = uint64(3 * w) // type, size and alignment; in 64-bit files the type is padded
	b, err := r.Contents(s, "the header of section "+s.Name)
	if err != nil {
		return err
	}
	order := r.Order()
	c.Unpack = uint64(order.Uint32(b[4:]))
	if w == 8 {
		c.Unpack = order.Uint64(b[8:])
	}
	switch coder := elf.CompressionType(order.Uint32(b)); coder {
	case elf.COMPRESS_ZLIB:
		c.Coder = "zlib"
	case elf.COMPRESS_ZSTD:
		c.Coder = "zstd"
	default:
		c.Coder = fmt.Sprintf("type %d", coder)
	}
	return nil
}

// readOldHeader reads what GNU tools wrote before there was a flag: "ZLIB" and the size,
// with the high byte first.
func (r *elfReader) readOldHeader(s linkage.Section, c *Section) error {
	s.Size = min(s.Size, 12)
	b, err := r.Contents(s, "the header of section "+s.Name)
	if err != nil {
		return err
	}
	if c.Coder = "unknown"; len(b) == 12 && string(b[:4]) == "ZLIB" {
		c.Coder = "zlib-gnu"
		for _, v := range b[4:] {
			c.Unpack = c.Unpack<<8 | uint64(v)
		}
	}
	return nil
}

// eachNamed calls do with the symbols of a table from number first on. It does not look
// at them unless the table of names holds one of a few comma-separated words.
func (r *elfReader) eachNamed(typ elf.SectionType, first int, words string, do func(s linkage.Symbol, name string)) error {
	table, ok := r.SymbolTable(typ)
	if !ok || int(table.Link) >= len(r.Sections) {
		return nil
	}
	names := r.Sections[table.Link]
	if found, err := r.contains(names, strings.Split(words, ",")); err != nil || !found {
		return err
	}
	var failed error
	err := r.Symbols(table, first, func(s linkage.Symbol) bool {
		var name string
		if name, failed = r.Name(s); failed == nil {
			do(s, name)
		}
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// contains reports whether a section holds one of a few words.
func (r *elfReader) contains(s linkage.Section, words []string) (bool, error) {
	const longest = 16 // bytes of a word
	if s.Offset > 1<<62 || s.Size > 1<<62 {
		return false, &linkage.FormatError{Offset: int64(s.Offset), Msg: "section " + s.Name + " lies outside any file"}
	}
	in := io.NewSectionReader(r.in, int64(s.Offset), int64(s.Size))
	buf := make([]byte, min(s.Size, 256<<10))
	kept := 0
	for {
		n, err := in.Read(buf[kept:])
		for _, w := range words {
			if bytes.Contains(buf[:kept+n], []byte(w)) {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) || n == 0 {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("reading section %s: %w", s.Name, err)
		}
		tail := buf[max(0, kept+n-longest) : kept+n]
		kept = copy(buf, tail)
	}
}
