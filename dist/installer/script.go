package installer

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"x.go/dist"
	"x.go/dist/installsh"
)

// Scripter writes install.sh alone. [NewScripter] has the defaults.
type Scripter struct {
	// Product is the name to show. Default "Product".
	Product string
	// SuccessMessage ends an installation. Default "Installed."
	SuccessMessage string
	// RelManifestDir is the directory below lib for the records, one path component.
	// Default "manifestlib"; that of a [Package] is "packagelib".
	RelManifestDir string
	// LegacyManifestDirs are where old installers left their lists; see
	// [installsh.Options].
	LegacyManifestDirs []string
	// Output is the file to create. Default "install.sh".
	Output string
	// Dir is where Output begins if it is relative; "" is the working directory.
	Dir string
}

// NewScripter returns a scripter with the defaults of rust-installer.
func NewScripter() Scripter {
	return Scripter{Product: "Product", SuccessMessage: "Installed.", RelManifestDir: "manifestlib", Output: installsh.FileName}
}

// text returns the script.
func (s Scripter) text() ([]byte, error) {
	if s.RelManifestDir == "" {
		return nil, errors.New("creating install.sh: the directory of the records is empty: want one path component")
	}
	return installsh.Script(installsh.Options{
		Product: s.Product, SuccessMessage: s.SuccessMessage, RelManifestDir: s.RelManifestDir, LegacyManifestDirs: s.LegacyManifestDirs,
	})
}

// Run creates the script. It must not exist.
func (s Scripter) Run() error {
	script, err := s.text()
	if err != nil {
		return err
	}
	real := place(s.Dir).real(s.Output)
	if _, err := os.Lstat(real); err == nil {
		return because(syscall.EEXIST, "failed to create file '%s'", s.Output)
	}
	dir, name := filepath.Split(real)
	root, err := os.OpenRoot(filepath.Clean(dir))
	if err != nil {
		return because(err, "failed to create file '%s'", s.Output)
	}
	err = because(dist.WriteOwn(root, name, script, dist.ModeExec), "failed to write output script '%s'", s.Output)
	return cmp.Or(err, root.Close())
}
