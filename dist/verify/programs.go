package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"x.go/dist"
	"x.go/dist/linkage"
)

// programFile is an ELF file that was given, alone or in a directory.
type programFile struct {
	path  string
	label string // as the operand was given
}

// maxPrograms bounds the files that are looked at in a directory of programs.
const maxPrograms = 1 << 18

// isELF reports whether path is a regular file that starts as ELF files do. Nothing
// else is opened: a FIFO would never answer.
func isELF(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	_, err = linkage.ReadFile(path)
	var format *linkage.FormatError
	return err == nil || errors.As(err, &format)
}

// addPrograms takes the ELF files below a directory, and reports whether there are any.
// Other files and links are left alone: nobody expects them to be linked.
func (in *input) addPrograms(dir string) (found bool, err error) {
	files := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return dist.WithoutPath(err)
		}
		if files++; files > maxPrograms {
			return fmt.Errorf("got more than %d files: name the programs, or a directory of fewer", maxPrograms)
		}
		if d.Type().IsRegular() && isELF(path) {
			in.programs = append(in.programs, programFile{path, path})
			found = true
		}
		return nil
	})
	if err != nil {
		return found, fmt.Errorf("reading operand %q: %w", dir, err)
	}
	return found, nil
}

// programGroup judges ELF files by themselves.
type programGroup struct{ *run }

func (g programGroup) verify(ctx context.Context) error {
	for _, p := range g.in.programs {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := newSubject(p.label, programReadable)
		info, err := linkage.ReadFile(p.path)
		if err != nil {
			s.failf(programReadable, "%v", err)
			g.add(s)
			continue
		}
		judgeProgram(s, info, g.opts.Expect)
		g.add(s)
		g.report.Binaries = append(g.report.Binaries, binaryRow(p.label, p.path, info))
	}
	return nil
}

// judgeProgram judges one file. With [Auto] any linker will do.
func judgeProgram(s *subject, info linkage.Info, expect Expect) {
	s.declare(programLinker)
	s.declare(programCtors)
	if len(info.LostConstructors()) > 0 {
		s.failf(programCtors, "the functions of %s never run: %s keeps them apart from .init_array", strings.Join(info.LostConstructors(), " and "), describeLinker(info))
	}
	saw := describeLinker(info)
	if info.Linker == linkage.Unknown && info.Layout != linkage.Unknown {
		saw += ", laid out as by " + info.Layout.String()
	}
	s.notef(programLinker, "%s", saw)
	likely := info.Linker
	if likely == linkage.Unknown {
		likely = info.Layout
	}
	switch {
	case info.Kind == linkage.Relocatable:
		s.notef(programLinker, "an object: it is not linked yet")
	case info.Doubt != "":
		s.failf(programLinker, "%s", info.Doubt)
	case expect == ExpectLLD && likely != linkage.LLD && likely != linkage.Unknown:
		s.failf(programLinker, "got %s, want LLD", saw)
	case expect == ExpectSystem && likely == linkage.LLD:
		s.failf(programLinker, "got %s, want another linker than LLD", saw)
	case info.Linker == linkage.Unknown && (expect == ExpectLLD || expect == ExpectSystem && likely == linkage.Unknown):
		s.skipf(programLinker, "got %s: the file holds no linker's mark, as after strip --remove-section=.comment", saw)
	}
}
