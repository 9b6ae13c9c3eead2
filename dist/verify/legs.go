package verify

import (
	"context"
	"path/filepath"
	"slices"

	"x.go/dist/linkage"
)

// demand says which linker must have linked the products of a leg.
type demand int

const (
	asExpected demand = iota // LLD or not, as the default is expected to be
	notLLD
	mustLLD
	anyLinker
)

// leg is one way of linking. Its products are read back and run; see [judge].
type leg struct {
	name string
	what string
	// want holds for every product.
	want demand
	// only, if set, reports whether the leg exists for a toolchain. If not, the
	// report does not mention it.
	only func(*bench) bool
	// need, if set, returns why the leg cannot run on this machine, or "".
	need func(*bench) string
	// build links something.
	build func(context.Context, *bench) built
}

// built is the outcome of a leg.
type built struct {
	failure  string    // why it did not link; empty if it did
	products []product // in the order of judging
	witness  string    // the linker's own words, "LLD 22.1.2 (...)"
	// refused is how the link failed, where it was right to fail.
	refused string
	// skipped is why this machine cannot run the leg.
	skipped string
	// unrun is why this machine cannot run what was linked.
	unrun string
}

// product is a linked file.
type product struct {
	path string
	// run are the arguments to run it with; nil if it is no program.
	run  []string
	want string // exact output when run
}

// Names of a leg's checks are link/<leg>/<part>.
const (
	partLinks  = "links"
	partLinker = "linker"
	partRuns   = "runs"
)

func legCheck(leg, part string) string { return "link/" + leg + "/" + part }

// legTable is the part of the catalogue about the legs.
func legTable() []CheckInfo {
	var out []CheckInfo
	for _, l := range append(slices.Clone(legs), leg{name: crossName, what: crossWhat}) {
		out = append(out,
			CheckInfo{legCheck(l.name, partLinks), Link, l.what + ": it links"},
			CheckInfo{legCheck(l.name, partLinker), Link, l.what + ": the linker is the required one, by its mark in the file and by its own words"},
			CheckInfo{legCheck(l.name, partRuns), Link, l.what + ": the result runs"})
	}
	return out
}

// LegNames returns the names of the link legs, in the order of running.
func LegNames() []string {
	var names []string
	for _, l := range legs {
		names = append(names, l.name)
	}
	return append(names, crossName)
}

// legs are in the order of running.
var legs = []leg{
	{
		name: "default", what: "a program with default options",
		need:  needCC,
		build: rustcLeg(helloProgram),
	},
	{
		name: "opt-out", what: "a program with -Clinker-features=-lld", want: notLLD,
		only: stableOptOut, need: needCC,
		build: rustcLeg(helloProgram, "-Clinker-features=-lld"),
	},
	{
		name: "system-lld", what: "a program with -Clink-self-contained=-linker where PATH has an ld.lld", want: mustLLD,
		only: func(b *bench) bool { return stableOptOut(b) && expectsLLD(b) }, need: needCC,
		build: systemLLDLeg,
	},
	{
		name: "no-system-lld", what: "a program with -Clink-self-contained=-linker where PATH has no ld.lld", want: notLLD,
		only: func(b *bench) bool { return stableOptOut(b) && expectsLLD(b) }, need: needCC,
		build: noSystemLLDLeg,
	},
	{
		name: "cdylib", what: "a cdylib that a C program loads",
		need:  needCC,
		build: cdylibLeg,
	},
	{
		name: "staticlib", what: "a staticlib that the C compiler links", want: anyLinker,
		need:  needCC,
		build: staticlibLeg,
	},
	{
		name: "encapsulation-symbols", what: "a program that walks a section by its __start_ and __stop_ symbols",
		need:  needCC,
		build: rustcLeg(sectionProgram, "-Copt-level=2"),
	},
	{
		name: "lto", what: "a program with opt-level 3 and fat LTO",
		need:  needCC,
		build: rustcLeg(helloProgram, "-Copt-level=3", "-Clto=fat", "-Ccodegen-units=1"),
	},
	{
		name: "cargo", what: "a project with a build script and a procedural macro, by the archives' own cargo",
		only: func(b *bench) bool { return b.cargo }, need: needCC,
		build: cargoLeg,
	},
	{
		name: "old-driver", what: "a program linked by a C driver that rejects -fuse-ld=lld, as before GCC 9", want: notLLD,
		only: expectsLLD, need: needCC,
		build: oldDriverLeg,
	},
}

func needCC(b *bench) string {
	if b.ccError != nil && b.isForeign {
		return b.ccError.Error()
	}
	if b.ccError != nil {
		return "no C compiler: " + b.ccError.Error()
	}
	return ""
}

// stableOptOut reports whether the compiler accepts -Clinker-features=-lld and
// -Clink-self-contained=-linker without -Zunstable-options: for one target only
// (rust-lang/rust#140525).
func stableOptOut(b *bench) bool { return b.host.String() == "x86_64-unknown-linux-gnu" }

func expectsLLD(b *bench) bool { return b.expect == ExpectLLD }

// bench is where one leg runs: a toolchain, an expectation and a fresh directory.
type bench struct {
	*toolchain
	expect Expect
	dir    string
}

// demanded returns what want means under the expectation.
func (b *bench) demanded(want demand) demand {
	switch {
	case want == asExpected && b.expect == ExpectLLD:
		return mustLLD
	case want == asExpected, want == anyLinker && b.expect == ExpectSystem:
		return notLLD
	}
	return want
}

// runLeg links, reads back and runs. It returns rows for the report's table of
// binaries.
func runLeg(ctx context.Context, l leg, b *bench, label string) (*subject, []Binary) {
	s := newSubject(label)
	links := legCheck(l.name, partLinks)
	s.declare(links)
	if l.need != nil {
		if why := l.need(b); why != "" {
			s.skipf(links, "%s", why)
			return s, nil
		}
	}
	out := l.build(ctx, b)
	if out.skipped != "" {
		s.skipf(links, "%s", out.skipped)
		return s, nil
	}
	if out.failure != "" {
		s.failf(links, "%s", out.failure)
		return s, nil
	}
	if out.refused != "" {
		s.notef(links, "%s", out.refused)
		return s, nil
	}
	if by := b.linkedBy(); by != "" {
		s.notef(links, "by %s", by)
	}
	linker, runs := legCheck(l.name, partLinker), legCheck(l.name, partRuns)
	var rows []Binary
	for _, p := range out.products {
		info, err := linkage.ReadFile(p.path)
		if err != nil {
			s.failf(linker, "%v", err)
			continue
		}
		row := binaryRow(filepath.Base(p.path), p.path, info)
		row.Leg, row.Witness = l.name, out.witness
		rows = append(rows, row)
		if lent := b.foreign.lender; lent != nil {
			s.skipf(linker, "linked by %s, for %s: the compiler of the archives has a default of its own, and does not run here", describeLinker(info), lent.label)
		} else {
			judge(s, linker, b.demanded(l.want), info, out.witness, filepath.Base(p.path))
		}
		if p.run != nil {
			runProduct(ctx, s, runs, b, p)
		}
	}
	if out.unrun != "" {
		s.skipf(runs, "%s", out.unrun)
	}
	return s, rows
}

// linkedBy says what linked with a tree for another machine, for a reader.
func (t *toolchain) linkedBy() string {
	switch {
	case t.foreign.lender != nil:
		return t.foreign.lender.label
	case t.isForeign:
		return t.foreign.runs
	}
	return ""
}

// judge compares the linker that linked a product with the required one.
func judge(s *subject, check string, want demand, info linkage.Info, witness, name string) {
	s.declare(check)
	saw := describeLinker(info)
	spoke := witnessLinker(witness)
	if info.Doubt != "" {
		s.failf(check, "%s: %s", name, info.Doubt)
	}
	if spoke != linkage.Unknown && info.Linker != linkage.Unknown && spoke != info.Linker {
		s.failf(check, "%s: by its mark %s linked it, but %q answered", name, saw, witness)
	}
	switch {
	case want == mustLLD && info.Linker != linkage.LLD:
		s.failf(check, "%s: got %s, want LLD", name, saw)
	case want == notLLD && (info.Linker == linkage.LLD || spoke == linkage.LLD):
		s.failf(check, "%s: got %s, want another linker than LLD", name, saw)
	case want == notLLD && info.Linker == linkage.Unknown && spoke == linkage.Unknown:
		s.failf(check, "%s: nothing tells the linker, so it may be LLD", name)
	}
	s.notef(check, "%s", saw)
}

func describeLinker(info linkage.Info) string {
	switch {
	case info.LinkerVersion != "":
		return info.Linker.String() + " " + info.LinkerVersion
	case info.Linker == linkage.BFD:
		return "GNU ld"
	}
	return info.Linker.String()
}

// runProduct runs a program that was linked.
func runProduct(ctx context.Context, s *subject, check string, b *bench, p product) {
	s.declare(check)
	if why := b.runsNone(p.path); why != "" {
		s.skipf(check, "%s", why)
		return
	}
	r := b.own(ctx, b.dir, p.path, p.run...)
	switch why := b.cannotRun(r); {
	case why != "":
		s.skipf(check, "%s", why)
	case !r.ok():
		s.failf(check, "running %s: %s", filepath.Base(p.path), r.why())
	case r.output != p.want:
		s.failf(check, "running %s: got %.200q, want %q", filepath.Base(p.path), r.output, p.want)
	}
}

// binaryRow is a row of the report's table.
func binaryRow(name, path string, info linkage.Info) Binary {
	return Binary{
		Path: name, Kind: string(info.Kind), Machine: machineName(info.Machine), Size: fileSize(path),
		Linker: info.Linker.String(), LinkerVersion: info.LinkerVersion, GlibcFloor: info.GlibcFloor,
		RunPath: info.RunPath, Needed: info.Needed, SOName: info.SOName,
	}
}
