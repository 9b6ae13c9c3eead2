package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"x.go/dist/archive"
	"x.go/dist/xz"
	"x.go/manifests"
)

// benchCoderCommand is how x bench measures x itself: as a process of its own, like
// the other programs.
func (a *app) benchCoderCommand() *cobra.Command {
	var format, profile, bcj string
	var decode bool
	cmd := &cobra.Command{
		Use:    "coder FILE",
		Short:  "Compress or decompress one file to standard output",
		Hidden: true,
		Long: `Compress one file, or decompress it, to standard output. This is how x bench
measures x: as a process of its own, like the others.`,
		Example: `  x bench coder --format xz --profile best cargo.tar >cargo.tar.xz
  x bench coder --decode cargo.tar.xz >cargo.tar`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.flags.jobs > 0 {
				// The other programs have as many threads, and those of the garbage
				// collector count too.
				runtime.GOMAXPROCS(a.flags.jobs)
			}
			if decode {
				return a.decodeFile(cmd.Context(), a.path(args[0]))
			}
			f, err := manifests.ParseFormat(format)
			if err != nil {
				return usage(err)
			}
			w := archive.Writer{Jobs: a.flags.jobs}
			if w.Profile, err = archive.ParseProfile(profile); err != nil {
				return usage(err)
			}
			if w.BCJ, err = xz.ParseBCJ(bcj); err != nil {
				return usage(err)
			}
			return a.encodeFile(cmd.Context(), w, f, a.path(args[0]))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&format, "format", string(archive.XZ), "write this `format`: xz, zst or gz")
	flags.StringVar(&profile, "profile", string(archive.Fast), "compress as hard as this `profile`: fast, balanced or best")
	flags.StringVar(&bcj, "bcj", xz.BCJNone.String(), "use this branch `filter`: none, x86, arm64 or auto")
	flags.BoolVar(&decode, "decode", false, "decompress instead")
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "dry-run", "quiet", "verbose", "json")
	return cmd
}

// coderBuffer is how much is written at once, in bytes.
const coderBuffer = 256 << 10

// encodeFile compresses the file at path to standard output.
func (a *app) encodeFile(ctx context.Context, w archive.Writer, f archive.Format, path string) error {
	src, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return fmt.Errorf("compressing: %w", err)
	}
	out := bufio.NewWriterSize(a.data(), coderBuffer)
	if err := w.Compress(ctx, f, out, src, info.Size()); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("compressing %q: %w", path, err)
	}
	return nil
}

// decodeFile decompresses the file at path to standard output.
func (a *app) decodeFile(ctx context.Context, path string) error {
	src, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("decompressing: %w", err)
	}
	defer src.Close()
	out := bufio.NewWriterSize(a.data(), coderBuffer)
	if _, err := archive.Decompress(ctx, out, src, path, archive.Limits{Memory: 1 << 30}); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("decompressing %q: %w", path, err)
	}
	return nil
}
