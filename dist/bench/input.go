package bench

import (
	"archive/tar"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"x.go/dist/measure"
)

// Source is a file to compress. A .tar.xz, .tar.gz or .tar.zst is decompressed
// first.
type Source struct {
	Path string
	// Member, if not "", is the name under which the file is packed into a tar
	// archive first, such as "bin/cargo".
	Member string
	// Note, for the report, says where the file comes from, if its name does not.
	Note string
}

// input is a prepared source, with the filter for the machine code in it.
type input struct {
	Input
	filter string
}

// check finds what is wrong with a file before any work.
func (src Source) check() error {
	info, err := os.Stat(src.Path)
	switch {
	case err != nil:
		return fmt.Errorf("reading input %q: %w", src.Path, errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("reading input %q: got %v, want a regular file: create a tar archive of a directory first", src.Path, info.Mode().Type())
	case info.Size() == 0:
		return fmt.Errorf("reading input %q: it is empty", src.Path)
	}
	return nil
}

// packed reports whether the file is decompressed, and the name of the result.
func (src Source) packed() (name string, ok bool) {
	file := filepath.Base(src.Path)
	for _, suffix := range []string{".tar.xz", ".tar.gz", ".tar.zst"} {
		if stem, ok := strings.CutSuffix(file, suffix); ok && stem != "" && src.Member == "" {
			return stem + ".tar", true
		}
	}
	if src.Member != "" {
		file += ".tar"
	}
	return file, false
}

// prepare writes what is to be compressed where it is not src itself.
func (s *session) prepare(ctx context.Context, src Source) (input, error) {
	path, err := filepath.Abs(src.Path) // programs run elsewhere
	if err != nil {
		return input{}, fmt.Errorf("reading input %q: %w", src.Path, err)
	}
	name, packed := src.packed()
	if packed || src.Member != "" {
		dir, err := os.MkdirTemp(s.dir, "input-") // files in different directories may have the same name
		if err != nil {
			return input{}, fmt.Errorf("creating a directory for an input: %w", err)
		}
		path = filepath.Join(dir, name)
	}
	switch {
	case packed:
		s.notef("decompressing %s", filepath.Base(src.Path))
		err = s.decompress(ctx, src.Path, path)
	case src.Member != "":
		err = writeTar(path, src.Member, src.Path)
	}
	if err != nil {
		return input{}, err
	}
	in, err := newInput(ctx, name, path)
	if err != nil {
		return input{}, err
	}
	if in.Note = src.Note; in.Note == "" && packed {
		in.Note = "out of " + filepath.Base(src.Path)
	}
	filter, err := fileFilter(path)
	return input{in, filter}, err
}

// describe is prepare without writing anything.
func (s *session) describe(ctx context.Context, src Source) (in input, err error) {
	name, packed := src.packed()
	in.Input = Input{Name: name, Path: name, Note: src.Note}
	if packed {
		in.filter, err = s.packedFilter(ctx, src.Path)
	} else {
		in.filter, err = fileFilter(src.Path)
	}
	return in, err
}

// decompress writes what is in an archive to a file. A child process does it: the
// memory that it takes would count as that of every program started later.
func (s *session) decompress(ctx context.Context, path, to string) error {
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("decompressing %q: %w", path, err)
	}
	cmd, complaint := s.decode(ctx, path)
	cmd.Stdout = f
	return decodeError(path, errors.Join(cmd.Run(), f.Close()), complaint)
}

// decode is the program that decompresses an archive to its standard output,
// and what it will complain of.
func (s *session) decode(ctx context.Context, path string) (*exec.Cmd, *measure.Tail) {
	c := s.decoder("")
	args, _ := c.args(path, "")
	cmd := exec.CommandContext(ctx, c.Program, args...)
	complaint := &measure.Tail{Limit: 2 << 10}
	cmd.Env, cmd.Stderr = s.Env, complaint
	return cmd, complaint
}

// decodeError prefers what x says to its exit status.
func decodeError(path string, err error, complaint *measure.Tail) error {
	text := complaint.Text()
	switch {
	case err == nil:
		return nil
	case text != "":
		return errors.New(strings.TrimPrefix(text, "x: "))
	}
	return fmt.Errorf("decompressing %q: %w", path, err)
}

// writeTar writes a tar archive with one program. Its bytes depend on the
// program alone.
func writeTar(to, name, path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("creating a tar archive of %q: %w", path, err)
		}
	}()
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	w := tar.NewWriter(dst)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: info.Size(), Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	if _, err := io.Copy(w, src); err != nil {
		return err
	}
	return w.Close()
}

// fileFilter returns the filter for the first ELF file that path is, or that it
// has as a member if it is a tar archive.
func fileFilter(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return noFilter, fmt.Errorf("reading input %q: %w", path, errors.Unwrap(err))
	}
	defer f.Close()
	if filter := elfFilter(f); filter != noFilter || filepath.Ext(path) != ".tar" {
		return filter, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return noFilter, fmt.Errorf("reading input %q: %w", path, err)
	}
	return tarFilter(f), nil
}

// packedFilter is fileFilter of a compressed archive.
func (s *session) packedFilter(ctx context.Context, path string) (string, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd, complaint := s.decode(ctx, path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return noFilter, fmt.Errorf("decompressing %q: %w", path, err)
	}
	if err := cmd.Start(); err != nil {
		return noFilter, fmt.Errorf("decompressing %q: %w", path, err)
	}
	filter := tarFilter(out)
	if filter != noFilter {
		stop() // the rest does not matter
		_ = cmd.Wait()
		return filter, nil
	}
	_, err = io.Copy(io.Discard, out) // what is no tar archive is compressed all the same
	return noFilter, decodeError(path, errors.Join(err, cmd.Wait()), complaint)
}

// tarFilter returns the filter for the first ELF file in a tar archive, none if
// r is not one.
func tarFilter(r io.Reader) string {
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err != nil {
			return noFilter
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if filter := elfFilter(tr); filter != noFilter {
			return filter
		}
	}
}

// elfFilter returns the filter for the ELF file that r starts with.
func elfFilter(r io.Reader) string {
	var head [20]byte // up to the end of e_machine
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != elf.ELFMAG {
		return noFilter
	}
	switch elf.Machine(binary.LittleEndian.Uint16(head[18:])) {
	case elf.EM_X86_64, elf.EM_386:
		return filterX86
	case elf.EM_AARCH64:
		return filterARM64
	}
	return noFilter
}
