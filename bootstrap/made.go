package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
)

// madeName is the file in a build folder that lists, one slash path a line,
// the folders that builds have made. A build folder may be shared with x.py,
// whose stage2 nobody wants replaced or cleaned away by another tool.
const madeName = ".x-made"

// Made returns the folders in a build folder that builds have made and that are
// still there, as paths relative to it, sorted.
func Made(buildDir string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(buildDir, madeName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading build folder %q: %w", buildDir, dist.WithoutPath(err))
	}
	var made []string
	for line := range strings.Lines(string(data)) {
		name := filepath.FromSlash(strings.TrimSuffix(line, "\n"))
		// The file is ours, but to remove what it names is not to be risked.
		if !filepath.IsLocal(name) || name == "." {
			return nil, fmt.Errorf("reading %q: got %q, want a path below the build folder", filepath.Join(buildDir, madeName), name)
		}
		if _, err := os.Lstat(filepath.Join(buildDir, name)); err == nil {
			made = append(made, name)
		}
	}
	slices.Sort(made)
	return made, nil
}

// claim records that this build makes the folder dir inside the build folder,
// and reports whether it may call the folder its own: it was not there, or
// empty, or claimed before.
func (b *Builder) claim(dir string) (bool, error) {
	name, err := filepath.Rel(b.BuildDir, dir)
	if err != nil {
		return false, fmt.Errorf("claiming folder %q: %w", dir, err)
	}
	made, err := Made(b.BuildDir)
	if err != nil {
		return false, err
	}
	if slices.Contains(made, name) {
		return true, nil
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading build folder %q: %w", b.BuildDir, dist.WithoutPath(err))
	}
	var text strings.Builder
	for _, m := range append(made, name) {
		text.WriteString(filepath.ToSlash(m) + "\n")
	}
	return true, dist.WriteFile(filepath.Join(b.BuildDir, madeName), []byte(text.String()))
}
