package installer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"x.go/dist"
	"x.go/dist/archive"
)

// fileTime is the default time of the files in archives, in Unix seconds: that of
// Rust's first commit.
const fileTime = 1153704088

// Compression says how archives are written.
type Compression struct {
	// Formats of the archives. Default gz and xz.
	Formats []archive.Format
	// Profile says how hard to compress. Default [archive.Balanced]. With
	// [archive.NoOp] no archive is written.
	Profile archive.Profile
	// FileTime is the time of the files, in Unix seconds. That of directories is
	// always the default.
	FileTime int64
}

func newCompression() Compression {
	return Compression{Formats: []archive.Format{archive.GZ, archive.XZ}, Profile: archive.Balanced, FileTime: fileTime}
}

// Tarballer makes archives of a directory as it is. [NewTarballer] has the defaults.
type Tarballer struct {
	// Input is the path below WorkDir, or an absolute one that starts with WorkDir. It
	// is the top directory of the archives. Default "package".
	Input string
	// Output is the path of the archives without extension, in a directory that
	// exists. Default "./dist".
	Output string
	// WorkDir is the directory with the input. Default "./workdir".
	WorkDir     string
	Compression Compression
	// Dir is where relative paths begin; "" is the working directory.
	Dir string
}

// NewTarballer returns a tarballer with the defaults of rust-installer.
func NewTarballer() Tarballer {
	return Tarballer{Input: "package", Output: "./dist", WorkDir: "./workdir", Compression: newCompression()}
}

// Run writes the archives, and replaces those of the same names.
func (t Tarballer) Run(ctx context.Context) error {
	w := t.Compression.writer()
	if w.Profile == archive.NoOp {
		return nil
	}
	for _, f := range w.Formats {
		if err := t.checkOutput(t.Output + f.Ext()); err != nil {
			return err
		}
	}
	img, err := t.image()
	if err != nil {
		return because(err, "failed to collect file paths")
	}
	dir, file := filepath.Split(place(t.Dir).real(t.Output + archive.GZ.Ext()))
	_, err = w.WriteTree(ctx, filepath.Clean(dir), strings.TrimSuffix(file, archive.GZ.Ext()), img)
	return err
}

// writer returns c in the words of package archive.
func (c Compression) writer() archive.Writer {
	w := archive.Writer{Profile: c.Profile, ModTime: time.Unix(c.FileTime, 0), SkipChecksums: true}
	for _, f := range c.Formats {
		if !slices.Contains(w.Formats, f) {
			w.Formats = append(w.Formats, f)
		}
	}
	return w
}

// checkOutput returns an error if a file cannot be created because of what is there.
func (t Tarballer) checkOutput(path string) error {
	real := place(t.Dir).real(path)
	if _, err := os.Stat(filepath.Dir(real)); err != nil {
		return because(err, "failed to create file '%s'", path)
	}
	if info, err := os.Stat(real); err == nil && info.IsDir() {
		return because(syscall.EISDIR, "failed to remove file '%s'", path)
	}
	return nil
}

// image returns the members of the archives.
func (t Tarballer) image() (dist.Image, error) {
	name := t.Input
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(t.WorkDir, name)
		if err != nil || !filepath.IsAbs(t.WorkDir) || !filepath.IsLocal(rel) {
			return dist.Image{}, fmt.Errorf("input '%s' is not in work dir '%s'", name, t.WorkDir)
		}
		name = rel
	}
	path := under(t.WorkDir, name)
	info, err := os.Stat(place(t.Dir).real(path))
	if err != nil {
		return dist.Image{}, unreadable(err, path)
	}
	name = strings.TrimSuffix(filepath.ToSlash(filepath.Clean(name)), "/")
	var img dist.Image
	if !info.IsDir() {
		return img, img.AddFile(name, place(t.Dir).real(path))
	}
	if name == "." {
		name = ""
	} else if err := img.AddDir(name); err != nil {
		return img, err
	}
	return img, img.AddTreeLinks(name, place(t.Dir).real(path), nil)
}
