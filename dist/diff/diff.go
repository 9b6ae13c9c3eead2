package diff

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// Options say what to compare. A and B are two dist directories, two archives or
// two trees.
type Options struct {
	A, B string
	// Budget is the change of a file's size, in percent of A's, that is not
	// reported; 0 reports every change.
	Budget float64
	// IgnoreContent leaves out files that differ in content alone, as nearly
	// all do between two releases.
	IgnoreContent bool
	// Allow are the differences that are intended.
	Allow []Allowance
	// TempDir is where the ELF files of archives are unpacked and removed again;
	// empty means [os.TempDir].
	TempDir string
	// Limits bound what an archive may cost.
	Limits archive.Limits
}

// Run compares two dist directories, archives or trees. The error is for operands
// that cannot be read or do not go together.
func Run(ctx context.Context, opts Options) (Comparison, error) {
	d := &differ{opts: opts, out: Comparison{A: opts.A, B: opts.B, Differences: []Difference{}}}
	if err := d.operands(ctx); err != nil {
		return Comparison{}, fmt.Errorf("comparing %q with %q: %w", opts.A, opts.B, err)
	}
	d.verdict()
	return d.out, nil
}

// differ is one comparison under way.
type differ struct {
	opts Options
	out  Comparison
	// otherBytes says that the bytes of some file differ, even where no
	// difference is reported.
	otherBytes bool
}

func (d *differ) add(diff Difference) { d.out.Differences = append(d.out.Differences, diff) }

func (d *differ) operands(ctx context.Context) error {
	a, err := readOperand(d.opts.A)
	if err != nil {
		return err
	}
	b, err := readOperand(d.opts.B)
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

// archives pairs the archives of two directories and compares each pair.
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
	for _, key := range slices.Sorted(maps.Keys(right)) {
		d.add(Difference{Kind: "only-in-b", In: right[key].file})
	}
	return nil
}

// pairKey is an archive's name without its version, so that the archives of two
// releases are paired by component, target and format.
func pairKey(f archiveFile) string {
	n, err := manifests.ParseArchiveName(f.file)
	if err != nil {
		return f.file
	}
	return n.Component.Archive + " " + n.Target.String() + n.Source + string(n.Format)
}

// pair compares two archives.
func (d *differ) pair(ctx context.Context, a, b archiveFile) (err error) {
	d.out.Compared++
	same, err := sameFiles(ctx, a.path, b.path)
	if err != nil || same {
		return err
	}
	d.otherBytes = true
	temp, err := os.MkdirTemp(d.opts.TempDir, "x-diff-")
	if err != nil {
		return fmt.Errorf("creating a directory to unpack to: %w", err)
	}
	// What is left in a temporary directory changes no verdict.
	defer func() { _ = os.RemoveAll(temp) }()
	elf := &elfFiles{dir: temp}
	left, err := d.loadArchive(ctx, a, elf)
	if err != nil {
		return err
	}
	right, err := d.loadArchive(ctx, b, elf)
	if err != nil {
		return err
	}
	before := len(d.out.Differences)
	for _, s := range []*side{left, right} {
		if s.unreadable != "" {
			d.add(Difference{Kind: unreadable, In: s.file, A: s.unreadable})
		}
	}
	d.nodes(a.file, left, right)
	if len(d.out.Differences) > before {
		return nil
	}
	return d.containers(ctx, a, b, left, right)
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
	ha, err := dist.HashFile(ctx, a)
	if err != nil {
		return false, err
	}
	hb, err := dist.HashFile(ctx, b)
	return ha == hb, err
}

// verdict sums up.
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
	d.out.Sameness = d.sameness()
}

// sameness is the degree that the differences come to. The files of an archive
// are what counts: its container may differ without an allowance.
func (d *differ) sameness() Sameness {
	all := d.out.Differences
	inside := func(f Difference) bool { return f.Kind != "container" && f.Kind != "tar" }
	unwanted := func(f Difference) bool { return inside(f) && f.Allowed == "" }
	switch {
	case !d.otherBytes && len(all) == 0:
		return SameBytes
	case !slices.ContainsFunc(all, inside) && !d.opts.IgnoreContent:
		return SameContent
	case !slices.ContainsFunc(all, unwanted):
		return AllowedOnly
	}
	return Differs
}
