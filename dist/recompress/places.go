package recompress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"x.go/dist"
	"x.go/dist/store"
	"x.go/manifests"
)

// places opens the stores of a plan, each once.
type places struct {
	dir  string // relative paths are from here
	open map[string]*store.Store
}

func newPlaces(dir string) *places { return &places{dir, map[string]*store.Store{}} }

func (p *places) close() {
	for _, s := range p.open {
		_ = s.Close() // only read
	}
}

// isStore reports whether a place is the URL of a store rather than a path.
func isStore(place string) bool { return strings.Contains(place, "://") }

// path returns a path as it is from here.
func (p *places) path(place string) string {
	if filepath.IsAbs(place) {
		return place
	}
	return filepath.Join(p.dir, place)
}

// store opens the store at a URL.
func (p *places) store(ctx context.Context, place string) (*store.Store, error) {
	if s := p.open[place]; s != nil {
		return s, nil
	}
	if manifests.Redact(place) != place {
		return nil, fmt.Errorf("opening store %q: a plan would tell its secret: give it in the environment", manifests.Redact(place))
	}
	s, err := store.Open(ctx, place)
	if err == nil {
		p.open[place] = s
	}
	return s, err
}

// input opens the file name at a place: a directory, or a store.
func (p *places) input(ctx context.Context, place, name string) (*input, error) {
	if !isStore(place) {
		at := filepath.Join(p.path(place), name)
		in, err := newInput(at)
		if err != nil {
			return nil, fmt.Errorf("reading input %q: %w", at, err)
		}
		return in, nil
	}
	s, err := p.store(ctx, place)
	if err != nil {
		return nil, err
	}
	return storedInput(s, name)
}

// storedInput is an input in a store. Its headers are not looked at before it is read.
func storedInput(s *store.Store, name string) (*input, error) {
	stem, format, ok := splitArchiveName(name)
	if !ok {
		return nil, fmt.Errorf("reading input %q in store %q: its name does not end in .tar, .tar.gz, .tar.xz or .tar.zst", name, s)
	}
	in := &input{path: path.Join(s.String(), name), stem: stem, format: format, memory: inputLimits.Memory, tarSize: -1}
	in.stored = func(ctx context.Context) (io.ReadCloser, error) {
		r, a, err := s.Get(ctx, name, 0)
		if err != nil {
			return nil, err
		}
		if a.Size == 0 {
			return nil, errors.Join(fmt.Errorf("reading input %q in store %q: the file is empty", name, s), r.Close())
		}
		in.size = a.Size
		return r, nil
	}
	return in, nil
}

// ReadTasks reads the plan file at a path, from dir if it is relative, or in a store:
// STORE/plan.json.
func ReadTasks(ctx context.Context, place, dir string) (*Tasks, error) {
	data, err := readPlan(ctx, newPlaces(dir), place)
	var t *Tasks
	if err == nil {
		t, err = parseTasks(data)
	}
	if err != nil {
		return nil, fmt.Errorf("reading plan %q: %w", manifests.Redact(place), err)
	}
	return t, nil
}

func readPlan(ctx context.Context, p *places, place string) ([]byte, error) {
	if !isStore(place) {
		return dist.ReadInput(p.path(place), maxTasksFile)
	}
	u, err := url.Parse(place)
	if err != nil || strings.HasSuffix(u.Path, "/") || u.Path == "" {
		return nil, errors.New("want the URL of a file in a store, such as s3://BUCKET/plan.json")
	}
	above, name := path.Split(u.Path)
	u.Path = above
	s, err := store.Open(ctx, u.String())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	data, _, err := s.Load(ctx, name, maxTasksFile)
	return data, err
}

// found is an input and where it lies.
type found struct {
	*input
	source string // as the user named it
}

// find returns the archives that the user names by a word: a file, a directory or
// a store, of which those directly in it count.
func (p *places) find(ctx context.Context, word string) ([]found, error) {
	if isStore(word) {
		return p.findStored(ctx, word)
	}
	paths, err := expandDir(p.path(word))
	if err != nil {
		return nil, err
	}
	source := word
	if len(paths) == 1 && paths[0] == p.path(word) {
		source = filepath.Dir(word)
	}
	var all []found
	var errs []error
	for _, at := range paths {
		in, err := newInput(at)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading input %q: %w", at, err))
			continue
		}
		all = append(all, found{in, filepath.ToSlash(filepath.Clean(source))})
	}
	return all, errors.Join(errs...)
}

func (p *places) findStored(ctx context.Context, place string) ([]found, error) {
	s, err := p.store(ctx, place)
	if err != nil {
		return nil, err
	}
	var all []found
	for o, err := range s.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if _, _, ok := splitArchiveName(o.Name); !ok || strings.Contains(o.Name, "/") || !o.Type.IsRegular() {
			continue
		}
		in, err := storedInput(s, o.Name)
		if err != nil {
			return nil, err
		}
		in.size = o.Size
		all = append(all, found{in, place})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("reading store %q: no .tar, .tar.gz, .tar.xz or .tar.zst directly in it", s)
	}
	return all, nil
}

// fileSize is the size of the file in bytes.
func (s *input) fileSize() int64 {
	if s.info != nil {
		return s.info.Size()
	}
	return cmp.Or(s.size, -1)
}
