package inspect

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"

	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
)

// Read describes the file at path: an ELF file, LLVM bitcode or an archive. Other
// regular files give a [*FormatError].
func Read(path string, o Options) (File, error) {
	f, err := dist.OpenFile(path)
	if err != nil {
		return File{}, fmt.Errorf("inspecting %q: %w", path, dist.WithoutPath(err))
	}
	defer f.Close()
	out, err := readELF(f)
	if errors.Is(err, linkage.ErrNotELF) {
		err = &FormatError{Other}
	}
	if err != nil {
		return File{}, fmt.Errorf("inspecting %q: %w", path, err)
	}
	out.Path = path
	if fi, err := f.Stat(); err == nil {
		out.Size = fi.Size()
	}
	return out, nil
}

// readELF describes one ELF file.
func readELF(r io.ReaderAt) (File, error) {
	e, err := linkage.Open(r)
	if err != nil {
		return File{}, err
	}
	info, err := e.Info()
	if err != nil {
		return File{}, err
	}
	f := File{
		Format: ELF, Kind: info.Kind, Machine: machineName(info), Class: 32, Endian: "little",
		Linker: info.Linker, Version: info.LinkerVersion, Evidence: info.Evidence, Doubt: info.Doubt, Producers: info.Producers,
		Interpreter: info.Interpreter, SOName: info.SOName, RunPath: info.RunPath, RPath: info.RPath, Glibc: info.GlibcFloor,
	}
	if info.Class == elf.ELFCLASS64 {
		f.Class = 64
	}
	if info.Data == elf.ELFDATA2MSB {
		f.Endian = "big"
	}
	f.Sure = certainty(info)
	if f.Sure == Guess {
		f.Linker = info.Layout
	}
	for _, name := range info.Needed {
		f.Needed = append(f.Needed, Library{Name: name, How: "unknown"})
	}
	return f, nil
}

// certainty weighs what tells the linker.
func certainty(info linkage.Info) Certainty {
	switch {
	case info.Linker == linkage.BFD:
		return Likely
	case info.Linker != linkage.Unknown:
		return Certain
	case info.Layout != linkage.Unknown:
		return Guess
	}
	return ""
}

// machineName is a machine as uname -m has it.
func machineName(info linkage.Info) string {
	return strings.ToLower(strings.TrimPrefix(info.Machine.String(), "EM_"))
}
