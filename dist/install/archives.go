package install

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
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

// RunFrom is [Run] for the components of archives. Each archive is read once: what is
// decoded goes straight to its place, under a temporary name. Several archives are
// decoded at a time. All are checked to their ends, digests included, before
// anything is changed. opts.Uninstaller is ignored: it is that of the last archive.
//
// The error joins all names of components that no source has.
func RunFrom(ctx context.Context, opts Options, from From) (_ Installed, err error) {
	r := newResolver(from, opts.Waiting)
	defer func() {
		done := r.inputs
		if err != nil {
			done = nil // another call need not fetch them again
		}
		r.cache.close(done)
	}()
	if opts.Repair {
		err = r.restore(opts)
	}
	if err == nil {
		err = r.resolve(ctx)
	}
	if err != nil {
		return Installed{}, fmt.Errorf("installing: %w", err)
	}
	l, err := opts.layout()
	if err != nil {
		return Installed{}, fmt.Errorf("installing: %w", err)
	}
	if err := r.isSource(l); err != nil {
		return Installed{}, fmt.Errorf("installing to %q: %w", l.prefix, err)
	}
	done, err := r.install(ctx, opts)
	done.NotRepaired = r.notRepaired(done)
	if err != nil {
		return done, fmt.Errorf("installing to %q: %w", l.prefix, err)
	}
	return done, nil
}

// install loads all inputs into one transaction. That must know at its beginning which
// installed components it replaces, but archives may tell only at their ends what they
// have: what their names promise is tried first.
func (r *resolver) install(ctx context.Context, opts Options) (Installed, error) {
	for exact := false; ; exact = true {
		names, err := r.componentNames(ctx, exact)
		if err != nil {
			return Installed{}, err
		}
		var installed []string
		tx, err := begin(ctx, opts, func(before []string) []string {
			installed = before
			return names
		})
		if err != nil {
			return Installed{}, err
		}
		parts, err := r.load(ctx, tx)
		if (err != nil || !guessedRight(installed, names, parts)) && !exact && ctx.Err() == nil {
			if actual, nerr := r.componentNames(ctx, true); nerr == nil && !slices.Equal(actual, names) {
				if err := tx.rollback(); err != nil {
					return Installed{}, err
				}
				continue
			}
		}
		if err != nil {
			return Installed{}, errors.Join(err, tx.rollback())
		}
		return tx.commit(ctx, parts...)
	}
}

// guessedRight reports whether names are those of the parts, as far as they are
// installed.
func guessedRight(installed, names []string, parts []part) bool {
	return !slices.ContainsFunc(installed, func(name string) bool {
		isPart := slices.ContainsFunc(parts, func(p part) bool { return p.name == name })
		return isPart != slices.Contains(names, name)
	})
}

// componentNames returns the names of the components to install, sorted. Unless exact,
// those of Rust's own archives are guessed.
func (r *resolver) componentNames(ctx context.Context, exact bool) ([]string, error) {
	var out []string
	for _, in := range r.inputs {
		names := in.guess
		if exact || len(names) == 0 {
			var err error
			if names, err = readNames(ctx, in); err != nil {
				return nil, err
			}
		}
		for _, name := range names {
			if called, ok := r.called(in, name); ok && newSelection(r.Components, r.Without).wants(name, in.target, in.chosen) {
				out = append(out, called)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// load adds the files of all inputs to the transaction.
func (r *resolver) load(ctx context.Context, tx *transaction) ([]part, error) {
	dirs := dist.ProgramDirs{Prefix: cmp.Or(tx.opts.Prefix, "/usr/local"), Bindir: tx.opts.Bindir, Libdir: tx.opts.Libdir}
	ld := &loader{resolver: r, tx: tx, names: r.names, dirs: dirs, owner: map[string]string{}, within: map[string]string{}, from: map[string]string{}}
	loaded := make([]unit, len(r.inputs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce())
	for i, in := range r.inputs {
		g.Go(func() (err error) {
			loaded[i], err = ld.input(gctx, in)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := r.names.check(); err != nil && !r.implied {
		return nil, err
	}
	var parts []part
	var words dist.Package
	for _, u := range loaded {
		parts = append(parts, u.parts...)
		if len(u.parts) > 0 {
			words = u.words
		}
		if len(u.script) > 0 && len(u.parts) > 0 {
			tx.sources = append(tx.sources, u.script)
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("the sources have nothing to install")
	}
	var err error
	tx.opts.Uninstaller, err = words.Script()
	return parts, err
}

// decoding is the memory of one archive's decoder with what it has ahead, and memory
// that of all, in bytes.
const (
	decoding = 256 << 20
	memory   = 1 << 30
)

// atOnce returns how many archives are decoded at a time.
func atOnce() int { return max(1, min(runtime.GOMAXPROCS(0), memory/decoding)) }

// unit is what was loaded of an input.
type unit struct {
	parts  []part
	words  dist.Package // Product and SuccessMessage of its uninstaller
	script []byte       // its install.sh, nil if it has none
}

// loader feeds a transaction from several inputs.
type loader struct {
	*resolver
	tx    *transaction
	dirs  dist.ProgramDirs
	mu    sync.Mutex
	names *selection
	// owner has the component of each file, within that of a file below each
	// directory, both by names in an image; from has the input of each component.
	owner, within, from map[string]string
}

// wants reports whether to install a component of an input.
func (ld *loader) wants(in input, component string) bool {
	ld.mu.Lock()
	defer ld.mu.Unlock()
	_, ok := ld.called(in, component)
	return ok && ld.names.wants(component, in.target, in.chosen)
}

// claim notes that a component of an input is to be installed.
func (ld *loader) claim(in input, component string) error {
	ld.mu.Lock()
	defer ld.mu.Unlock()
	if other, ok := ld.from[component]; ok {
		return fmt.Errorf("component %q is also in %q: name one of them", component, other)
	}
	ld.from[component] = in.path
	return nil
}

// own notes a file of a component. No other one may have it, or be in its way.
func (ld *loader) own(component, name string) error {
	ld.mu.Lock()
	defer ld.mu.Unlock()
	other, ok := ld.owner[name]
	if !ok {
		other, ok = ld.within[name]
	}
	if ld.within[path.Dir(name)] == "" { // else it was so for another file of that directory
		for dir := range dist.Parents(name) {
			if !ok {
				other, ok = ld.owner[dir]
			}
			if ld.within[dir] == "" {
				ld.within[dir] = component
			}
		}
	}
	if ok {
		return fmt.Errorf("%q belongs to component %q and to %q", name, other, component)
	}
	ld.owner[name] = component
	if path.Dir(name) == "lib" && strings.HasPrefix(name, "lib/librustc_driver") {
		if key, err := ld.dirs.Parted(); err != nil {
			return fmt.Errorf("%s: %w: leave it out, or set bindir and libdir to bin and lib of one directory", strings.TrimPrefix(key, "install."), err)
		}
	}
	return nil
}

// input loads an input.
func (ld *loader) input(ctx context.Context, in input) (unit, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	p := &pass{loader: ld, in: in, ctx: ctx, group: g, wanted: map[string]bool{}}
	u, err := p.run()
	if werr := g.Wait(); werr != nil && !errors.Is(werr, errCut) { // it stopped the reading
		err = fmt.Errorf("unpacking %q: %w", in.path, werr)
	}
	return u, errors.Join(err, p.close())
}

// pass is the one pass over an input. Files are written while the next ones are
// decoded: creating one takes longer than filling it.
type pass struct {
	*loader
	in     input
	ctx    context.Context
	group  *errgroup.Group // writes files
	wanted map[string]bool // of directories in the package
	held   []heldFile
	size   int64 // bytes of held
	batch  batch // small files that nobody writes yet
	// stored has the files that symbolic links lead to, nil if there are none.
	stored *archive.StoredFiles
}

// heldFile is a small file of a directory that may turn out to be no component.
type heldFile struct {
	f    file
	name string // in the image
	data []byte
}

// maxHeld bounds the files that wait for the list of components, in bytes: licences,
// and components that Rust does not have.
const maxHeld = 64 << 20

// smallFile is the largest file that is held in memory as a whole, in bytes.
const smallFile = 256 << 10

func (p *pass) run() (unit, error) {
	if p.in.unpacked {
		return p.directory()
	}
	facts, l, err := archive.Read(p.ctx, p.in.path, archive.ScanOptions{Symlinks: true, Sink: p.member, Texts: []string{installsh.FileName}, NoDigests: true, NoFileDigest: p.in.want == nil})
	if err != nil {
		return unit{}, err
	}
	p.writeBatch()
	if err := p.in.check(facts.Digest); err != nil {
		return unit{}, err
	}
	return p.finish(l, facts.Texts)
}

// finish takes the components that the package turned out to have.
func (p *pass) finish(l *archive.Layout, texts map[string][]byte) (unit, error) {
	u := unit{script: texts[installsh.FileName]}
	u.words.Product, u.words.SuccessMessage = installsh.Words(texts[installsh.FileName])
	for _, name := range l.Components {
		wanted, err := p.takes(name)
		if err != nil {
			return u, fmt.Errorf("reading %q: %w", p.in.path, err)
		}
		if !wanted {
			continue
		}
		called, _ := p.called(p.in, name)
		u.parts = append(u.parts, part{called, p.tx.layout.records(l.Lists[name])})
		for _, h := range p.held {
			if h.f.component == called {
				if err := p.add(h.f, h.name, open(h.data)); err != nil {
					return u, err
				}
			}
		}
		if err := p.emptyDirs(l, name); err != nil {
			return u, err
		}
	}
	return u, p.links(l)
}

// takes reports whether to install a component. It is an error if another input has it.
func (p *pass) takes(component string) (bool, error) {
	wanted, known := p.wanted[component]
	if known {
		return wanted, nil
	}
	wanted = p.wants(p.in, component)
	p.wanted[component] = wanted
	if !wanted {
		return false, nil
	}
	return true, p.claim(p.in, component)
}

// emptyDirs creates the directories in bulk directories. Of other directories,
// install.sh creates those of files alone.
func (p *pass) emptyDirs(l *archive.Layout, component string) error {
	var bulk []string
	for _, d := range l.Lists[component] {
		if d.Kind == manifests.DirDirective {
			bulk = append(bulk, d.Path)
		}
	}
	if len(bulk) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for dir := range l.Dirs {
		name, ok := strings.CutPrefix(dir, component+"/")
		if ok && p.within[name] == "" && slices.ContainsFunc(bulk, func(b string) bool { return name == b || strings.HasPrefix(name, b+"/") }) {
			if err := p.tx.addDir(p.tx.layout.destination(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// member is an [archive.Sink].
func (p *pass) member(m archive.Member) (io.WriteCloser, error) {
	component, name, ok := strings.Cut(archive.Below(m.Name), "/")
	if !ok || !m.IsFile() || name == manifests.ManifestFile {
		return nil, nil
	}
	wanted, known := p.wanted[component]
	if !known {
		var err error
		if _, known = manifests.LookupComponent(manifests.ParseComponentID(component).Archive); known {
			wanted, err = p.takes(component)
		}
		if err != nil {
			return nil, err
		}
	}
	if known && !wanted {
		return nil, nil
	}
	f := p.file(component, name, fs.FileMode(m.Mode), m.Size)
	if !known && p.size+m.Size > maxHeld {
		if err := p.readNames(); err != nil {
			return nil, err
		}
		if wanted = p.wanted[component]; !wanted {
			return nil, nil
		}
		known = true
	}
	switch {
	case !known:
		p.size += m.Size
		return &archive.SmallWriter{Data: make([]byte, 0, m.Size), Done: func(data []byte) error {
			p.held = append(p.held, heldFile{f, name, data})
			return nil
		}}, nil
	case m.Size > smallFile:
		q := newQueue(m.Size)
		err := p.add(f, name, func() (io.ReadCloser, error) { return &queueReader{queue: q}, nil })
		return q, err
	}
	if err := p.own(component, name); err != nil {
		return nil, err
	}
	return p.small(f), nil
}

// file describes a file of a component for the transaction.
func (p *pass) file(component, name string, mode fs.FileMode, size int64) file {
	mode = dist.ModeOf(name, mode)
	if strings.HasPrefix(name, "bin/") {
		mode = dist.ModeExec // as install.sh does
	}
	component, _ = p.called(p.in, component)
	return file{component: component, to: p.tx.layout.destination(name), mode: mode, size: size}
}

// add adds a file, which no other component may have.
func (p *pass) add(f file, name string, open func() (io.ReadCloser, error)) error {
	if err := p.own(f.component, name); err != nil {
		return err
	}
	p.write(f, open)
	return nil
}

// write writes a file in the background; open is nil for a link.
func (p *pass) write(f file, open func() (io.ReadCloser, error)) {
	p.group.Go(func() error {
		if open == nil {
			return p.tx.add(p.ctx, f, nil)
		}
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		return p.tx.add(p.ctx, f, r)
	})
}

func open(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return smallReader{bytes.NewReader(data)}, nil }
}

// readNames has the names of the components from the start: unknown directories are
// too large to wait for them.
func (p *pass) readNames() error {
	names, err := readNames(p.ctx, p.in)
	for _, name := range names {
		if _, terr := p.takes(name); terr != nil {
			return terr
		}
	}
	return err
}

// readNames reads which components an input has, and nothing behind that.
func readNames(ctx context.Context, in input) ([]string, error) {
	var data []byte
	if in.unpacked {
		root, err := os.OpenRoot(in.path)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		if data, err = dist.ReadOwn(root, manifests.ComponentsFile, maxText); err != nil {
			return nil, err
		}
	} else {
		rd, err := archive.Open(in.path, archive.Limits{})
		if err != nil {
			return nil, err
		}
		defer rd.Close()
		for {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			m, err := rd.Next()
			if errors.Is(err, io.EOF) {
				return nil, nil // the pass says what is wrong with it
			}
			if err != nil {
				return nil, err
			}
			if archive.Below(m.Name) == manifests.ComponentsFile {
				if data, err = dist.ReadAll(rd, in.path, maxText); err != nil {
					return nil, err
				}
				break
			}
		}
	}
	return manifests.ReadComponentNames(data, func(manifests.ListProblem) {}), nil
}
