package link

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"x.go/targets"
)

// Batch decides many questions. Each is a JSON object with the members
//
//	id           any value; the answer repeats it
//	target       triple; the only one that must be there
//	flags        rustc's arguments, in order
//	unstable     true: -Zunstable-options is given too
//	bootstrap    value of RUSTC_BOOTSTRAP
//	release      version of the compiler
//	channel      stable, beta or nightly: its newest release; "+…" after it is ignored
//	host         triple that the compiler runs on
//	lld_default  true: the compiler was built to link with LLD
//	sysroot      normal; nogccld: it has no gcc-ld directory; explicit-bare:
//	             --sysroot with one that has no tools; explicit-same: --sysroot
//	             with the compiler's own
//
// Other members are skipped. null means the same as an absent member, except
// that without "bootstrap" at all, "unstable" also unlocks the compiler. Every
// linker exists, except for those below /nonexistent.
//
// A Batch remembers the specs it has decoded, so it must not be used by
// several goroutines at once.
type Batch struct {
	// ReadFile reads @PATH argument files, as in [World]. nil: there are none.
	ReadFile func(path string) ([]byte, error)

	registry targets.Registry
	defaults targets.Compiler
	specs    map[specKey]*targets.Spec
}

type specKey struct {
	release targets.Release // of the snapshot
	lld     bool
	target  string
}

// Result is the answer to one question of a [Batch].
type Result struct {
	ID       json.RawMessage // as in the question; nil where it has none
	Problem  string          // why the question could not be decided, "" where it was
	Decision Decision        // zero where there is a Problem
}

// question is one line of a batch.
type question struct {
	ID         json.RawMessage `json:"id"`
	Target     string          `json:"target"`
	Flags      []*string       `json:"flags"`
	Unstable   bool            `json:"unstable"`
	Bootstrap  json.RawMessage `json:"bootstrap"` // nil where not given; null is not nil
	Channel    string          `json:"channel"`
	Sysroot    string          `json:"sysroot"`
	Release    string          `json:"release"`
	Host       string          `json:"host"`
	LLDDefault *bool           `json:"lld_default"` // nil for what the official compiler has
}

// NewBatch returns a Batch. A question is about the compiler defaults where it
// does not name another.
func NewBatch(r targets.Registry, defaults targets.Compiler) (*Batch, error) {
	if _, _, err := r.At(defaults.Release); err != nil {
		return nil, err
	}
	if defaults.Host.IsZero() {
		return nil, fmt.Errorf("starting a batch: no host given")
	}
	return &Batch{registry: r, defaults: defaults, specs: map[specKey]*targets.Spec{}}, nil
}

// Decide answers one line. The answer is a problem where the line is not a valid
// question or the release does not have the target.
func (b *Batch) Decide(line []byte) Result {
	var c question
	err := c.parse(line)
	var q Query
	if err == nil {
		q, err = b.query(&c)
	}
	if err != nil {
		return Result{ID: c.ID, Problem: err.Error()}
	}
	return Result{ID: c.ID, Decision: Decide(q)}
}

func (c *question) parse(line []byte) error {
	if !utf8.Valid(line) {
		return errors.New("parsing case: not valid JSON: bad UTF-8")
	}
	err := json.Unmarshal(line, c)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Errorf("parsing case: got %s, want an object", e.Value)
		}
		return fmt.Errorf("parsing case: member %q: got %s, want %s", e.Field, e.Value, wanted(e.Type))
	}
	switch {
	case err != nil:
		return fmt.Errorf("parsing case: not valid JSON: %w", err)
	case c.Target == "":
		return errors.New(`parsing case: no member "target"`)
	}
	return nil
}

// wanted names the type of a question's member.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list of strings"
	}
	return "a string"
}

// query turns a question into one for [Decide].
func (b *Batch) query(c *question) (Query, error) {
	q := Query{Unstable: c.Unstable, Args: make([]string, len(c.Flags))}
	for i, flag := range c.Flags {
		if flag == nil {
			return q, errors.New(`parsing case: member "flags": got null, want a string`)
		}
		q.Args[i] = *flag
	}
	err := q.setBootstrap(c.Bootstrap)
	if err != nil {
		return q, err
	}
	snapshot, compiler, err := b.compiler(c)
	if err != nil {
		return q, err
	}
	q.Compiler = compiler
	if q.World, err = sysroot(c.Sysroot); err != nil {
		return q, err
	}
	q.World.ReadFile = b.ReadFile
	if q.Target, err = b.spec(snapshot, compiler, c.Target); err != nil {
		return q, err
	}
	q.Host, err = b.spec(snapshot, compiler, compiler.Host.String())
	return q, err
}

// setBootstrap reads RUSTC_BOOTSTRAP. Where the member is absent, the question
// has what it needs.
func (q *Query) setBootstrap(value json.RawMessage) error {
	if value == nil {
		if q.Unstable {
			q.Bootstrap = "1"
		}
		return nil
	}
	if err := json.Unmarshal(value, &q.Bootstrap); err != nil {
		return fmt.Errorf(`parsing case: member "bootstrap": got %.40s, want a string`, value)
	}
	return nil
}

// compiler finds which compiler a question is about.
func (b *Batch) compiler(c *question) (targets.Snapshot, targets.Compiler, error) {
	compiler := b.defaults
	channel, _, _ := strings.Cut(c.Channel, "+")
	switch {
	case c.Release != "":
		r, err := targets.ParseRelease(c.Release)
		if err != nil {
			return targets.Snapshot{}, compiler, err
		}
		compiler.Release = r
	case channel != "" && channel != compiler.Release.Channel():
		if s, ok := b.registry.Newest(channel); ok {
			compiler.Release = s.Info().Release
		} else if channel != "stable" && channel != "beta" {
			return targets.Snapshot{}, compiler, fmt.Errorf("looking up channel %q: no release of it is held", channel)
		}
	}
	if c.Host != "" && c.Host != compiler.Host.String() {
		host, err := targets.ParseTriple(c.Host)
		if err != nil {
			return targets.Snapshot{}, compiler, err
		}
		compiler.Host = host
	}
	switch {
	case c.LLDDefault != nil:
		compiler.LLDDefault = *c.LLDDefault
	case compiler.Host != b.defaults.Host || compiler.Release != b.defaults.Release:
		compiler.LLDDefault = targets.DefaultLLD(compiler.Release, compiler.Host)
	}
	s, _, err := b.registry.At(compiler.Release)
	return s, compiler, err
}

func (b *Batch) spec(s targets.Snapshot, c targets.Compiler, target string) (*targets.Spec, error) {
	key := specKey{s.Info().Release, c.LLDDefault, target}
	if spec, ok := b.specs[key]; ok {
		return spec, nil
	}
	spec, err := s.Find(c, target)
	if err != nil {
		return nil, err
	}
	b.specs[key] = spec
	return spec, nil
}

// sysroot describes the sysroot of a question.
func sysroot(shape string) (World, error) {
	exists := func(path string) bool { return !strings.HasPrefix(path, "/nonexistent/") }
	w := World{Exists: exists}
	switch shape {
	case "", "normal":
	case "nogccld":
		w.Exists = func(path string) bool { return exists(path) && !strings.HasSuffix(path, "/gcc-ld") }
	case "explicit-bare":
		w.Explicit = "<bare-sysroot>"
		w.Exists = func(path string) bool { return exists(path) && !strings.HasPrefix(path, "<bare-sysroot>/") }
	case "explicit-same":
		w.Explicit = "<sysroot>"
	default:
		return w, fmt.Errorf("reading sysroot %q: want normal, nogccld, explicit-bare or explicit-same", shape)
	}
	return w, nil
}

// AppendJSON appends the result as one line: id, exit, error, linker and
// lld_args, or id and problem. error is null where rustc reports none; linker
// and lld_args are null where nothing is linked.
func (r Result) AppendJSON(b []byte) []byte {
	b = append(b, `{"id": `...)
	if r.ID == nil {
		r.ID = json.RawMessage("null")
	}
	b = append(b, r.ID...)
	if r.Problem != "" {
		b = append(b, `, "problem": `...)
		return append(appendString(b, r.Problem), "}\n"...)
	}
	d := r.Decision
	b = strconv.AppendInt(append(b, `, "exit": `...), int64(d.Exit), 10)
	b = append(b, `, "error": `...)
	if d.Error == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, d.Error)
	}
	if !d.Linked {
		return append(b, ", \"linker\": null, \"lld_args\": null}\n"...)
	}
	b = appendString(append(b, `, "linker": `...), d.Linker)
	b = append(b, `, "lld_args": [`...)
	for i, arg := range d.LLDArgs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendString(b, arg)
	}
	return append(b, "]}\n"...)
}

// appendString writes a JSON string that leaves < and > as they are, so that
// people can read <sysroot>.
func appendString(dst []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string has its JSON
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
