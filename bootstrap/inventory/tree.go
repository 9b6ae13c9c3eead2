package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"x.go/bootstrap/marks"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
)

// tree reads a sysroot, or an unpacked archive.
func (s *set) tree(ctx context.Context, dir string, given marks.Given) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("taking stock of %q: %w", dir, dist.WithoutPath(err))
	}
	if list, err := dist.ReadFile(filepath.Join(real, manifests.ComponentsFile), maxComponents); err == nil {
		return s.unpacked(ctx, real, list, given)
	}
	if _, err := programIn(real); err != nil {
		return fmt.Errorf("taking stock of %q: %w", dir, err)
	}
	tc, err := toolchain.Read(real, given)
	if err != nil {
		return err
	}
	s.root, s.host, s.version, s.spec, s.known = tc.Sysroot, tc.Host, tc.Version, tc.Spec, tc.Read
	in, err := toolchain.ReadPrograms(tc)
	if err != nil {
		return err
	}
	for _, c := range in.Components {
		for e := range c.Image.Entries() {
			if e.IsDir() {
				continue
			}
			f := &file{component: c.Spec.Archive, exec: e.IsExec(), size: e.Size, disk: e.Path()}
			s.files[e.Name] = f
			at := tc.Path(e.Name)
			if place, err := filepath.Rel(s.root, at); err == nil && filepath.ToSlash(place) != e.Name {
				f.place = filepath.ToSlash(place)
			}
			if e.Path() != at {
				s.linked(e.Name, at, f)
			}
		}
	}
	record, _, err := tc.BuiltBy()
	s.recorded(record)
	return errors.Join(err, ctx.Err())
}

// linked notes that a file of a tree is reached by a link, and where that leads.
func (s *set) linked(name, at string, f *file) {
	if f.link, _ = os.Readlink(at); f.link == "" {
		return // the link is a directory above
	}
	rel, err := filepath.Rel(s.root, f.disk)
	if err != nil || !filepath.IsLocal(rel) {
		return
	}
	f.leadsTo = filepath.ToSlash(rel)
	if s.files[f.leadsTo] == nil {
		target := *f
		target.link, target.leadsTo = "", ""
		s.files[f.leadsTo] = &target
	}
}

// recorded takes over what x wrote into a toolchain that it built.
func (s *set) recorded(r manifests.BuildRecord) {
	s.record = r
	if r.Format != 0 && s.spec != nil && r.Toolchain.LLDDefault != s.spec.BakedLLD() {
		if plain, err := targets.Builtin().Lookup(s.spec.Triple); err == nil {
			s.spec = plain
			if r.Toolchain.LLDDefault {
				s.spec = plain.WithLLDDefault()
			}
		}
	}
}

// programIn returns the compiler of a sysroot.
func programIn(dir string) (string, error) {
	rustc := marks.CompilerIn(dir)
	if fi, err := os.Stat(rustc); err == nil && fi.Mode().IsRegular() {
		return "bin/" + filepath.Base(rustc), nil
	}
	return "", errors.New("it has no bin/rustc: give a sysroot, an unpacked archive with the component rustc, or archives")
}

const maxComponents = 1 << 20 // bytes of the list of components

// unpacked reads an archive that somebody unpacked: a directory for each component.
func (s *set) unpacked(ctx context.Context, dir string, list []byte, given marks.Given) error {
	for _, component := range manifests.ReadComponentNames(list, func(manifests.ListProblem) {}) {
		root := filepath.Join(dir, component)
		if program, err := programIn(root); err == nil && s.host.IsZero() {
			if err := s.factsOf(dir, root, program, given); err != nil {
				return err
			}
		}
		err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			if name := filepath.ToSlash(rel); name != manifests.ManifestFile {
				s.files[name] = &file{component: componentOf(component), exec: info.Mode()&0o100 != 0, size: info.Size(), disk: p}
			}
			return ctx.Err()
		})
		if err != nil {
			return fmt.Errorf("taking stock of %q: %w", dir, err)
		}
	}
	if s.host.IsZero() {
		return fmt.Errorf("taking stock of %q: %w", dir, errNoCompiler)
	}
	data, err := dist.ReadFile(filepath.Join(dir, manifests.BuildRecordFile), manifests.MaxBuildRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.parseRecord(data, err)
}

func (s *set) parseRecord(data []byte, err error) error {
	if err != nil {
		return err
	}
	r, err := manifests.ParseBuildRecord(data)
	if err != nil {
		return fmt.Errorf("reading %q: %w", manifests.BuildRecordFile, err)
	}
	s.recorded(r)
	return nil
}

// errNoCompiler says that facts are missing.
var errNoCompiler = errors.New("it has no component rustc, which alone tells the host and the release: name its archive, too")

// factsOf reads the facts of the compiler in the component at root of an archive unpacked
// to dir, whose name and version may tell them.
func (s *set) factsOf(dir, root, program string, given marks.Given) error {
	if name, err := manifests.FindName(filepath.Base(dir)+manifests.GZ.Ext(), nil); err == nil && given.Host.IsZero() {
		given.Host = name.Target
	}
	text, err := dist.ReadFile(filepath.Join(dir, "version"), 1<<10)
	if err == nil && given.Release.IsZero() {
		if v, err := manifests.ParseVersion(firstLine(text), ""); err == nil {
			given.Release = v.Release
		}
	}
	facts, err := marks.Read(root, program, given)
	if err != nil {
		return err
	}
	s.host, s.version, s.spec, s.known = facts.Host, facts.Version, facts.Spec, facts.Known
	return nil
}
