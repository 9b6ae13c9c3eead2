package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"x.go/dist/archive"
	"x.go/manifests"
)

// Run verifies the inputs. The error is for trouble with the machine or the
// options, such as a full disk or a canceled context; whatever is wrong with
// the inputs is in the report.
func Run(ctx context.Context, opts Options) (Report, error) {
	if err := opts.check(); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	r := newRun(opts)
	defer r.finish()
	if err := r.all(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying: %w", err)
	}
	return r.report, nil
}

// run is one verification under way.
type run struct {
	opts   Options
	in     *input
	report Report
	work   *workspace // made when first needed
	mu     sync.Mutex // guards calls of opts.Progress
	packs  []pack
	digest map[string]*scanned // by path
}

func newRun(opts Options) *run {
	o := opts.withDefaults()
	return &run{opts: o, in: resolve(o.Inputs), report: Report{Inputs: slices.Clone(o.Inputs)}, digest: map[string]*scanned{}}
}

// needWorkspace makes the temporary folder unless it is there.
func (r *run) needWorkspace() error {
	if r.work != nil {
		return nil
	}
	work, err := newWorkspace(r.opts.TempDir)
	r.work = work
	return err
}

func (r *run) finish() {
	if r.work != nil {
		// Nothing of the report depends on it, and a leftover in a temporary
		// folder is no verdict.
		_ = r.work.close()
	}
}

func (r *run) progress(e Event) {
	if r.opts.Progress != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.opts.Progress(e)
	}
}

// add puts the outcomes of subjects into the report.
func (r *run) add(subjects ...*subject) {
	for _, s := range subjects {
		r.report.Checks = append(r.report.Checks, s.checks()...)
	}
}

func (r *run) all(ctx context.Context) error {
	r.add(r.in.subject)
	needTree := r.opts.has(Sysroot) || r.opts.has(Link)
	var prefixes []plan
	if needTree {
		prefixes = plans(r.in.archives)
	}
	if len(prefixes) > 0 {
		if err := r.needWorkspace(); err != nil {
			return err
		}
	}
	if err := r.scanAll(ctx, prefixes); err != nil {
		return err
	}
	if r.opts.has(Static) {
		r.static()
	}
	if err := r.prefixes(ctx, prefixes); err != nil {
		return err
	}
	if needTree {
		for _, dir := range r.in.trees {
			abs, err := filepath.Abs(dir)
			if err != nil {
				return fmt.Errorf("reading operand: %w", err)
			}
			if err := r.tree(ctx, abs, dir, nil); err != nil {
				return err
			}
		}
	}
	if r.opts.has(Channel) {
		if err := r.channels(ctx); err != nil {
			return err
		}
	} else {
		r.in.leaveManifests()
	}
	if r.opts.has(Client) {
		if err := r.clients(ctx); err != nil {
			return err
		}
	}
	if r.opts.has(Static) {
		r.add(r.in.unchecked())
	}
	return ctx.Err()
}

// scanAll reads the archives, several at once. For the static checks that is
// all of them, else only those to unpack.
func (r *run) scanAll(ctx context.Context, prefixes []plan) error {
	folders := map[string]string{}
	for _, p := range prefixes {
		for _, f := range p.files {
			if _, ok := folders[f.path]; !ok {
				folders[f.path] = folderOf(len(folders))
			}
		}
	}
	var todo []archiveFile
	for _, f := range r.in.archives {
		if _, unpack := folders[f.path]; unpack || r.opts.has(Static) {
			todo = append(todo, f)
		}
	}
	scans := make([]*scanned, len(todo))
	errs := make([]error, len(todo))
	var wg sync.WaitGroup
	slots := make(chan struct{}, r.opts.Jobs)
	for i, f := range todo {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			var out archive.Sink
			if folder, ok := folders[f.path]; ok {
				out = r.work.unpackSink(folder)
			}
			scans[i], errs[i] = scan(ctx, f, r.opts.Limits, r.progress, out)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return err
		}
		scans[i].folder = folders[scans[i].Path]
		r.addPack(scans[i])
	}
	return nil
}

// addPack judges one scanned archive.
func (r *run) addPack(a *scanned) {
	p := pack{scanned: a}
	if name, err := manifests.ParseArchiveName(a.file); err != nil {
		a.subject.failf(archiveFileName, "%v", err)
	} else {
		p.name, p.known = name, true
	}
	p.Layout = checkArchive(a, p.name.Source != "")
	r.packs = append(r.packs, p)
	r.digest[a.Path] = a
	if r.opts.has(Static) {
		checkChecksum(a.subject, archiveChecksum, a.Path, a.file, a.Digest)
		r.in.check(a.Path + ".sha256")
	}
}

// static adds the outcomes of the static checks.
func (r *run) static() {
	var scans []*scanned
	for _, p := range r.packs {
		r.add(p.subject)
		scans = append(scans, p.scanned)
		row := Archive{
			Name: p.file, Size: p.Size, Unpacked: p.Unpacked, Members: len(p.Members), SHA256: p.Digest.String(),
			Memory: p.Container.Memory, Version: string(p.Texts["version"]), Components: p.Components,
			Status: worst(p.subject.checks()),
		}
		r.report.Archives = append(r.report.Archives, row)
	}
	var first []pack // one format of each archive
	for _, group := range byStem(scans) {
		r.add(checkFormats(group)...)
		i := slices.IndexFunc(r.packs, func(p pack) bool { return p.scanned == group[0] })
		first = append(first, r.packs[i])
	}
	r.add(checkOwners(first)...)
	r.add(checkCombined(first)...)
	r.add(checkVersions(first)...)
}

// prefixes installs the archives of each plan and tests the result.
func (r *run) prefixes(ctx context.Context, prefixes []plan) error {
	for i, p := range prefixes {
		label := p.release + " " + p.host.String()
		s := newSubject(label, treeUnpack)
		built, moved := fmt.Sprintf("built/%d", i), fmt.Sprintf("moved/%d/rust", i)
		for _, dir := range []string{built, filepath.Dir(moved)} {
			if err := r.work.root.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("making a prefix: %w", err)
			}
		}
		for _, f := range p.files {
			j := slices.IndexFunc(r.packs, func(q pack) bool { return q.Path == f.path })
			if err := r.work.install(r.packs[j].folder, r.packs[j].Layout, built); err != nil {
				s.failf(treeUnpack, "%s: %v", f.file, err)
			}
			if !r.packs[j].Complete {
				s.failf(treeUnpack, "%s could not be read to its end", f.file)
			}
		}
		// A toolchain that works only where it was first unpacked is broken.
		if err := r.work.root.Rename(built, moved); err != nil {
			return fmt.Errorf("moving a prefix: %w", err)
		}
		if err := r.tree(ctx, filepath.Join(r.work.dir, filepath.FromSlash(moved)), label, s); err != nil {
			return err
		}
	}
	return nil
}

// tree tests one unpacked tree. s holds what is known of it already; it may be
// nil.
func (r *run) tree(ctx context.Context, prefix, label string, s *subject) error {
	if err := r.needWorkspace(); err != nil {
		return err
	}
	whole := s != nil || !sharesPrefix(prefix)
	if s == nil {
		s = newSubject(label)
	}
	home, err := os.MkdirTemp(r.work.dir, "home-")
	if err != nil {
		return fmt.Errorf("making a home for the compiler: %w", err)
	}
	t := &toolchain{label: label, prefix: prefix, home: home, search: r.opts.SearchPath}
	probeErr := t.probe(ctx, s)
	if probeErr == nil {
		t.askDefaults(ctx, home)
		r.report.Compiler = t.version
		r.report.Expect = r.expectation(t)
	}
	if r.opts.has(Sysroot) {
		r.progress(Event{Group: Sysroot, Subject: label})
		rows, err := checkTree(ctx, t, s, r.expectation(t), whole, r.opts.BuildRoots, probeErr)
		if err != nil {
			return err
		}
		r.report.Binaries = append(r.report.Binaries, rows...)
		r.progress(Event{Group: Sysroot, Subject: label, Done: true})
	}
	if r.opts.has(Sysroot) || s.failed(treeUnpack, treeCompiler) {
		r.add(s)
	}
	if r.opts.has(Link) {
		return r.link(ctx, t, probeErr)
	}
	return nil
}

// expectation resolves [Auto] for one toolchain. A compiler that did not run
// could not be asked; what is shipped beside it tells then.
func (r *run) expectation(t *toolchain) Expect {
	if r.opts.Expect == Auto && t.version == "" {
		if _, err := os.Stat(t.rustLLD()); err != nil {
			return ExpectSystem
		}
		return ExpectLLD
	}
	return t.defaultLinker(r.opts.Expect)
}

// sharesPrefix reports whether a tree lies in a prefix with other software, as
// a distribution's in /usr.
func sharesPrefix(prefix string) bool {
	for _, name := range []string{"sh", "env", "cc", "ls"} {
		if _, err := os.Lstat(filepath.Join(prefix, "bin", name)); err == nil {
			return true
		}
	}
	return false
}

// task is a leg of one toolchain, and what came of it.
type task struct {
	leg   leg
	label string
	out   *subject // nil if the leg does not exist for the toolchain
	rows  []Binary
	err   error
}

// link runs the legs, and one for each other target, several at once: each has
// a folder of its own. The report has them in the order of the table.
func (r *run) link(ctx context.Context, t *toolchain, probeErr error) error {
	var tasks []*task
	for _, l := range legs {
		tasks = append(tasks, &task{leg: l, label: t.label})
	}
	for _, target := range t.targets {
		if target != t.host {
			tasks = append(tasks, &task{leg: crossLeg(target), label: target.String()})
		}
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, r.opts.Jobs)
	for _, k := range tasks {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			k.err = r.leg(ctx, k, t, probeErr)
		})
	}
	wg.Wait()
	for _, k := range tasks {
		if k.err != nil {
			return k.err
		}
		if k.out != nil {
			r.add(k.out)
			r.report.Binaries = append(r.report.Binaries, k.rows...)
		}
	}
	return ctx.Err()
}

// leg runs one leg in a folder of its own.
func (r *run) leg(ctx context.Context, k *task, t *toolchain, probeErr error) error {
	if ctx.Err() != nil || len(r.opts.Legs) > 0 && !slices.Contains(r.opts.Legs, k.leg.name) {
		return ctx.Err()
	}
	b := &bench{toolchain: t, expect: r.expectation(t)}
	if probeErr != nil {
		k.out = newSubject(k.label)
		k.out.skipf(legCheck(k.leg.name, partLinks), "the compiler does not run: %v", probeErr)
		return nil
	}
	if k.leg.only != nil && !k.leg.only(b) {
		return nil
	}
	var err error
	if b.dir, err = os.MkdirTemp(r.work.dir, "leg-"); err != nil {
		return fmt.Errorf("making a folder for a link: %w", err)
	}
	r.progress(Event{Group: Link, Subject: k.leg.name})
	k.out, k.rows = runLeg(ctx, k.leg, b, k.label)
	r.progress(Event{Group: Link, Subject: k.leg.name, Done: true})
	if err := removeTree(b.dir); err != nil {
		return fmt.Errorf("removing the folder of a link: %w", err)
	}
	return nil
}
