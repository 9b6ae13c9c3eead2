package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// Source is everything that [Load] reads. Load has no other access to files or to
// the environment.
type Source struct {
	// Path is the file of --config. If it is empty, RUST_BOOTSTRAP_CONFIG and
	// then the usual places are searched.
	Path string
	// XPath is an explicit x.toml; if empty, x.toml beside the main file.
	XPath string
	// Dir is the current directory; relative paths start there.
	Dir string
	// SrcDir is a source tree of rust-lang/rust, if there is one; its
	// bootstrap.toml is found too, and its src/ci/channel is the channel
	// "auto-detect". Empty means Dir.
	SrcDir string
	// ReadFile reads a file; it returns an error that is fs.ErrNotExist if
	// there is none. A nil ReadFile means that no file exists.
	ReadFile func(path string) ([]byte, error)
	// Getenv returns a variable of the environment, or "". May be nil.
	Getenv func(name string) string
	// Sets are the texts of --set, such as "rust.lld=false".
	Sets []string
	// Flags are flags with the meaning of a key, such as --jobs.
	Flags []Flag
	// Host is the triple of this machine, the default of build.build.
	Host targets.Triple
	// Release says which release's keys and profiles count; the zero Release
	// means the newest.
	Release targets.Release
}

// Cached returns a Source that reads each file once, so that a configuration that
// is loaded for another release too is of one piece.
func (s Source) Cached() Source {
	if s.ReadFile == nil {
		return s
	}
	type file struct {
		data []byte
		err  error
	}
	read, files := s.ReadFile, map[string]file{}
	s.ReadFile = func(path string) ([]byte, error) {
		f, ok := files[path]
		if !ok {
			f.data, f.err = read(path)
			files[path] = f
		}
		return f.data, f.err
	}
	return s
}

// Flag is a flag of the command line that sets a key.
type Flag struct {
	Name  string // "--jobs"
	Key   string // "build.jobs"
	Value string // "4"; elements of an array are joined by commas
}

// BootstrapFile is the name of the main file.
const BootstrapFile = "bootstrap.toml"

const (
	legacyName     = "config.toml"
	xName          = "x.toml"
	configEnv      = "RUST_BOOTSTRAP_CONFIG"
	maxIncludes    = 256
	maxIncluded    = 4 * toml.MaxSize
	maxOptionBytes = 64 << 10
	maxErrors      = 100
	maxUnknown     = 10_000 // x.toml may allow them: some for each target
)

// Load finds and reads the configuration files and resolves every key. Layers,
// strongest first: flags, --set, the main file, its includes (later ones win),
// the profile, defaults; keys are replaced one by one and arrays as a whole
// (`src/bootstrap/src/core/config`). The error is an [Errors] with everything
// that is wrong. A missing file is an error only if --config or
// RUST_BOOTSTRAP_CONFIG names it.
//
// With an error the Config holds what could be understood, so that package
// check can look further and one run reports everything. Do not use it for anything
// else.
func Load(src Source) (Config, error) {
	l := &loader{src: src, minor: MinorOf(src.Release), settings: map[string][]setting{}}
	l.main = l.mainFile()
	l.profile()
	l.xFile(l.main)
	l.sets()
	l.flags()
	l.components()
	l.allow()
	l.known()
	c := l.resolve()
	if len(l.errs) > 0 {
		return c, l.errs.sorted(l.files)
	}
	return c, nil
}

// allow fails on the unknown keys of files that x.toml does not allow.
func (l *loader) allow() {
	for _, e := range l.unknown {
		if l.allowed(e.Key) {
			l.note(Finding{Severity: Note, Place: e.Place(), Key: e.Key, Reason: "it is allowed by " + allowKey + ", and ignored"})
			continue
		}
		l.fail(e)
	}
}

// componentHint is the remedy for a component that is for nothing.
const componentHint = `write targets = ["*"], or the triples that it is built for`

// components fails on components of which no layer says what they are for.
func (l *loader) components() {
	for _, id := range sortedKeys(l.settings) {
		section := parentSection(id)
		if strings.HasPrefix(id, componentPrefix) && len(l.settings[JoinKey(section, "targets")]) == 0 && !l.failed(section) {
			l.fail(&Error{Where: l.settings[id][0].Origin, Key: section, Message: "got no targets", Hint: componentHint})
		}
	}
}

// failed reports whether there is an error about a section or a key of it.
func (l *loader) failed(section string) bool {
	return slices.ContainsFunc(l.errs, func(e *Error) bool { return e.Key == section || parentSection(e.Key) == section })
}

const allowKey = "bootstrap.allow-keys"

// allowed reports whether a pattern of x.toml fits a key, or names the section that
// the key is.
func (l *loader) allowed(key string) bool {
	s := l.settings[allowKey]
	if len(s) == 0 {
		return false
	}
	patterns, _ := s[len(s)-1].Value.([]string) // the last is the strongest
	return slices.ContainsFunc(patterns, func(p string) bool {
		fits, err := path.Match(p, key)
		return err == nil && fits || p == key+".*"
	})
}

// known notes a release that this package does not know.
func (l *loader) known() {
	if f, known := KnownRelease(l.src.Release); !known {
		l.note(f)
	}
}

// KnownRelease reports whether this package knows the keys of a release, and says
// which ones it knows if not.
func KnownRelease(r targets.Release) (Finding, bool) {
	f := Finding{Severity: Warning, Place: "release " + r.String()}
	switch m := MinorOf(r); {
	case r.IsZero():
		return Finding{}, true
	case m < FirstKnown:
		f.Reason = fmt.Sprintf("x knows the keys of %s to %s: what an older release had cannot be judged", FirstKnown, lastKnown)
	case m > lastKnown:
		f.Reason = fmt.Sprintf("x knows the keys of %s to %s, and judges by the newest", FirstKnown, lastKnown)
	default:
		return Finding{}, true
	}
	return f, false
}

// loader collects what each layer says about each key.
type loader struct {
	src         Source
	minor       Minor
	settings    map[string][]setting
	errs        Errors
	unknown     Errors // unless x.toml allows the keys
	notices     []Finding
	main        string
	mainText    []byte
	files       []string
	including   []string
	includes    int
	included    int // bytes
	profileName string
}

// fail records an error. Of a file that is no configuration at all, the first
// errors are enough.
func (l *loader) fail(e *Error) {
	switch {
	case len(l.errs) < maxErrors:
		l.errs = append(l.errs, e)
	case len(l.errs) == maxErrors:
		l.errs = append(l.errs, &Error{Where: e.Where, Message: fmt.Sprintf("got more than %d errors, the rest is left out", maxErrors)})
	}
}

func (l *loader) note(f Finding) { l.notices = append(l.notices, f) }

// path is where a name that is shown to people really is.
func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.src.Dir, name)
}

func (l *loader) read(name string) ([]byte, error) {
	if l.src.ReadFile == nil {
		return nil, fs.ErrNotExist
	}
	return l.src.ReadFile(name)
}

// exists reports whether the path exists, as a file or a directory.
func (l *loader) exists(path string) bool {
	_, err := l.read(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// explicitFile returns the file that the user named, and how.
func (l *loader) explicitFile() (name, by string) {
	if l.src.Path != "" {
		return l.src.Path, "--config"
	}
	if l.src.Getenv != nil {
		if v := l.src.Getenv(configEnv); v != "" {
			return v, configEnv
		}
	}
	return "", ""
}

// mainFile finds and reads the main file with its includes. It returns the
// file's name, or "" if there is none.
func (l *loader) mainFile() string {
	if name, by := l.explicitFile(); name != "" {
		data, err := l.read(l.path(name))
		if err != nil {
			if path, ok := errors.AsType[*fs.PathError](err); ok {
				err = path.Err // the name stands before it
			}
			l.fail(&Error{Message: fmt.Sprintf("config file %q, named by %s: %v", name, by, err), Hint: "name an existing file"})
			return name
		}
		l.mainText = data
		l.bootstrapFile(name, data)
		return name
	}
	for _, name := range l.usualNames() {
		data, err := l.read(l.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			l.fail(&Error{Where: Origin{Kind: OriginFile, Pos: toml.Position{File: name}}, Message: fmt.Sprintf("reading the file: %v", err)})
			return name
		}
		l.nameOfFile(name)
		l.mainText = data
		l.bootstrapFile(name, data)
		return name
	}
	return ""
}

// renamed is the release that reads bootstrap.toml before config.toml, which it calls
// the old name (#137081). Those before it do not know the new one.
const renamed Minor = 87

// FileName returns the name that a release has for the main file.
func FileName(m Minor) string {
	if m < renamed {
		return legacyName
	}
	return BootstrapFile
}

// usualNames are the places of the main file, in the order in which they count.
func (l *loader) usualNames() []string {
	first, second := BootstrapFile, legacyName
	if l.minor < renamed {
		first, second = second, first
	}
	return []string{first, filepath.Join(l.src.SrcDir, first), second, filepath.Join(l.src.SrcDir, second)}
}

// nameOfFile notes a main file that was found by a name which the release does not
// know, or knows as an old one.
func (l *loader) nameOfFile(name string) {
	f := Finding{Severity: Warning, Place: name}
	switch old := filepath.Base(name) == legacyName; {
	case old && l.minor >= renamed:
		f.Reason, f.Remedy = "config.toml is the old name of this file (rust-lang/rust#137081)", "rename it to bootstrap.toml"
	case !old && l.minor < renamed:
		f.Reason, f.Remedy = fmt.Sprintf("x.py of %s does not read it: this name came with %s (rust-lang/rust#137081)", l.minor, renamed), "rename it to config.toml"
	default:
		return
	}
	l.note(f)
}

func (l *loader) bootstrapFile(name string, data []byte) {
	l.files = append(l.files, name)
	l.including = append(l.including, filepath.Clean(name))
	l.document(toml.Parse(name, data), Bootstrap, Origin{Kind: OriginFile})
	l.including = l.including[:len(l.including)-1]
}

// document takes the keys of a file, then those of its includes.
func (l *loader) document(d *toml.Document, f File, o Origin) {
	w := &walker{loader: l, doc: d, file: f, origin: o}
	w.document()
	if w.include != nil {
		l.readIncludes(w.include, d, o)
	}
}

// readIncludes reads included files, the last first: it wins over the others.
func (l *loader) readIncludes(list *toml.Node, d *toml.Document, o Origin) {
	if o.Kind == OriginFile {
		o.Kind = OriginInclude
	}
	for _, item := range slices.Backward(list.Items) {
		where := o
		where.Pos = d.Position(item.Value)
		name := item.Text
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(d.Name), name)
		}
		fail := func(format string, args ...any) {
			l.fail(&Error{Where: where, Key: "include", Message: fmt.Sprintf(format, args...)})
		}
		if slices.Contains(l.including, name) {
			fail("Cyclic inclusion detected: '%s' is being included again before its previous inclusion was fully processed.", name)
			continue
		}
		if l.includes++; l.includes > maxIncludes {
			fail("got more than %d included files", maxIncludes)
			return
		}
		data, err := l.read(l.path(name))
		if err != nil {
			fail("config file %s not found: %v", name, err)
			continue
		}
		if l.included += len(data); l.included > maxIncluded {
			fail("got more than %d bytes of included files", maxIncluded)
			return
		}
		if !slices.Contains(l.files, name) {
			l.files = append(l.files, name)
		}
		l.including = append(l.including, name)
		l.document(toml.Parse(name, data), Bootstrap, o)
		l.including = l.including[:len(l.including)-1]
	}
}

// xFile reads x.toml, which lies beside the main file.
func (l *loader) xFile(main string) {
	name := l.src.XPath
	if name == "" {
		name = filepath.Join(filepath.Dir(main), xName)
	}
	data, err := l.read(l.path(name))
	if errors.Is(err, fs.ErrNotExist) && l.src.XPath == "" {
		return
	}
	if err != nil {
		l.fail(&Error{Where: Origin{Kind: OriginFile, Pos: toml.Position{File: name}}, Message: fmt.Sprintf("reading the file: %v", err)})
		return
	}
	l.files = append(l.files, name)
	l.document(toml.Parse(name, data), X, Origin{Kind: OriginFile})
}

// sets reads the --set options. As upstream does, a text that is no TOML with
// right types is tried again with its value in quotes, if it has none.
func (l *loader) sets() {
	seen := map[string]string{}
	for _, text := range l.src.Sets {
		try := l.set(text, text)
		if key, value, ok := strings.Cut(text, "="); len(try.errs) > 0 && ok && !strings.Contains(value, `"`) {
			try = l.set(text, key+`="`+value+`"`)
		}
		if len(try.errs) > 0 {
			l.errs = append(l.errs, try.errs...)
			continue
		}
		for _, key := range sortedKeys(try.settings) {
			if first, dup := seen[key]; dup {
				l.fail(&Error{Where: Origin{Kind: OriginSet, Detail: text}, Key: key,
					Message: fmt.Sprintf("overriding existing option: `%s`, set first by --set %s", strings.ReplaceAll(LastPart(key), "-", "_"), first)})
				continue
			}
			seen[key] = text
			l.settings[key] = append(l.settings[key], try.settings[key]...)
		}
		l.files = try.files
		l.notices = append(l.notices, try.notices...)
	}
}

// set reads one option into a loader of its own, so that it can be tried.
func (l *loader) set(text, line string) *loader {
	try := &loader{src: l.src, minor: l.minor, settings: map[string][]setting{}, files: l.files}
	if len(line) > maxOptionBytes {
		try.fail(&Error{Where: Origin{Kind: OriginSet, Detail: fmt.Sprintf("%.40s…", text)}, Message: fmt.Sprintf("got %d bytes, the limit is %d", len(line), maxOptionBytes)})
		return try
	}
	d := toml.Parse("", []byte(line))
	w := &walker{loader: try, doc: d, anyFile: true, origin: Origin{Kind: OriginSet, Detail: text}}
	w.document()
	if w.include != nil {
		try.readIncludes(w.include, d, w.origin)
	}
	for _, e := range try.unknown {
		if !l.allowed(e.Key) {
			try.fail(e)
		}
	}
	if len(try.errs) == 0 && len(try.settings) == 0 && len(try.unknown) == 0 {
		try.fail(&Error{Where: w.origin, Message: "got no key, want key=value"})
	}
	return try
}

// flags takes the flags that have the meaning of a key.
func (l *loader) flags() {
	for _, f := range l.src.Flags {
		o := Origin{Kind: OriginFlag, Detail: f.Name}
		k, ok := LookupKey(f.Key)
		if !ok {
			l.fail(&Error{Where: o, Key: f.Key, Message: "unknown field, want a key of the schema"})
			continue
		}
		n := flagNode(k, f.Value)
		v, _, msg := decode(k, n)
		if msg != "" {
			l.fail(&Error{Where: o, Key: f.Key, Message: msg})
			continue
		}
		l.settings[f.Key] = append(l.settings[f.Key], setting{v, o, written(k, n)})
	}
}

// flagNode turns a flag's text into a node of the key's type.
func flagNode(k Key, text string) *toml.Node {
	switch k.Type {
	case Strings, Triples, EnumList:
		n := &toml.Node{Kind: toml.Array}
		for _, part := range strings.Split(text, ",") {
			n.Items = append(n.Items, &toml.Node{Kind: toml.String, Text: part})
		}
		return n
	case Bool:
		if text == "true" || text == "false" {
			return &toml.Node{Kind: toml.Bool, Text: text}
		}
	case Int, Size, ThreadBounds:
		if text != "" && strings.Trim(text, "0123456789") == "" {
			return &toml.Node{Kind: toml.Integer, Text: text}
		}
	}
	return &toml.Node{Kind: toml.String, Text: text}
}

// LastPart returns the last part of a full key: "lld" of "rust.lld".
func LastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
