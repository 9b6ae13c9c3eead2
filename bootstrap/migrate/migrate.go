package migrate

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"x.go/bootstrap/config"
	"x.go/bootstrap/toml"
	"x.go/targets"
)

// Options says how to migrate a file.
type Options struct {
	// From is the release that the file was written for, To the one to migrate to.
	From, To targets.Release
	// Name is the file's name, for places.
	Name string
	// Host is the default of build.build.
	Host targets.Triple
	// ReadFile reads included files; nil means that there are none.
	ReadFile func(path string) ([]byte, error)
}

// Result is a migrated file.
type Result struct {
	// Text is the new file; equal to the old one if nothing had to change.
	Text []byte
	// Edits are the changes of the text, in the order of lines.
	Edits []Edit
	// Undone are the changes left to do by hand, with their lines and reasons.
	Undone []config.Finding
	// Before and After are the file as From and To read it; nil if To refuses the
	// new text.
	Before, After *config.Config
	// Releases tells of releases that x does not know.
	Releases []config.Finding
	// Changes are upstream's changes between the releases that concern LLD, dist
	// or the file itself.
	Changes []config.Change
}

// Edit is one change of the text.
type Edit struct {
	// Pos is the place in the old text.
	Pos toml.Position
	// Key is the old full name, To the new one; empty if the key was removed
	// or only its value changed.
	Key, To string
	Reason  string
}

// Run rewrites a bootstrap.toml of one release for another: keys that were
// renamed, moved or removed in between, with comments and layout kept. It
// changes no key whose meaning it cannot keep; those are in Undone. It is an error
// if From refuses the file, or if To is older than From.
func Run(data []byte, o Options) (Result, error) {
	o.Name = cmp.Or(o.Name, config.BootstrapFile)
	from, to := config.MinorOf(o.From), config.MinorOf(o.To)
	if from > to {
		return Result{}, fmt.Errorf("migrating %q: got releases %s to %s, want an older one first", o.Name, o.From, o.To)
	}
	before, err := o.load(data, o.From)
	if err != nil {
		return Result{}, fmt.Errorf("migrating %q: release %s refuses it: %w", o.Name, o.From, err)
	}
	m := &migrator{doc: toml.Parse(o.Name, data), opt: o}
	for _, s := range moves {
		if s.since <= to {
			m.apply(s)
		}
	}
	m.changeID(to)
	for _, r := range []targets.Release{o.From, o.To} {
		if f, known := config.KnownRelease(r); !known {
			m.out.Releases = append(m.out.Releases, f)
		}
	}
	m.out.Text = m.splice()
	slices.SortStableFunc(m.out.Edits, func(a, b Edit) int { return cmp.Compare(a.Pos.Line, b.Pos.Line) })
	for _, c := range config.Changes() {
		if c.Topic != "" && c.Since > from && c.Since <= to {
			m.out.Changes = append(m.out.Changes, c)
		}
	}
	after, err := o.load(m.out.Text, o.To)
	if err != nil {
		m.leftOver(err)
		return m.out, nil
	}
	m.out.Before, m.out.After = &before, &after
	return m.out, nil
}

func (o Options) load(data []byte, r targets.Release) (config.Config, error) {
	return config.Load(config.Source{Path: o.Name, Host: o.Host, Release: r, ReadFile: func(path string) ([]byte, error) {
		if path == o.Name {
			return data, nil
		}
		if o.ReadFile == nil {
			return nil, errNoFiles
		}
		return o.ReadFile(path)
	}})
}

// move is a change of a key between releases.
type move struct {
	since config.Minor
	// from is a full name or a pattern. to is the new name; empty removes the
	// key. A "*" in to alone stands for build.build.
	from, to string
	// value turns the old value's text into the new one; nil keeps it. An
	// empty result removes the key.
	value  func(old *toml.Node) string
	reason string
}

// moves are the renamed, moved and removed keys.
var moves = []move{
	{76, "rust.run-dsymutil", "", nil, "removed in 1.76 (rust-lang/rust#118703); it did nothing"},
	{76, "dist.gpg-password-file", "", nil, "removed in 1.76 (rust-lang/rust#118703); it did nothing"},
	{76, "llvm.download-ci-llvm", "llvm.download-ci-llvm", only("if-available", `"if-unchanged"`), `"if-unchanged" replaced "if-available" (rust-lang/rust#117813)`},
	{78, "profile", "profile", only("codegen", `"compiler"`), "compiler replaced the profile codegen (rust-lang/rust#121278)"},
	{78, "profile", "profile", only("llvm", `"compiler"`), "compiler replaced the profile llvm (rust-lang/rust#121278)"},
	{79, "changelog-seen", "", nil, "removed in 1.79 (rust-lang/rust#123711); change-id replaced it"},
	{79, "rust.split-debuginfo", "target.*.split-debuginfo", nil, "moved in 1.79 (rust-lang/rust#121754)"},
	{80, "dist.missing-tools", "", nil, "removed in 1.80 (rust-lang/rust#125535); it did nothing"},
	{85, "rust.parallel-compiler", "", nil, "removed in 1.85 (rust-lang/rust#134650); the compiler is always parallel"},
	{87, "rust.description", "build.description", nil, "moved in 1.87 (rust-lang/rust#137723)"},
	{87, "llvm.ccache", "build.ccache", nil, "moved in 1.87 (rust-lang/rust#136941)"},
	{92, "rust.use-lld", "rust.bootstrap-override-lld", nil, "renamed in 1.92 (rust-lang/rust#147046)"},
	{92, "build.compiletest-use-stage0-libtest", "", nil, "without effect since 1.92 (rust-lang/rust#146929)"},
	{93, "build.npm", "", nil, "ignored since 1.93 (rust-lang/rust#148763); build.yarn replaced it"},
	{98, "rust.profile-use", "pgo.rustc.use", nil, "deprecated in 1.98 (rust-lang/rust#158912)"},
	{98, "rust.profile-generate", "pgo.rustc.generate", nil, "deprecated in 1.98 (rust-lang/rust#158912)"},
	{99, "rust.jemalloc", "rust.override-allocator", allocator, "replaced in 1.99 (rust-lang/rust#155617)"},
	{99, "target.*.jemalloc", "target.*.override-allocator", allocator, "replaced in 1.99 (rust-lang/rust#155617)"},
}

// only changes one value and leaves others as they are.
func only(old, text string) func(*toml.Node) string {
	return func(n *toml.Node) string {
		if n.Kind == toml.String && n.Text == old {
			return text
		}
		return keep
	}
}

// keep is what a value function returns to leave the whole key alone.
const keep = "\x00"

// allocator turns jemalloc = true into the allocator's name.
func allocator(n *toml.Node) string {
	if n.Text == "true" {
		return `"jemalloc"`
	}
	return ""
}

// migrator edits one document.
type migrator struct {
	doc     *toml.Document
	opt     Options
	out     Result
	splices []splice
	// sections are those that the file lacks and keys move to.
	sections []addedSection
}

// splice replaces a range of the text.
type splice struct {
	start, end int
	text       string
}

func (m *migrator) undone(n *toml.Node, key, reason, remedy string) {
	m.out.Undone = append(m.out.Undone, config.Finding{Severity: config.Warning, Place: m.doc.Position(n.At).String(), Key: key, Reason: reason, Remedy: remedy})
}

// apply carries out a row for each key that it fits.
func (m *migrator) apply(s move) {
	for id, n := range m.find(s.from) {
		m.one(s, id, n)
	}
}

func (m *migrator) one(s move, id string, n *toml.Node) {
	value := string(m.doc.Data[n.Value:n.End])
	if s.value != nil {
		if value = s.value(n); value == keep {
			return
		}
	}
	to, ok := m.destination(s, id)
	switch {
	case !ok:
		m.undone(n, id, s.reason+", but the file does not say which triple it is for", "write it as "+s.to+" with the triple of build.build")
		return
	case to != "" && to != id && m.lookup(to) != nil:
		m.undone(n, id, fmt.Sprintf("%s, but %s is set too", s.reason, to), "remove one of them")
		return
	}
	if value == "" {
		to = ""
	}
	sameTable := to != "" && to[:len(to)-len(config.LastPart(to))] == id[:len(id)-len(config.LastPart(id))]
	switch {
	case sameTable:
		m.rename(n, config.LastPart(to), value)
	case n.Inline:
		m.undone(n, id, s.reason+", but it stands within {…}", "write the section as a table and run this again")
		return
	default:
		m.cut(n)
		if to != "" {
			m.insert(n, to, value)
		}
	}
	e := Edit{Pos: m.doc.Position(n.At), Key: id, Reason: s.reason}
	if to != id {
		e.To = to
	}
	m.out.Edits = append(m.out.Edits, e)
}

// destination fills in the "*" of the new name.
func (m *migrator) destination(s move, id string) (string, bool) {
	if !strings.Contains(s.to, "*") {
		return s.to, true
	}
	if name := config.NamedPart(id); name != "" {
		return strings.Replace(s.to, "*", name, 1), true
	}
	if n := m.lookup("build.build"); n != nil && n.Kind == toml.String {
		return strings.Replace(s.to, "*", n.Text, 1), true
	}
	return "", false
}

// leftOver reports what the new release refuses as work to do by hand.
func (m *migrator) leftOver(err error) {
	list, ok := err.(config.Errors)
	if !ok {
		return
	}
	for _, e := range list {
		if slices.ContainsFunc(m.out.Undone, func(f config.Finding) bool { return f.Key == e.Key }) {
			continue
		}
		m.out.Undone = append(m.out.Undone, config.Finding{Severity: config.Failure, Place: e.Place(), Key: e.Key, Reason: e.Message, Remedy: e.Hint})
	}
}

// changeID brings a numeric change-id up to date.
func (m *migrator) changeID(to config.Minor) {
	n := m.lookup("change-id")
	if n == nil || n.Kind != toml.Integer {
		return
	}
	id := config.LastChange(to).ID
	if text := fmt.Sprint(id); text != n.Text {
		m.splices = append(m.splices, splice{n.Value, n.End, text})
		m.out.Edits = append(m.out.Edits, Edit{Pos: m.doc.Position(n.At), Key: "change-id", Reason: "the last change of the new release"})
	}
}

// splice applies all edits.
func (m *migrator) splice() []byte {
	for _, s := range m.sections {
		m.insertAt(len(m.doc.Data), s.head+s.text)
	}
	slices.SortStableFunc(m.splices, func(a, b splice) int { return cmp.Compare(a.start, b.start) })
	var out bytes.Buffer
	at := 0
	for _, s := range m.splices {
		out.Write(m.doc.Data[at:max(at, s.start)])
		out.WriteString(s.text)
		at = max(at, s.end)
	}
	out.Write(m.doc.Data[at:])
	return out.Bytes()
}
