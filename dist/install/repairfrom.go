package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/installsh"
	"x.go/manifests"
)

// restore has the resolver look for what is installed in the directories of opts alone.
func (r *resolver) restore(opts Options) error {
	l, err := opts.layout()
	if err != nil {
		return err
	}
	in, err := readInstalled(l)
	if err != nil {
		return err
	}
	defer in.close()
	return r.restoreAll(in)
}

func (r *resolver) restoreAll(in *installed) error {
	for _, c := range in.components {
		r.restored = append(r.restored, c.name)
	}
	if len(r.restored) == 0 {
		return fmt.Errorf("nothing is installed in %q", in.layout.prefix)
	}
	if r.implied = len(r.Components) == 0; r.implied {
		for _, name := range r.restored {
			if !slices.ContainsFunc(r.Without, func(without string) bool {
				return name == without || manifests.ParseComponentID(without).Means(manifests.ParseComponentID(name))
			}) {
				r.Components = append(r.Components, name)
			}
		}
		r.names = newSelection(r.Components, r.Without)
	}
	return nil
}

// called returns the name by which a component of an input is going to be installed;
// false if it is not to be.
func (r *resolver) called(in input, component string) (string, bool) {
	if r.restored == nil {
		return component, true
	}
	return installedName(r.restored, component, in.target)
}

// notRepaired returns the installed components that no source has.
func (r *resolver) notRepaired(done Installed) []string {
	var out []string
	for _, name := range r.restored {
		if r.implied && len(done.Components) > 0 && !slices.Contains(done.Components, name) {
			out = append(out, name)
		}
	}
	return out
}

// InspectFrom is [Inspect] against archives: those of the installed components, which it
// reads to their ends. A component that no source has is told as one of which nothing is
// known.
func InspectFrom(ctx context.Context, opts Options, from From, progress func(done, total int64)) (State, error) {
	return inspectBy(ctx, opts, progress, func(s *survey) error {
		if len(s.in.components) == 0 {
			return nil // said already
		}
		return s.expectArchives(ctx, opts, from)
	})
}

// expectArchives expects what archives have.
func (s *survey) expectArchives(ctx context.Context, opts Options, from From) error {
	r := newResolver(from, opts.Waiting)
	defer func() { r.cache.close(r.inputs) }()
	if err := r.restoreAll(s.in); err != nil {
		return err
	}
	if err := r.resolve(ctx); err != nil {
		return err
	}
	var mu sync.Mutex
	var expected []expectation
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce())
	for _, in := range r.inputs {
		g.Go(func() error {
			some, script, err := r.expectInput(gctx, s.in.layout, in)
			mu.Lock()
			defer mu.Unlock()
			expected = append(expected, some...)
			if len(script) > 0 {
				s.scripts = append(s.scripts, script)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if !r.implied {
		if err := r.names.check(); err != nil {
			return err
		}
	}
	s.expect(expected)
	return nil
}

// expectInput reads what the wanted components of an input should be, and its install.sh.
func (r *resolver) expectInput(ctx context.Context, l layout, in input) ([]expectation, []byte, error) {
	facts, found, err := readInput(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	members := map[string][]archive.Member{}
	for _, m := range facts.Members {
		component, name, ok := strings.Cut(archive.Below(m.Name), "/")
		if ok && m.IsFile() && name != manifests.ManifestFile {
			m.Name = name
			members[component] = append(members[component], m)
		}
	}
	links := packageLinks(found)
	var out []expectation
	for _, component := range found.Components {
		called, ok := r.called(in, component)
		if !ok || !newSelection(r.Components, r.Without).wants(component, in.target, in.chosen) {
			continue
		}
		e := expectation{component: called, against: in.path, list: l.records(found.Lists[component])}
		for _, rec := range e.list {
			if rec.kind == manifests.DirDirective {
				e.dirs = append(e.dirs, rec.place)
			}
		}
		for _, m := range members[component] {
			mode := installedMode(m.Name, dist.ModeOf(m.Name, fs.FileMode(m.Mode)))
			e.files = append(e.files, wanted{component: called, at: l.destination(m.Name), mode: mode, size: m.Size, hash: m.Digest})
		}
		for _, link := range links {
			if link.component == component {
				e.files = append(e.files, link.wanted(called, l, found))
			}
		}
		out = append(out, e)
	}
	return out, facts.Texts[installsh.FileName], nil
}

// readInput reads an archive or an unpacked one, with the digests of its files.
func readInput(ctx context.Context, in input) (*archive.Facts, *archive.Layout, error) {
	if !in.unpacked {
		facts, found, err := archive.Read(ctx, in.path, archive.ScanOptions{Symlinks: true, Texts: []string{installsh.FileName}})
		if err == nil {
			err = in.check(facts.Digest)
		}
		return facts, found, err
	}
	root, err := os.OpenRoot(in.path)
	if err != nil {
		return nil, nil, err
	}
	facts, err := readTree(root)
	root.Close()
	if err != nil {
		return nil, nil, fmt.Errorf("reading directory %q: %w", in.path, err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range facts.Members {
		if m := &facts.Members[i]; m.IsFile() {
			g.Go(func() (err error) {
				m.Digest, err = dist.HashFile(ctx, filepath.Join(in.path, filepath.FromSlash(archive.Below(m.Name))))
				return err
			})
		}
	}
	err = g.Wait()
	l := facts.Layout() // with the digests
	return facts, l, errors.Join(err, l.First())
}
