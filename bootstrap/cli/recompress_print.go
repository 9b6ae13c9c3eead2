package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"x.go/bootstrap"
	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/recompress"
	"x.go/manifests"
)

// recompressAnswer is what `x recompress --json` prints.
type recompressAnswer struct {
	Archives    []recompressedAnswer `json:"archives"`
	Compression compressionAnswer    `json:"compression"`
	Errors      []string             `json:"errors"`
}

type recompressedAnswer struct {
	Name       string         `json:"name"`
	Path       string         `json:"path"`
	Format     string         `json:"format"`
	Inputs     []string       `json:"inputs"`
	TarSize    int64          `json:"tar_size"`
	TarSHA256  manifests.Hash `json:"tar_sha256"`
	SizeBefore int64          `json:"size_before,omitempty"` // of the input in the same format
	Size       int64          `json:"size"`
	SHA256     manifests.Hash `json:"sha256"`
	// DecoderMemory is what unpacking takes, in bytes.
	DecoderMemory int64 `json:"decoder_memory"`
	// Skipped says that an earlier run wrote it.
	Skipped bool `json:"skipped"`
}

// recompressPlanAnswer is what `x recompress --dry-run --json` prints.
type recompressPlanAnswer struct {
	Plans    []recompress.StreamPlan `json:"plans"`
	Done     []string                `json:"done"`
	Problems []string                `json:"problems"`
}

// printRecompressPlan prints what would be done.
func (a *app) printRecompressPlan(todo *recompress.Job) error {
	if a.flags.json {
		answer := recompressPlanAnswer{Plans: todo.Plans, Done: todo.Done, Problems: append([]string{}, errorLines(errors.Join(todo.Problems...))...)}
		return a.printJSON(answer)
	}
	for _, p := range todo.Plans {
		for _, ar := range p.Archives {
			fmt.Fprintln(a.Stdout, bootstrap.Action{
				Verb: "emit", Object: filepath.Join(p.Dir, ar.Name),
				Detail: fmt.Sprintf("%s of tar in %s, %s", bootstrap.FormatSize(p.Size), filepath.Base(p.Inputs[0]), bootstrap.DescribeArchive(ar)),
			})
		}
	}
	for _, path := range todo.Done {
		fmt.Fprintln(a.Stdout, bootstrap.Action{Verb: "skip", Object: path, Detail: "done: the same content with the same settings"})
	}
	return nil
}

// printRecompressed prints what was done, even if something failed.
func (a *app) printRecompressed(done []recompress.Result, c compressionAnswer, failure error) error {
	if !a.flags.json {
		return a.printRecompressTable(done)
	}
	answer := recompressAnswer{Archives: []recompressedAnswer{}, Compression: c, Errors: append([]string{}, errorLines(failure)...)}
	for _, r := range done {
		for _, ar := range r.Archives {
			answer.Archives = append(answer.Archives, recompressedAnswer{
				Name: ar.Name, Path: ar.Path, Format: string(ar.Format), Inputs: r.Inputs, TarSize: r.TarSize, TarSHA256: r.Tar,
				SizeBefore: ar.Before, Size: ar.Size, SHA256: ar.SHA256, DecoderMemory: ar.DecoderMemory, Skipped: ar.Done,
			})
		}
	}
	return a.printJSON(answer)
}

// recompressTotal adds up the archives of one format that this run wrote.
type recompressTotal struct {
	format             archive.Format
	count              int
	tar, before, after int64
	fresh              bool // some had no input of their format, so the sums cannot be compared
}

// add takes one archive.
func (t *recompressTotal) add(tar, before, after int64) {
	t.count++
	t.tar, t.before, t.after = t.tar+tar, t.before+before, t.after+after
	if t.fresh = t.fresh || before == 0; t.fresh {
		t.before = 0
	}
}

// printRecompressTable prints a row for each archive, and for each format the sum
// of what this run wrote.
func (a *app) printRecompressTable(done []recompress.Result) error {
	if len(done) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ARCHIVE\tTAR\tBEFORE\tAFTER\tCHANGE\tTO UNPACK")
	var totals []*recompressTotal
	for _, r := range done {
		for _, ar := range r.Archives {
			i := slices.IndexFunc(totals, func(t *recompressTotal) bool { return t.format == ar.Format })
			if i < 0 {
				i = len(totals)
				totals = append(totals, &recompressTotal{format: ar.Format})
			}
			before, change := ar.Before, changeText(ar.Before, ar.Size)
			if ar.Done {
				before, change = 0, "done"
			} else {
				totals[i].add(r.TarSize, ar.Before, ar.Size)
			}
			recompressRow(w, ar.Path, r.TarSize, before, ar.Size, change, dist.FormatBytes(ar.DecoderMemory))
		}
	}
	for _, t := range totals {
		if t.count > 1 { // the sum of one archive says nothing
			recompressRow(w, fmt.Sprintf("%d %s", t.count, t.format.Ext()), t.tar, t.before, t.after, changeText(t.before, t.after), "")
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the answer: %w", err)
	}
	return nil
}

// recompressRow prints one row; sizes are in bytes, and before is 0 if there is
// nothing to compare with.
func recompressRow(w io.Writer, name string, tar, before, after int64, change, unpack string) {
	was := "-"
	if before > 0 {
		was = bootstrap.FormatSize(before)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, bootstrap.FormatSize(tar), was, bootstrap.FormatSize(after), change, unpack)
}

// changeText says how a size changed: "-2.7 %".
func changeText(before, after int64) string {
	if before == 0 {
		return "new"
	}
	return fmt.Sprintf("%+.1f %%", 100*(float64(after)/float64(before)-1))
}
