package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// resolve sorts what the layers said, adds defaults and fills in the Config.
func (l *loader) resolve() Config {
	c := Config{settings: l.settings, mainFile: l.main, mainText: l.mainText, files: l.files, release: l.src.Release, Profile: l.profileName, ciLLVM: l.minor >= 83 && (l.minor < 86 || l.tree() == sourceCheckout)}
	for _, s := range c.settings {
		slices.SortStableFunc(s, func(a, b setting) int { return int(b.Origin.Kind) - int(a.Origin.Kind) })
	}
	defaults := constants()
	for _, k := range schema.keys {
		if k.Default != "" && !strings.Contains(k.Section, "*") {
			c.settings[k.ID()] = append(c.settings[k.ID()], setting{Value: cloneValue(defaults[k.ID()])})
		}
	}
	l.compute(&c)
	c.notices = l.notices
	v, at := reflect.ValueOf(&c).Elem(), fields()
	for id, s := range c.settings {
		if path, ok := at.config[id]; ok {
			assign(v.FieldByIndex(path), s[0].Value)
		}
	}
	c.fillNamed(at)
	return c
}

// compute adds the defaults that depend on other keys.
func (l *loader) compute(c *Config) {
	c.derive("build.build", func() (any, string) { return l.src.Host, "the host of the running x" })
	c.derive("build.host", func() (any, string) {
		if t := value[targets.Triple](c, "build.build"); !t.IsZero() {
			return []targets.Triple{t}, "build.build"
		}
		return []targets.Triple(nil), "build.build"
	})
	c.derive("build.target", func() (any, string) { return value[[]targets.Triple](c, "build.host"), "build.host" })
	// Upstream decides this before a source archive gives the channel its name.
	dev := value[string](c, channelKey) == "dev"
	if l.channel(c); c.Origin(channelKey).IsSet() {
		dev = value[string](c, channelKey) == "dev"
	}
	c.derive("rust.omit-git-hash", func() (any, string) { return dev, channelKey })
	l.downloads(c)
	c.derive("dist.src-tarball", func() (any, string) { return value[bool](c, "rust.dist-src"), "rust.dist-src" })
}

const channelKey = "rust.channel"

// channelFile holds the name of the channel of a source tree.
const channelFile = "src/ci/channel"

// channel turns "auto-detect" into the name that src/ci/channel holds. Where
// there is no such file the channel stays "auto-detect": it is the input
// toolchain's. Before 1.87 that word is a channel's name like any other (#137220).
func (l *loader) channel(c *Config) {
	o := c.Origin(channelKey)
	auto := value[string](c, channelKey) == "auto-detect"
	switch {
	case auto && l.minor < 87:
		l.note(Finding{Severity: Warning, Place: o.String(), Key: channelKey, Remedy: "write the channel's name",
			Reason: fmt.Sprintf("\"auto-detect\" came with 1.87; %s takes it for the name of a channel, which is like dev", l.minor)})
		return
	case !auto && (o.IsSet() || l.tree() != sourceArchive):
		return
	}
	data, err := l.read(l.path(filepath.Join(l.src.SrcDir, channelFile)))
	name := strings.TrimSpace(string(data))
	k, _ := LookupKey(channelKey)
	if err != nil || !slices.Contains(k.Values, name) {
		return
	}
	if !auto {
		o.Detail = channelFile
	}
	c.settings[channelKey] = slices.Insert(c.settings[channelKey], 0, setting{Value: name, Origin: o})
}

// sourceTree says what the source directory is. Some defaults of upstream depend on
// it.
type sourceTree uint8

const (
	noSourceTree   sourceTree = iota
	sourceArchive             // unpacked: it has git-commit-info and no .git
	sourceCheckout            // anything else with upstream's src/ci/channel
)

func (l *loader) tree() sourceTree {
	in := func(name string) bool { return l.exists(l.path(filepath.Join(l.src.SrcDir, name))) }
	switch {
	case in("git-commit-info") && !in(".git"):
		return sourceArchive
	case in(channelFile):
		return sourceCheckout
	}
	return noSourceTree
}

func (c *Config) derive(id string, f func() (any, string)) {
	if len(c.settings[id]) > 0 {
		return
	}
	v, from := f()
	c.settings[id] = []setting{{Value: v, Origin: Origin{Detail: from}}}
}

// value returns the winning value of a key.
func value[T any](c *Config, id string) T {
	var zero T
	if s := c.settings[id]; len(s) > 0 {
		if v, ok := s[0].Value.(T); ok {
			return v
		}
	}
	return zero
}

// constants are the decoded constant defaults. They are read once, as one
// document, when the first configuration is loaded.
var constants = sync.OnceValue(func() map[string]any {
	var text strings.Builder
	var with []Key
	for _, k := range schema.keys {
		if k.Default != "" {
			fmt.Fprintf(&text, "k%d = %s\n", len(with), k.Default)
			with = append(with, k)
		}
	}
	d := toml.Parse("defaults", []byte(text.String()))
	if len(d.Errors) > 0 || len(d.Root.Children) != len(with) {
		panic(fmt.Sprintf("defaults of the schema are no TOML: %v", d.Errors))
	}
	out := make(map[string]any, len(with))
	for i, k := range with {
		v, _, msg := decode(k, d.Root.Children[i])
		if msg != "" {
			panic("default of " + k.ID() + ": " + msg)
		}
		out[k.ID()] = v
	}
	return out
})

// layout says which field of Config a key is, by index: of keys by their full
// names, of the keys of a target, tool or component by their own names.
type layout struct{ config, target, tool, component map[string][]int }

var fields = sync.OnceValue(func() layout {
	return layout{
		config:    configFields(),
		target:    sectionFields(reflect.TypeFor[Target](), "", nil),
		tool:      sectionFields(reflect.TypeFor[Tool](), "", nil),
		component: sectionFields(reflect.TypeFor[XComponent](), "", nil),
	}
})

func configFields() map[string][]int {
	out := map[string][]int{}
	t := reflect.TypeFor[Config]()
	for name, section := range map[string]string{
		"LLVM": "llvm", "GCC": "gcc", "Build": "build", "Install": "install", "Rust": "rust", "Dist": "dist",
	} {
		f, _ := t.FieldByName(name)
		for id, path := range sectionFields(f.Type, section, f.Index) {
			out[id] = path
		}
	}
	for _, nested := range []struct{ outer, inner, section string }{
		{"PGO", "Rustc", "pgo.rustc"}, {"X", "LLD", "lld"}, {"X", "Dist", "dist"}, {"X", "Bootstrap", "bootstrap"},
	} {
		o, _ := t.FieldByName(nested.outer)
		i, _ := o.Type.FieldByName(nested.inner)
		for id, path := range sectionFields(i.Type, nested.section, append(slices.Clone(o.Index), i.Index...)) {
			out[id] = path
		}
	}
	for name, id := range map[string]string{"ChangeID": "change-id", "Include": "include"} {
		f, _ := t.FieldByName(name)
		out[id] = f.Index
	}
	return out
}

func sectionFields(t reflect.Type, section string, prefix []int) map[string][]int {
	out := map[string][]int{}
	for f := range t.Fields() {
		if tag := f.Tag.Get("toml"); tag != "" {
			out[JoinKey(section, tag)] = append(slices.Clone(prefix), f.Index...)
		}
	}
	return out
}

// cloneValue copies what a caller could change in a decoded value.
func cloneValue(v any) any {
	switch v := v.(type) {
	case []string:
		return slices.Clone(v)
	case []targets.Triple:
		return slices.Clone(v)
	case map[string]string:
		return maps.Clone(v)
	}
	return v
}

// assign stores a copy of a decoded value in a field, whose type may be more
// special.
func assign(f reflect.Value, v any) {
	v = cloneValue(v)
	if b, ok := v.(bool); ok && f.Type() == reflect.TypeFor[Tristate]() {
		v = targets.TristateOf(b)
	}
	f.Set(reflect.ValueOf(v).Convert(f.Type()))
}

// fillNamed fills in Targets, Build.Tool and X.Component.
func (c *Config) fillNamed(at layout) {
	for _, id := range sortedKeys(c.settings) {
		name, last := NamedPart(id), LastPart(id)
		v := c.settings[id][0].Value
		switch {
		case name == "":
		case strings.HasPrefix(id, "target."):
			if t, err := targets.ParseTriple(name); err == nil { // the walker has refused others
				assignNamed(&c.Targets, t, at.target[last], v)
			}
		case strings.HasPrefix(id, componentPrefix):
			assignNamed(&c.X.Component, name, at.component[last], v)
		default:
			assignNamed(&c.Build.Tool, name, at.tool[last], v)
		}
	}
}

// assignNamed stores a value in a field of a section, which may be new.
func assignNamed[K comparable, S any](sections *map[K]S, name K, field []int, v any) {
	if *sections == nil {
		*sections = map[K]S{}
	}
	section := (*sections)[name]
	assign(reflect.ValueOf(&section).Elem().FieldByIndex(field), v)
	(*sections)[name] = section
}
