package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// Publish gives new archives, and then the files of their channel, their names in dir.
// The channel that they replace goes first, and a manifest comes last: whenever the
// work is stopped, a channel that is there names archives that are there. Signatures
// and digests of what changes go, too, as nobody can check anything by them: unsigned
// are their names. keep, unless "", is the name under which the old first manifest stays
// meanwhile.
func Publish(dir *os.Root, files []manifests.File, archives func() error, keep string) (unsigned []string, err error) {
	var texts, tables []*dist.NewFile
	defer func() {
		for _, f := range slices.Concat(texts, tables) {
			f.Discard()
		}
	}()
	for _, file := range files {
		f, err := dist.NewSmallFile(dir, file.Name, file.Data)
		if err != nil {
			return nil, err
		}
		if path.Ext(file.Name) == manifestExt {
			tables = append(tables, f)
		} else {
			texts = append(texts, f)
		}
	}
	if unsigned, err = Withdraw(dir, files, keep); err != nil {
		return unsigned, err
	}
	if err := archives(); err != nil {
		return unsigned, err
	}
	return unsigned, dist.CommitAll(dir, texts, tables)
}

// Withdraw removes the files of a channel from dir, the manifests first: none may be
// there without its checksum. Signatures go with what they sign, unless it is among files
// with the same content. keep and unsigned are as [Publish] has them.
func Withdraw(dir *os.Root, files []manifests.File, keep string) (unsigned []string, err error) {
	unsigned = stale(dir, files)
	var tables, texts []string
	for _, f := range files {
		if path.Ext(f.Name) == manifestExt {
			tables = append(tables, f.Name)
		} else {
			texts = append(texts, f.Name)
		}
	}
	if keep != "" && len(tables) > 0 {
		if err := dir.Rename(tables[0], keep); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("withdrawing channel %q: %w", filepath.Join(dir.Name(), tables[0]), dist.WithoutPath(err))
		}
	}
	if err := dist.RemoveAll(dir, tables...); err != nil {
		return nil, err
	}
	return unsigned, dist.RemoveAll(dir, slices.Concat(unsigned, texts)...)
}

// signatureExts end the names of signatures, behind that of the signed file.
var signatureExts = []string{".asc", ".minisig"}

// stale returns the files of dir that say something of what files replace with another
// content: signatures of it and of the archives that change with it, provenance,
// SHA256SUMS.
func stale(dir *os.Root, files []manifests.File) []string {
	about := map[string]bool{} // names whose signatures no longer fit
	for _, f := range files {
		if old, err := dist.ReadOwn(dir, f.Name, manifests.MaxChannel); err == nil && bytes.Equal(old, f.Data) {
			continue
		}
		about[f.Name] = true
		if path.Ext(f.Name) == manifestExt {
			about[manifests.ChecksumsFile], about[strings.TrimSuffix(f.Name, manifestExt)+manifests.ProvenanceExt] = true, true
			for _, name := range changed(dir, f) {
				about[name] = true
			}
		}
	}
	var out []string
	for name := range about {
		side := []string{}
		if name == manifests.ChecksumsFile || strings.HasSuffix(name, manifests.ProvenanceExt) {
			side = append(side, name, name+manifests.ChecksumExt)
		}
		for _, ext := range signatureExts {
			side = append(side, name+ext)
		}
		for _, name := range side {
			if _, err := dir.Lstat(name); err == nil {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// changed returns the archives that the new manifest has with another content than the
// one in dir.
func changed(dir *os.Root, f manifests.File) []string {
	had := replaced(dir, []manifests.File{f})
	c, err := manifests.ParseChannel(f.Data)
	if err != nil {
		return nil
	}
	var out []string
	for _, d := range c.Downloads() {
		name := fileOf(d.URL)
		if old, ok := had[name]; ok && old != d.Hash {
			out = append(out, name)
		}
	}
	return out
}
