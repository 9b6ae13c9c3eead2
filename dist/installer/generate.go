package installer

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"x.go/dist"
	"x.go/manifests"
)

// Generator makes a package of one component from a directory. [NewGenerator] has the
// defaults.
type Generator struct {
	Package
	// Component is its name, distinct from those of other installed components.
	// Default "component".
	Component string
	// ImageDir is the directory with the files to install. Default "./install_image".
	ImageDir string
	// BulkDirs are directories of the image that are installed as a whole: manifest.in
	// lists them, but not the files inside.
	BulkDirs []string
}

// NewGenerator returns a generator with the defaults of rust-installer.
func NewGenerator() Generator {
	return Generator{Package: newPackage(), Component: "component", ImageDir: "./install_image"}
}

// Run lays the package out in WorkDir/Name and writes its archives.
func (g Generator) Run(ctx context.Context) (err error) {
	w, err := g.prepare()
	if err != nil {
		return err
	}
	if err := dist.CheckElement(g.Component); err != nil {
		return fmt.Errorf("component name %q: %w", g.Component, err)
	}
	img, err := w.input(g.ImageDir, checkName)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, w.close()) }()
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.mkdir(g.Component); err != nil {
		return err
	}
	c := dist.Component{Name: g.Component, Image: img, BulkDirs: bulkDirs(g.BulkDirs)}
	if err := w.write(under(g.Component, manifests.ManifestFile), c.Manifest().Encode(), 0o666); err != nil {
		return err
	}
	if err := w.copyImage(ctx, g.Component, g.ImageDir, img); err != nil {
		return err
	}
	return w.finish(ctx, g.Component)
}

// bulkDirs compares directories with those of an image as Rust compares paths: by
// their components. One that starts with "." or "/" is never that of an image.
func bulkDirs(dirs []string) []string {
	var out []string
	for _, dir := range dirs {
		var names []string
		for i, name := range strings.Split(dir, "/") {
			if name != "" && name != "." || i == 0 {
				names = append(names, name)
			}
		}
		if name := strings.Join(names, "/"); fs.ValidPath(name) && name != "." {
			out = append(out, name)
		}
	}
	return out
}

// checkName returns an error for a name in an image that rust-installer does not
// support.
func checkName(name string) error {
	switch {
	case strings.Contains(name, `\`):
		return fmt.Errorf(`rust-installer doesn't support '\' in path components: %s`, debug(name))
	case !utf8.ValidString(name):
		return fmt.Errorf("rust-installer doesn't support non-Unicode paths: %s", debug(name))
	}
	return nil
}
