package verify

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/archive"
	"x.go/manifests"
)

// Sameness is how alike two archives, folders or trees are.
type Sameness string

// The degrees, closest first.
const (
	// SameBytes: every file is equal byte by byte.
	SameBytes Sameness = "same bytes"
	// SameContent: other bytes outside, but equal members inside, down to
	// names, modes, times and content.
	SameContent Sameness = "same content in another container"
	// AllowedOnly: they differ as the allowances say, and in nothing else.
	AllowedOnly Sameness = "only allowed differences"
	// Differs: see the list of differences.
	Differs Sameness = "different"
)

// DiffOptions say what to compare. A and B are two dist folders, two archives
// or two trees.
type DiffOptions struct {
	A, B string
	// Budget is the change of a file's size, in percent of A, that is not
	// worth a difference; 0 reports every change.
	Budget float64
	// IgnoreContent leaves out files that differ in content alone, as nearly
	// all do between two releases.
	IgnoreContent bool
	// Allow are the differences that are intended.
	Allow []Allowance
	// TempDir is as in [Options].
	TempDir string
	Limits  archive.Limits
	// Progress, if set, is told of each pair.
	Progress func(Event)
}

// Difference is one thing that differs.
type Difference struct {
	// Kind is one of the names that [DiffKinds] explains.
	Kind string `json:"kind"`
	// In is the archive it was seen in, by A's name; empty for trees.
	In   string `json:"in,omitempty"`
	Path string `json:"path,omitempty"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
	// Allowed is the reason of the allowance that covers it, or empty.
	Allowed string `json:"allowed,omitempty"`
}

// Comparison is the outcome of [Diff]. Its JSON encoding is stable.
type Comparison struct {
	A           string       `json:"a"`
	B           string       `json:"b"`
	Sameness    Sameness     `json:"sameness"`
	Compared    int          `json:"compared"` // archives, or files of a tree
	Differences []Difference `json:"differences"`
	// Unused are allowances that covered nothing: remove them.
	Unused []string `json:"unused_allowances,omitempty"`
}

// DiffKinds explains the kinds of differences, in the order of reports.
func DiffKinds() [][2]string {
	return [][2]string{
		{"only-in-a", "a file, folder or archive that B does not have"},
		{"only-in-b", "a file, folder or archive that A does not have"},
		{"name", "the same file under another name, but for a hash or release in it"},
		{"kind", "a file in one, a folder or link in the other"},
		{"mode", "permissions"},
		{"link", "the target of a symbolic link"},
		{"size", "a size that changed by more than the budget"},
		{"content", "other bytes of about the same size; for ELF files, the first section that differs"},
		{"soname", "DT_SONAME"},
		{"needed", "DT_NEEDED, without releases and hashes"},
		{"runpath", "DT_RUNPATH or DT_RPATH"},
		{"glibc-floor", "the oldest glibc that a file runs with"},
		{"linker", "the linker of a file; not its version"},
		{"container", "equal members in other compressed bytes"},
		{"tar", "equal members in another tar: the first field that differs"},
		{"order", "equal members in another order"},
		{"time", "modification times of members"},
		{"unreadable", "an archive that could not be read to its end"},
	}
}

// Diff compares two dist folders, archives or trees. The error is for operands
// that cannot be read or do not go together.
func Diff(ctx context.Context, opts DiffOptions) (Comparison, error) {
	d := &differ{opts: opts, out: Comparison{A: opts.A, B: opts.B, Differences: []Difference{}}}
	defer d.close()
	if err := d.all(ctx); err != nil {
		return Comparison{}, fmt.Errorf("comparing %q with %q: %w", opts.A, opts.B, err)
	}
	d.verdict()
	return d.out, nil
}

// differ is one comparison under way.
type differ struct {
	opts DiffOptions
	out  Comparison
	work *workspace
	// otherBytes says that some file differs in bytes, whatever was found.
	otherBytes bool
	folders    int
}

func (d *differ) close() {
	if d.work != nil {
		_ = d.work.close() // as in run.finish
	}
}

func (d *differ) add(diff Difference) { d.out.Differences = append(d.out.Differences, diff) }

func (d *differ) all(ctx context.Context) error {
	work, err := newWorkspace(d.opts.TempDir)
	if err != nil {
		return err
	}
	d.work = work
	a, err := diffOperand(d.opts.A)
	if err != nil {
		return err
	}
	b, err := diffOperand(d.opts.B)
	if err != nil {
		return err
	}
	switch {
	case a.tree != "" && b.tree != "":
		return d.trees(ctx, a.tree, b.tree)
	case a.tree == "" && b.tree == "":
		return d.archives(ctx, a.archives, b.archives)
	}
	return fmt.Errorf("a tree and archives do not go together: unpack the archives, or give two of a kind")
}

// operand is one side.
type operand struct {
	tree     string
	archives []archiveFile
}

func diffOperand(path string) (operand, error) {
	info, err := os.Stat(path)
	if err != nil {
		return operand{}, err
	}
	in := &input{checked: map[string]bool{}, subject: newSubject("")}
	if !info.IsDir() {
		if !in.addFile(path) || len(in.archives) == 0 {
			return operand{}, fmt.Errorf("%q is no .tar.gz, .tar.xz or .tar.zst archive", path)
		}
		return operand{archives: in.archives}, nil
	}
	if isTree(path) {
		return operand{tree: path}, nil
	}
	if err := in.addFolder(path); err != nil || len(in.archives) == 0 {
		return operand{tree: path}, nil // any other folder is compared file by file
	}
	return operand{archives: in.archives}, nil
}

// archives pairs the archives of two folders by component, target and format,
// so that two releases can be compared, and compares each pair.
func (d *differ) archives(ctx context.Context, a, b []archiveFile) error {
	if len(a) == 1 && len(b) == 1 {
		return d.pair(ctx, a[0], b[0])
	}
	right := map[string]archiveFile{}
	for _, f := range b {
		right[pairKey(f)] = f
	}
	for _, f := range a {
		other, ok := right[pairKey(f)]
		if !ok {
			d.add(Difference{Kind: "only-in-a", In: f.file})
			continue
		}
		delete(right, pairKey(f))
		if err := d.pair(ctx, f, other); err != nil {
			return err
		}
	}
	for _, key := range sortedKeys(right) {
		d.add(Difference{Kind: "only-in-b", In: right[key].file})
	}
	return nil
}

// pairKey is an archive's name without its version.
func pairKey(f archiveFile) string {
	n, err := manifests.ParseArchiveName(f.file)
	if err != nil {
		return f.file
	}
	return n.Component.Archive + " " + n.Target.String() + n.Source + string(n.Format)
}

// pair compares two archives.
func (d *differ) pair(ctx context.Context, a, b archiveFile) error {
	d.progress(Event{Group: Static, Subject: a.file})
	d.out.Compared++
	same, err := sameFiles(ctx, a.path, b.path)
	if err != nil || same {
		return err
	}
	d.otherBytes = true
	left, err := d.loadArchive(ctx, a)
	if err != nil {
		return err
	}
	right, err := d.loadArchive(ctx, b)
	if err != nil {
		return err
	}
	before := len(d.out.Differences)
	for _, s := range []*side{left, right} {
		if s.unreadable != "" {
			d.add(Difference{Kind: "unreadable", In: s.file, A: s.unreadable})
		}
	}
	d.nodes(a.file, left, right)
	if len(d.out.Differences) == before {
		return d.containers(ctx, a, b, left, right)
	}
	d.progress(Event{Group: Static, Subject: a.file, Done: true})
	return nil
}

func (d *differ) progress(e Event) {
	if d.opts.Progress != nil {
		d.opts.Progress(e)
	}
}

// sameFiles compares two files by digest.
func sameFiles(ctx context.Context, a, b string) (bool, error) {
	ia, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	ib, err := os.Stat(b)
	if err != nil || ia.Size() != ib.Size() {
		return false, err
	}
	ha, err := hashOf(ctx, a)
	if err != nil {
		return false, err
	}
	hb, err := hashOf(ctx, b)
	return ha == hb, err
}

// verdict sums up. Container differences alone are the second degree.
func (d *differ) verdict() {
	used := make([]bool, len(d.opts.Allow))
	for i := range d.out.Differences {
		diff := &d.out.Differences[i]
		for j, allow := range d.opts.Allow {
			if allow.covers(*diff) {
				diff.Allowed, used[j] = allow.Reason, true
				break
			}
		}
	}
	for j, allow := range d.opts.Allow {
		if !used[j] {
			d.out.Unused = append(d.out.Unused, allow.String())
		}
	}
	outside := func(f Difference) bool { return f.Kind == "container" || f.Kind == "tar" }
	switch all := d.out.Differences; {
	case !d.otherBytes && len(all) == 0:
		d.out.Sameness = SameBytes
	case !slices.ContainsFunc(all, func(f Difference) bool { return !outside(f) }) && !d.opts.IgnoreContent:
		d.out.Sameness = SameContent
	case !slices.ContainsFunc(all, func(f Difference) bool { return f.Allowed == "" && !outside(f) }):
		d.out.Sameness = AllowedOnly
	default:
		d.out.Sameness = Differs
	}
}

// Same reports whether nothing differs that was not allowed. Containers may.
func (c Comparison) Same() bool { return c.Sameness != Differs }

// trees compares two trees file by file.
func (d *differ) trees(ctx context.Context, a, b string) error {
	left, err := loadTree(ctx, a)
	if err != nil {
		return err
	}
	right, err := loadTree(ctx, b)
	if err != nil {
		return err
	}
	d.out.Compared = max(len(left.nodes), len(right.nodes))
	d.nodes("", left, right)
	d.otherBytes = d.otherBytes || len(d.out.Differences) > 0
	return nil
}

// loadTree lists a tree. Links are not followed.
func loadTree(ctx context.Context, root string) (*side, error) {
	s := &side{file: filepath.Base(root), nodes: map[string]*node{}}
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || rel == "." {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		n := &node{path: filepath.ToSlash(rel), mode: int64(info.Mode().Perm()), kind: "file", size: info.Size(), disk: p}
		switch {
		case info.IsDir():
			n.kind, n.size = "folder", 0
		case info.Mode()&os.ModeSymlink != 0:
			n.kind, n.size, n.disk = "link", 0, ""
			if n.link, err = os.Readlink(p); err != nil {
				return err
			}
		case !info.Mode().IsRegular():
			n.kind, n.disk = info.Mode().Type().String(), ""
		default:
			if n.digest, err = hashOf(ctx, p); err != nil {
				return err
			}
		}
		s.add(n)
		return ctx.Err()
	})
	return s, err
}

// loadArchive scans an archive; its ELF files are unpacked to be read.
func (d *differ) loadArchive(ctx context.Context, f archiveFile) (*side, error) {
	folder := folderOf(d.folders)
	d.folders++
	a, err := archive.Scan(ctx, f.path, archive.ScanOptions{Limits: d.opts.Limits, Sink: elfOnly(d.work.unpackSink(folder))})
	if err != nil {
		return nil, err
	}
	s := &side{file: f.file, nodes: map[string]*node{}, members: a.Members, stem: strings.TrimSuffix(f.file, f.format.Ext())}
	if err := a.First(); err != nil && !a.Complete {
		s.unreadable = err.Error()
	}
	for _, m := range a.Members {
		rel := archive.Below(m.Name)
		if rel == "" {
			continue
		}
		n := &node{path: rel, mode: m.Mode, kind: "file", size: m.Size, digest: m.Digest}
		if m.IsDir() {
			n.kind = "folder"
		} else if !m.IsFile() {
			n.kind = m.Kind()
		}
		if disk := filepath.Join(d.work.dir, folder, filepath.FromSlash(rel)); m.IsFile() && filepath.IsLocal(rel) {
			if _, err := os.Lstat(disk); err == nil {
				n.disk = disk
			}
		}
		s.add(n)
	}
	return s, nil
}

// elfOnly passes on to the sink only files that begin as ELF files do.
func elfOnly(out archive.Sink) archive.Sink {
	return func(m archive.Member) (io.WriteCloser, error) {
		if !m.IsFile() {
			return nil, nil
		}
		return &elfWriter{out: out, m: m}, nil
	}
}

// elfWriter decides by the first bytes whether to keep a file.
type elfWriter struct {
	out     archive.Sink
	m       archive.Member
	head    []byte
	file    io.WriteCloser
	dropped bool
}

const elfMagic = "\x7fELF"

// Write implements [io.Writer].
func (w *elfWriter) Write(p []byte) (int, error) {
	if w.dropped {
		return len(p), nil
	}
	if w.file != nil {
		return w.file.Write(p)
	}
	w.head = append(w.head, p...)
	if len(w.head) < len(elfMagic) {
		return len(p), nil
	}
	if !strings.HasPrefix(string(w.head[:len(elfMagic)]), elfMagic) {
		w.dropped, w.head = true, nil
		return len(p), nil
	}
	var err error
	if w.file, err = w.out(w.m); err != nil {
		return 0, err
	}
	if w.file == nil {
		w.dropped = true
		return len(p), nil
	}
	if _, err := w.file.Write(w.head); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements [io.Closer].
func (w *elfWriter) Close() error {
	if w.file != nil {
		return w.file.Close()
	}
	return nil
}
