package install

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"x.go/dist"
	"x.go/dist/installsh"
	"x.go/manifests"
)

// uninstaller judges uninstall.sh: it must be what a record of digests tells, what a
// source has, or the script of today, of any product. problem says what is wrong with it, "" that
// nothing is, or that nobody knows. data is what is there, if it can be read.
//
// rustup makes none. install.sh always does, but leaves no record of it.
func (in *installed) uninstaller(sources ...[]byte) (data []byte, problem string) {
	recorded := map[manifests.Hash]bool{}
	unrecorded := false
	for _, c := range in.components {
		d, err := in.readDigests(c)
		switch {
		case err == nil && !d.Uninstaller.IsZero():
			recorded[d.Uninstaller] = true
		case err != nil && c.listed && !c.relative:
			unrecorded = true
		}
	}
	if len(recorded) == 0 && !unrecorded {
		return nil, ""
	}
	data, err := dist.ReadOwn(in.root, uninstallerName, maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "it is missing"
	}
	if err != nil {
		return nil, dist.WithoutPath(err).Error()
	}
	if info, err := in.root.Lstat(uninstallerName); err == nil && info.Mode()&0o100 == 0 && runtime.GOOS != "windows" {
		return data, fmt.Sprintf("got mode %s, want %s", octal(info.Mode()), octal(dist.ModeExec))
	}
	ours, err := dist.Package{}.Script()
	if err != nil {
		return data, err.Error()
	}
	same := func(s []byte) bool { return installsh.Same(s, data) }
	if !recorded[manifests.HashOf(data)] && !same(ours) && !slices.ContainsFunc(sources, same) && (!unrecorded || len(sources) > 0) {
		return data, "it is not the script that was installed: it was changed, or another installer has written it"
	}
	return data, ""
}

// soundUninstaller returns uninstall.sh if something is wrong with what is there, else
// nil: that of the source, where its install.sh was the installer, else ours. With it
// comes the digest of what is to be there at last, zero for nothing.
func (p *planner) soundUninstaller() (text []byte, sum manifests.Hash) {
	data, problem := p.before.uninstaller(p.scripts()...)
	if problem == "" {
		if data == nil {
			return nil, manifests.Hash{}
		}
		return nil, manifests.HashOf(data)
	}
	text = p.opts.Uninstaller
	if len(p.before.digests) == 0 && len(p.sources) > 0 {
		text = p.sources[len(p.sources)-1]
	}
	if len(text) == 0 {
		return nil, manifests.Hash{}
	}
	return text, manifests.HashOf(text)
}

// scripts are those that the uninstaller may be.
func (t *transaction) scripts() [][]byte {
	if len(t.opts.Uninstaller) == 0 {
		return t.sources
	}
	return append(slices.Clone(t.sources), t.opts.Uninstaller)
}
