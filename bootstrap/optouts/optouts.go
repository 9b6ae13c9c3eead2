package optouts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/targets"
)

// Options says what is looked at, and which compiler answers.
type Options struct {
	// Compiler and Snapshot are those that answer what an option does, as
	// [targets.Registry.At] finds the one for the other's release.
	Compiler targets.Compiler
	Snapshot targets.Snapshot
	// Target is what is linked for where a file does not say so; zero for the
	// compiler's host.
	Target targets.Triple
	// Dir is where relative paths start; "" for the process's working directory.
	Dir string
	// NoIgnore looks at files that .gitignore, .ignore and .rgignore leave out.
	NoIgnore bool
	// Jobs is the number of workers; zero for one on each processor.
	Jobs int
}

// Report is what was found in one or more directories.
type Report struct {
	Findings []Finding
	Looked   int      // files that were read
	Problems []string // what could not be read
}

// Finding is an option in a file, what it does, and why it may be there.
type Finding struct {
	File   string `json:"file"`   // path from where the caller is
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1, in characters
	Option string `json:"option"` // as written, words joined by a blank
	Effect string `json:"effect"`
	Reason string `json:"reason"` // "" where none is known
	// Needed says whether the reason still holds: nil where that is not known.
	Needed *bool  `json:"needed"`
	Why    string `json:"why,omitempty"` // of Needed

	Class   Class    `json:"class"`
	Kind    Kind     `json:"kind"`
	Status  Status   `json:"status"`
	Cause   string   `json:"cause,omitempty"` // stable name of the reason
	Sources []string `json:"sources,omitempty"`
	Target  string   `json:"target,omitempty"` // that the effect is about
	Release string   `json:"release"`
	// Fixable says that [Report.Edits] removes the option.
	Fixable bool `json:"fixable"`

	// EndLine and EndColumn are just after the option; Start is where all of it
	// begins, which may be on an earlier line.
	EndLine   int `json:"end_line"`
	EndColumn int `json:"end_column"`

	found *found
	file  *file
	tree  *tree
}

// tree is a directory that was named.
type tree struct {
	dir   string  // as it was named
	where string  // the same for the system
	files []*file // with findings
}

// Run looks through directories. A directory that cannot be opened is an error; what
// cannot be read below one is a problem of the report.
func Run(ctx context.Context, dirs []string, o Options) (*Report, error) {
	if o.Target.IsZero() {
		o.Target = o.Compiler.Host
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	o.Snapshot = o.Snapshot.Indexed()
	r := &Report{Findings: []Finding{}}
	for _, dir := range dirs {
		if err := r.addTree(ctx, dir, o); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Report) addTree(ctx context.Context, dir string, o Options) error {
	where := dir
	if !filepath.IsAbs(dir) {
		where = filepath.Join(o.Dir, dir)
	}
	root, err := os.OpenRoot(where)
	if err != nil {
		return fmt.Errorf("opening directory %q: %w", dir, dist.WithoutPath(err))
	}
	defer root.Close()
	w := walker{root: root, noIgnore: o.NoIgnore}
	if err := w.walk(ctx, o.Jobs); err != nil {
		return fmt.Errorf("looking through %q: %w", dir, err)
	}
	t := &tree{dir: dir, where: where, files: w.files}
	r.Looked += w.looked
	r.Problems = append(r.Problems, w.problems...)
	deps := dependencies{root: root, seen: map[string]*crates{}}
	j := judge{compiler: o.Compiler, snapshot: o.Snapshot, target: o.Target}
	for _, f := range w.files {
		r.Findings = append(r.Findings, t.judge(f, &j, &deps)...)
	}
	return nil
}

// judge turns the options of a file into findings.
func (t *tree) judge(f *file, j *judge, deps *dependencies) []Finding {
	var out []Finding
	for i := range f.found {
		o := &f.found[i]
		group := f.groupOf(o)
		if o.class == ClassUnlock && !servesOnly(group) {
			continue
		}
		v := j.verdict(o, group, f.bootstrap)
		if strings.HasPrefix(o.key, "env.") && f.kind == KindCargoConfig && o.class != ClassToolchain {
			v.status, v.text = StatusUnknown, "none on this build: cargo takes "+strings.TrimPrefix(o.key, "env.")+" from its own environment, and gives what is in [env] to what it starts, such as a cargo in a build script"
		}
		dir := path.Dir(f.name)
		c := deps.of(dir)
		why := explainReason(&facts{
			release: j.compiler.Release, crates: c.versions, overlay: c.overlay, comment: f.besides(o), verdict: v, found: o,
			beside: slices.ContainsFunc(group, leadsElsewhere), nix: f.kind == KindNix, page: f.kind == KindDocumentation,
		})
		out = append(out, t.finding(f, o, v, why, j.compiler.Release))
	}
	markFixable(f, out)
	return out
}

// groupOf returns the options of the statement that an option is in.
func (f *file) groupOf(o *found) []found {
	var out []found
	for _, other := range f.found {
		if f.kind == KindDocumentation { // a page names alternatives
			if other.at == o.at && other.option == o.option || other.class == ClassUnlock && other.group == o.group {
				out = append(out, other)
			}
			continue
		}
		if other.group == o.group || other.class == ClassLinker && o.target != "" && other.target == o.target && f.kind == KindCargoConfig ||
			o.class == ClassLinker && o.target != "" && other.target == o.target && f.kind == KindCargoConfig {
			out = append(out, other)
		}
	}
	return out
}

// servesOnly reports whether -Zunstable-options has an option beside it that this
// package knows.
func servesOnly(group []found) bool {
	return slices.ContainsFunc(group, func(o found) bool { return o.class != ClassUnlock })
}

// leadsElsewhere reports whether -B leads to another linker.
func leadsElsewhere(o found) bool {
	return o.class == ClassFuseLd && len(o.args) > 0 && strings.Contains(o.args[0], "=-B")
}

func (t *tree) finding(f *file, o *found, v verdict, why reason, release targets.Release) Finding {
	at := o.mark
	if f.line(o.at) == f.line(o.mark) {
		at = o.at
	}
	out := Finding{
		File: t.path(f.name), Line: f.line(at) + 1, Column: f.column(at), Option: oneLine(o.option), Effect: v.text,
		Reason: why.text, Why: why.why, Class: o.class, Kind: f.kind, Status: v.status, Cause: why.cause, Sources: why.sources,
		Target: v.target, Release: release.String(), EndLine: f.line(o.end) + 1, EndColumn: f.column(o.end),
		found: o, file: f, tree: t,
	}
	switch why.needed {
	case targets.Yes, targets.No:
		needed := why.needed == targets.Yes
		out.Needed = &needed
	}
	switch f.kind {
	case KindDocumentation:
		out.Effect = "documentation; whoever follows it: " + v.text
	case KindSource:
		out.Effect = "source code; where the program uses it: " + v.text
	}
	return out
}

// path is what the user calls a file of the tree.
func (t *tree) path(name string) string {
	return filepath.ToSlash(filepath.Join(t.dir, filepath.FromSlash(name)))
}

// Counts says how many findings are needed, not needed, and neither is known of.
func (r *Report) Counts() (needed, obsolete, unknown int) {
	for _, f := range r.Findings {
		switch {
		case f.Needed == nil:
			unknown++
		case *f.Needed:
			needed++
		default:
			obsolete++
		}
	}
	return needed, obsolete, unknown
}

// Fixable counts the findings that [Report.Edits] removes.
func (r *Report) Fixable() (n int) {
	for _, f := range r.Findings {
		if f.Fixable {
			n++
		}
	}
	return n
}

// Err joins the problems of the report, nil for none.
func (r *Report) Err() error {
	var all []error
	for _, p := range r.Problems {
		all = append(all, errors.New(p))
	}
	return errors.Join(all...)
}

// Where returns "file:line:column".
func (f *Finding) Where() string {
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, cmp.Or(f.Column, 1))
}
