package cli

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

	"x.go/bootstrap/bench"
	"x.go/dist"
	"x.go/dist/xz"
)

// benchInput is a file to compress, and the filter for the machine code in it.
type benchInput struct {
	bench.Input
	code xz.BCJ
}

// packedSuffixes are the names of archives that are decompressed.
var packedSuffixes = []string{".tar.xz", ".tar.gz", ".tar.zst"}

// checkBenchFile finds what is wrong with a file before any work.
func checkBenchFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("reading input: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("reading input %q: got %v, want a regular file: make a tar archive of a folder", path, info.Mode().Type())
	case info.Size() == 0:
		return fmt.Errorf("reading input %q: it is empty", path)
	}
	return nil
}

// benchInputs prepares the files of the command line, or else the toolchain's
// cargo.
func (a *app) benchInputs(ctx context.Context, s *benchSession, args []string) ([]benchInput, error) {
	if len(args) == 0 {
		in, err := a.cargoInput(ctx, s)
		return []benchInput{in}, err
	}
	var inputs []benchInput
	for _, arg := range args {
		in, err := a.fileInput(ctx, s, a.path(arg))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// fileInput takes a file, or what is in it if it is an archive.
func (a *app) fileInput(ctx context.Context, s *benchSession, path string) (benchInput, error) {
	name := filepath.Base(path)
	for _, suffix := range packedSuffixes {
		stem, packed := strings.CutSuffix(name, suffix)
		if !packed || stem == "" {
			continue
		}
		if a.flags.dryRun {
			code, err := packedCode(path)
			return benchInput{bench.Input{Name: stem + ".tar", Path: stem + ".tar"}, code}, err
		}
		dir, err := os.MkdirTemp(s.dir, "input-") // files in different folders may have the same name
		if err != nil {
			return benchInput{}, fmt.Errorf("decompressing %q: %w", path, err)
		}
		to := filepath.Join(dir, stem+".tar")
		a.progressf("x: decompressing %s", name)
		if err := s.unpack(ctx, path, to); err != nil {
			return benchInput{}, err
		}
		in, err := newBenchInput(ctx, stem+".tar", to)
		in.Note = "out of " + name
		return in, err
	}
	if a.flags.dryRun {
		code, err := machineCode(path)
		return benchInput{bench.Input{Name: name, Path: path}, code}, err
	}
	return newBenchInput(ctx, name, path)
}

// unpack decompresses an archive in a child process: the memory that it takes
// would count as that of every program which is started later.
func (s *benchSession) unpack(ctx context.Context, path, to string) error {
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("decompressing %q: %w", path, err)
	}
	cmd := exec.CommandContext(ctx, s.self, "bench", "coder", "--decode", path)
	var complaint strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Env = f, &complaint, s.env
	err = errors.Join(cmd.Run(), f.Close())
	if text := strings.TrimSpace(complaint.String()); err != nil && text != "" {
		return errors.New(strings.TrimPrefix(text, "x: "))
	}
	if err != nil {
		return fmt.Errorf("decompressing %q: %w", path, err)
	}
	return nil
}

// cargoInput makes a tar archive of the toolchain's cargo, or of what comes
// nearest where there is none.
func (a *app) cargoInput(ctx context.Context, s *benchSession) (benchInput, error) {
	_, tc, err := a.toolchain(ctx)
	if err != nil {
		return benchInput{}, fmt.Errorf("finding a toolchain to compress: %w: or name a file", err)
	}
	for _, name := range []string{"cargo", "rustdoc", "rustc"} {
		path := filepath.Join(tc.Sysroot, "bin", name)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		to := filepath.Join(s.dir, name+".tar")
		if a.flags.dryRun {
			code, err := machineCode(path)
			return benchInput{bench.Input{Name: name + ".tar", Path: to}, code}, err
		}
		if err := writeOneTar(to, "bin/"+name, path); err != nil {
			return benchInput{}, fmt.Errorf("making a tar archive of %q: %w", path, err)
		}
		in, err := newBenchInput(ctx, name+".tar", to)
		in.Note = fmt.Sprintf("bin/%s of rustc %s for %s", name, tc.Release.Version, tc.Host)
		return in, err
	}
	return benchInput{}, fmt.Errorf("compressing toolchain %q: it has no program in bin: name a file", tc.Sysroot)
}

// writeOneTar writes a tar archive with one program. Its bytes depend on the
// program alone.
func writeOneTar(to, name, path string) (err error) {
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

func newBenchInput(ctx context.Context, name, path string) (benchInput, error) {
	in, err := bench.NewInput(ctx, name, path)
	if err != nil {
		return benchInput{}, err
	}
	code, err := machineCode(path)
	return benchInput{in, code}, err
}

// machineCode returns the filter for the first ELF file that path is, or that
// it has as a member if it is a tar archive.
func machineCode(path string) (xz.BCJ, error) {
	f, err := os.Open(path)
	if err != nil {
		return xz.BCJNone, fmt.Errorf("reading input: %w", err)
	}
	defer f.Close()
	if code := elfCode(f); code != xz.BCJNone || filepath.Ext(path) != ".tar" {
		return code, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return xz.BCJNone, fmt.Errorf("reading input: %w", err)
	}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err != nil {
			return xz.BCJNone, nil // the end, or not a tar archive: it is compressed all the same
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if code := elfCode(r); code != xz.BCJNone {
			return code, nil
		}
	}
}

// packedCode is machineCode of a compressed archive.
func packedCode(path string) (xz.BCJ, error) {
	r, err := dist.Open(path, dist.Limits{Memory: 1 << 30})
	if err != nil {
		return xz.BCJNone, err
	}
	defer r.Close()
	for {
		m, err := r.Next()
		if err != nil {
			return xz.BCJNone, nil // as above
		}
		if m.IsFile() {
			if code := elfCode(r); code != xz.BCJNone {
				return code, nil
			}
		}
	}
}

// elfCode returns the filter for the ELF file that r starts with.
func elfCode(r io.Reader) xz.BCJ {
	var head [20]byte // up to the end of e_machine
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != elf.ELFMAG {
		return xz.BCJNone
	}
	switch elf.Machine(binary.LittleEndian.Uint16(head[18:])) {
	case elf.EM_X86_64, elf.EM_386:
		return xz.BCJX86
	case elf.EM_AARCH64:
		return xz.BCJARM64
	}
	return xz.BCJNone
}
