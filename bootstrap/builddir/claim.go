package builddir

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

// claimedName is the file in a build directory that lists, one slash path a line, the
// directories that builds have created. x.py may use the same build directory, and
// no other tool may replace or clean its stage2.
const claimedName = ".x-made"

// Dir is a build directory, by its path.
type Dir string

// Claimed returns the directories in a build directory that builds have created and
// that are still there, as paths relative to it, sorted.
func (d Dir) Claimed() ([]string, error) {
	buildDir := string(d)
	data, err := os.ReadFile(filepath.Join(buildDir, claimedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading build directory %q: %w", buildDir, dist.WithoutPath(err))
	}
	var claimed []string
	for line := range strings.Lines(string(data)) {
		name := filepath.FromSlash(strings.TrimSuffix(line, "\n"))
		// Callers remove what the file names: do not trust it.
		if !filepath.IsLocal(name) || name == "." {
			return nil, fmt.Errorf("reading %q: got %q, want a path below the build directory", filepath.Join(buildDir, claimedName), name)
		}
		if _, err := os.Lstat(filepath.Join(buildDir, name)); err == nil {
			claimed = append(claimed, name)
		}
	}
	slices.Sort(claimed)
	return claimed, nil
}

// Claim records that this build creates dir inside the build directory, and reports
// whether it may call it its own: it was not there, or empty, or claimed before.
func (d Dir) Claim(dir string) (bool, error) {
	name, err := filepath.Rel(string(d), dir)
	if err != nil {
		return false, fmt.Errorf("claiming directory %q: %w", dir, err)
	}
	claimed, err := d.Claimed()
	if err != nil {
		return false, err
	}
	if slices.Contains(claimed, name) {
		return true, nil
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading build directory %q: %w", string(d), dist.WithoutPath(err))
	}
	var text strings.Builder
	for _, m := range append(claimed, name) {
		text.WriteString(filepath.ToSlash(m) + "\n")
	}
	return true, dist.WriteFile(filepath.Join(string(d), claimedName), []byte(text.String()))
}
