package targets

import (
	"embed"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"x.go/targets/nearest"
)

// Registry holds the builtin targets of some releases of rustc. The zero
// Registry holds none; [Builtin] is the one that comes with this program.
//
// It parses nothing before that is asked for: to find a target is to search the
// release's text for its line.
type Registry struct{ snapshots []Snapshot } // oldest release first

// Snapshot is the builtin targets of one release. The zero Snapshot is
// invalid.
//
// Its text is one block per target, `target NAME BASE` and a line per field,
// over blocks `base NAME` which hold what most targets of one system and C
// library share. A release may build on an older one: then `target NAME ~`
// changes the older block and `dropped NAME` removes it. Values are JSON as rustc
// prints it; `-FIELD` removes a field that the base has.
type Snapshot struct {
	text   string
	info   Info
	parent *Snapshot
	index  map[string]int // where blocks are in text, by their first two words; nil: to be searched
}

// Info says which compiler a snapshot was taken from.
type Info struct {
	Release Release
	Commit  string // hash of rust-lang/rust, or "" where unknown
	Host    Triple
	// LLDDefault says that this compiler was built with
	// default-linker-linux-override = "self-contained-lld-cc" for its host.
	LLDDefault bool
}

//go:embed data/*.txt
var dataFiles embed.FS

// Builtin returns the registry that is part of the program.
func Builtin() Registry {
	names, err := dataFiles.ReadDir("data")
	if err != nil {
		panic("targets: " + err.Error())
	}
	texts := make([]string, len(names))
	for i, n := range names {
		b, err := dataFiles.ReadFile("data/" + n.Name())
		if err != nil {
			panic("targets: " + err.Error())
		}
		texts[i] = string(b)
	}
	r, err := NewRegistry(texts...)
	if err != nil {
		panic("targets: builtin registry: " + err.Error())
	}
	return r
}

// NewRegistry returns a registry of the texts that [Import] writes, in any order.
// It reads only their first lines. A release held twice is an error, and so is a
// text that builds on a release that is not among them.
func NewRegistry(texts ...string) (Registry, error) {
	var r Registry
	parents := map[Release]Release{}
	for _, text := range texts {
		s, from, err := parseHeader(text)
		if err != nil {
			return Registry{}, err
		}
		if _, twice := parents[s.info.Release]; twice {
			return Registry{}, fmt.Errorf("reading registry: release %s is held twice", s.info.Release)
		}
		parents[s.info.Release] = from
		r.snapshots = append(r.snapshots, s)
	}
	slices.SortFunc(r.snapshots, func(a, b Snapshot) int { return a.info.Release.Compare(b.info.Release) })
	for i := range r.snapshots {
		s := &r.snapshots[i]
		from := parents[s.info.Release]
		if from.IsZero() {
			continue
		}
		at := slices.IndexFunc(r.snapshots[:i], func(o Snapshot) bool { return o.info.Release == from })
		if at < 0 {
			return Registry{}, fmt.Errorf("reading registry: release %s builds on %s, which is not an older release held", s.info.Release, from)
		}
		s.parent = &r.snapshots[at]
	}
	return r, nil
}

// parseHeader reads the lines before the first empty one.
func parseHeader(text string) (s Snapshot, from Release, err error) {
	s.text = text
	head, _, _ := strings.Cut(text, "\n\n")
	n := 0
	for line := range strings.Lines(head) {
		line = strings.TrimSuffix(line, "\n")
		n++
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "release":
			s.info.Release, err = ParseRelease(value)
		case "commit":
			s.info.Commit = value
		case "host":
			s.info.Host, err = ParseTriple(value)
		case "lld-default":
			s.info.LLDDefault = value == "yes"
		case "from":
			from, err = ParseRelease(value)
		default:
			if !strings.HasPrefix(key, "#") {
				err = fmt.Errorf("unknown key %q", key)
			}
		}
		if err != nil {
			return s, from, fmt.Errorf("reading registry: line %d: %w", n, err)
		}
	}
	if s.info.Release.IsZero() || s.info.Host.IsZero() {
		return s, from, errors.New("reading registry: header lacks release or host")
	}
	return s, from, nil
}

// Releases lists the releases held, oldest first.
func (r Registry) Releases() []Release {
	out := make([]Release, len(r.snapshots))
	for i := range r.snapshots {
		out[i] = r.snapshots[i].info.Release
	}
	return out
}

// Newest returns the newest snapshot of a channel (stable, beta, nightly,
// dev), or of all for "". ok is false where there is none.
func (r Registry) Newest(channel string) (s Snapshot, ok bool) {
	for _, s := range slices.Backward(r.snapshots) {
		if channel == "" || s.info.Release.Channel() == channel {
			return s, true
		}
	}
	return Snapshot{}, false
}

// At returns the snapshot to use for a release: its own, else that of the nearest
// older release held, else the oldest. note is "" for its own and says so
// otherwise.
func (r Registry) At(rel Release) (s Snapshot, note string, err error) {
	if len(r.snapshots) == 0 {
		return Snapshot{}, "", errors.New("looking up a release: the registry is empty")
	}
	if rel.IsZero() {
		return Snapshot{}, "", errors.New("looking up a release: no release given")
	}
	best := r.snapshots[0]
	for _, s := range r.snapshots {
		if s.info.Release.Compare(rel) <= 0 {
			best = s
		}
	}
	got := best.info.Release
	switch got.Compare(rel) {
	case 0:
	case -1:
		note = fmt.Sprintf("release %s is not held, the answer is that of %s, the nearest older one", rel, got)
	default:
		note = fmt.Sprintf("release %s is not held and nothing older is, the answer is that of %s, the oldest one", rel, got)
	}
	return best, note, nil
}

// Lookup finds a target in the newest release that has it.
func (r Registry) Lookup(t Triple) (*Spec, error) {
	var first error
	for _, s := range slices.Backward(r.snapshots) {
		spec, err := s.Lookup(t)
		if err == nil {
			return spec, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = errors.New("looking up a target: the registry is empty")
	}
	return nil, first
}

// Info says which compiler the snapshot was taken from.
func (s Snapshot) Info() Info { return s.info }

// Indexed returns the snapshot with an index of its text. The index pays off from
// a few dozen lookups on.
func (s Snapshot) Indexed() Snapshot {
	if s.parent != nil {
		parent := s.parent.Indexed()
		s.parent = &parent
	}
	s.index = map[string]int{}
	for at := 0; ; {
		next := strings.Index(s.text[at:], "\n\n")
		if next < 0 {
			return s
		}
		at += next + 1 // at the line end that a block's head starts with
		line, _, _ := strings.Cut(s.text[at+1:], "\n")
		if words := strings.SplitN(line, " ", 3); len(words) == 3 {
			s.index[words[0]+" "+words[1]] = at
		}
	}
}

// Names lists the targets in the order of their names.
func (s Snapshot) Names() []string {
	var names []string
	if s.parent != nil {
		names = s.parent.Names()
	}
	for line := range strings.SplitSeq(s.text, "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(rest, " ")
		at, found := slices.BinarySearch(names, name)
		switch {
		case kind == "target" && !found:
			names = slices.Insert(names, at, name)
		case kind == "dropped" && found:
			names = slices.Delete(names, at, at+1)
		}
	}
	return names
}

// All returns every target in the order of the names, as base specs. It panics
// where the text is damaged; tests exclude that for the builtin one.
func (s Snapshot) All() iter.Seq[*Spec] {
	return func(yield func(*Spec) bool) {
		s := s.Indexed()
		for _, name := range s.Names() {
			spec, err := s.Lookup(Triple{name})
			if err != nil {
				panic("targets: " + err.Error())
			}
			if !yield(spec) {
				return
			}
		}
	}
}

// UnknownTargetError says that a release has no such target.
type UnknownTargetError struct {
	Name    string
	Release Release
	in      Snapshot
}

// Nearest returns the names of targets that it may be meant to be, best first. They
// are looked for only now: of many unknown names, few are asked about.
func (e *UnknownTargetError) Nearest() []string { return nearest.Names(e.Name, e.in.Names()) }

// IsTypo reports whether the name is one or two letters away from that of a target.
func (e *UnknownTargetError) IsTypo() bool {
	near := e.Nearest()
	return len(near) > 0 && nearest.Distance(e.Name, near[0]) <= 2
}

// Error implements [error].
func (e *UnknownTargetError) Error() string {
	msg := fmt.Sprintf("looking up target %q: rustc %s has no such target", e.Name, e.Release)
	if near := e.Nearest(); len(near) > 0 {
		msg += "; nearest names: " + strings.Join(near, ", ")
	}
	return msg
}

// Lookup finds a target by name. The spec is the base one, without any
// compiler's baked-in default: see [Snapshot.For]. An unknown name is an
// [*UnknownTargetError].
func (s Snapshot) Lookup(t Triple) (*Spec, error) {
	fields, ok, err := s.resolve(t.name)
	if err != nil {
		return nil, fmt.Errorf("looking up target %q: %w", t, err)
	}
	if !ok {
		return nil, &UnknownTargetError{t.name, s.info.Release, s}
	}
	return newSpec(t, fields)
}

// Find is [Snapshot.For] by a name that somebody typed. A name without the form
// of a triple is unknown too, and the error has the nearest names.
func (s Snapshot) Find(c Compiler, name string) (*Spec, error) {
	t, err := ParseTriple(name)
	if err != nil {
		if unknown := (&UnknownTargetError{name, s.info.Release, s}); len(unknown.Nearest()) > 0 {
			err = unknown
		}
		return nil, err
	}
	return s.For(c, t)
}

// For finds a target as a given compiler sees it.
func (s Snapshot) For(c Compiler, t Triple) (*Spec, error) {
	spec, err := s.Lookup(t)
	if err != nil || !c.LLDDefault {
		return spec, err
	}
	return spec.WithLLDDefault(), nil
}

// resolve reads a target's block over those it builds on.
func (s Snapshot) resolve(name string) (fields []member, ok bool, err error) {
	block, base, ok := s.block("target", name)
	switch {
	case !ok && s.parent != nil:
		if _, _, gone := s.block("dropped", name); gone {
			return nil, false, nil
		}
		return s.parent.resolve(name)
	case !ok:
		return nil, false, nil
	case base == "~":
		if s.parent == nil {
			return nil, false, errors.New("block builds on an older release, but the text does not")
		}
		if fields, ok, err = s.parent.resolve(name); err == nil && !ok {
			err = errors.New("block builds on a target that the older release does not have")
		}
	case base != "-":
		fields, err = s.base(base)
	}
	if err != nil {
		return nil, false, err
	}
	fields, err = overlay(fields, block)
	return fields, true, err
}

func (s Snapshot) base(name string) ([]member, error) {
	block, _, ok := s.block("base", name)
	if ok {
		return overlay(nil, block)
	}
	if s.parent == nil {
		return nil, fmt.Errorf("base %q is missing", name)
	}
	return s.parent.base(name)
}

// block finds the lines of `KIND NAME REST`.
func (s Snapshot) block(kind, name string) (block, rest string, ok bool) {
	head := "\n" + kind + " " + name + " "
	i, ok := s.index[kind+" "+name]
	if s.index == nil {
		i = strings.Index(s.text, head)
		ok = i >= 0
	}
	if !ok || name == "" {
		return "", "", false
	}
	tail := s.text[i+len(head):]
	if end := strings.Index(tail, "\n\n"); end >= 0 {
		tail = tail[:end]
	}
	rest, block, _ = strings.Cut(tail, "\n")
	return block, rest, true
}

// overlay puts the lines of a block over fields, which stay sorted.
func overlay(fields []member, block string) ([]member, error) {
	for line := range strings.SplitSeq(block, "\n") {
		line = strings.TrimPrefix(line, " ")
		if line == "" {
			continue
		}
		if name, ok := strings.CutPrefix(line, "-"); ok {
			fields = removeField(fields, name)
			continue
		}
		name, value, ok := strings.Cut(line, " ")
		if !ok || name != lldDefaultField && !validFieldName(name) {
			return nil, fmt.Errorf("bad line %q", line)
		}
		fields = setField(fields, member{name, value})
	}
	return fields, nil
}
