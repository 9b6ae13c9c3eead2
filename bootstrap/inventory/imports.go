package inventory

import (
	"bytes"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"strings"

	"x.go/dist"
	"x.go/dist/inspect"
	"x.go/dist/linkage"
)

// imports describes a program or library, whatever its format, as if it were an ELF file:
// what it needs, and where it looks for that.
func imports(disk string) (linkage.Info, error) {
	f, err := dist.OpenFile(disk)
	if err != nil {
		return linkage.Info{}, err
	}
	defer f.Close()
	format, _, err := inspect.Machines(f)
	if err != nil {
		return linkage.Info{}, err
	}
	switch format {
	case inspect.PE:
		return peImports(f)
	case inspect.MachO:
		return machImports(f)
	}
	return linkage.ReadLoaded(f)
}

const maxImports = 1 << 12 // of a file

// peImports reads the table of imports. Windows looks for a library beside the program,
// then along PATH, in which rustc puts bin for the linker.
func peImports(in io.ReaderAt) (linkage.Info, error) {
	f, err := pe.NewFile(in)
	if err != nil {
		return linkage.Info{}, err
	}
	var dirs []pe.DataDirectory
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		dirs = h.DataDirectory[:min(h.NumberOfRvaAndSizes, 16)]
	case *pe.OptionalHeader64:
		dirs = h.DataDirectory[:min(h.NumberOfRvaAndSizes, 16)]
	}
	info := linkage.Info{RunPath: []string{"$ORIGIN", "$ORIGIN/../../../../bin"}}
	if len(dirs) <= pe.IMAGE_DIRECTORY_ENTRY_IMPORT || dirs[pe.IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress == 0 {
		return info, nil
	}
	for at := dirs[pe.IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress; len(info.Needed) < maxImports; at += 20 {
		var descriptor [20]byte
		if err := readRVA(f, at, descriptor[:]); err != nil {
			return info, err
		}
		name := binary.LittleEndian.Uint32(descriptor[12:])
		if name == 0 {
			break
		}
		text := make([]byte, 256)
		if err := readRVA(f, name, text); err != nil {
			return info, err
		}
		if n := bytes.IndexByte(text, 0); n > 0 {
			info.Needed = append(info.Needed, string(text[:n]))
		}
	}
	return info, nil
}

// readRVA reads at an address relative to the image, as much as its section has.
func readRVA(f *pe.File, at uint32, to []byte) error {
	for _, s := range f.Sections {
		if at < s.VirtualAddress || at-s.VirtualAddress >= s.Size {
			continue
		}
		if n, err := s.ReadAt(to, int64(at-s.VirtualAddress)); n == 0 && err != nil {
			return err
		}
		return nil
	}
	return errors.New("an address of the table of imports lies in no section")
}

// machImports reads the libraries of a Mach-O file, of the first part if it has several. A
// search path counts for what a library loads, too, as DT_RPATH does.
func machImports(in io.ReaderAt) (linkage.Info, error) {
	f, err := machFile(in)
	if err != nil {
		return linkage.Info{}, err
	}
	info := linkage.Info{}
	for _, l := range f.Loads {
		switch l := l.(type) {
		case *macho.Rpath:
			info.RPath = append(info.RPath, originOf(l.Path))
		case *macho.Dylib:
			name := l.Name
			if dir, base := path.Split(name); strings.HasPrefix(dir, "@") {
				if dir = strings.TrimSuffix(dir, "/"); dir != "@rpath" {
					info.RPath = append(info.RPath, originOf(dir))
				}
				name = base
			}
			if len(info.Needed) < maxImports {
				info.Needed = append(info.Needed, name)
			}
		}
	}
	if f.Type == macho.TypeExec {
		info.Interpreter = "/usr/lib/dyld"
	}
	return info, nil
}

func machFile(in io.ReaderAt) (*macho.File, error) {
	fat, err := macho.NewFatFile(in)
	if errors.Is(err, macho.ErrNotFat) {
		return macho.NewFile(in)
	}
	if err != nil {
		return nil, err
	}
	if len(fat.Arches) == 0 {
		return nil, errors.New("got a Mach-O file of no parts")
	}
	return fat.Arches[0].File, nil
}

// originOf writes a directory of Apple's loader as that of Linux has it.
func originOf(dir string) string {
	for _, word := range []string{"@loader_path", "@executable_path"} {
		if rest, ok := strings.CutPrefix(dir, word); ok {
			return "$ORIGIN" + rest
		}
	}
	return dir
}
