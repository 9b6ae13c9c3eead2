package config

import (
	"slices"
	"strings"
)

// File is one of the two configuration files.
type File uint8

// The configuration files.
const (
	Bootstrap File = iota // bootstrap.toml, upstream's schema
	X                     // x.toml, what upstream has no key for
)

// String returns the usual name of the file.
func (f File) String() string {
	return [...]string{"bootstrap.toml", "x.toml"}[f]
}

// Type is what a key takes.
type Type uint8

// The types of keys.
const (
	Bool            Type = iota // true, false
	Int                         // 0 or more, at most Key.Max if that is not 0
	String                      // any text
	Path                        // a path; relative ones are kept as written
	Strings                     // an array of strings
	Triple                      // a target triple
	Triples                     // an array of target triples
	OfferedFor                  // an array of target triples, or "*" alone
	Enum                        // one of Key.Values
	EnumList                    // a non-empty array of different Key.Values
	StringOrBoolean             // a boolean, or one of Key.Values, or any text if there are none
	StringMap                   // a table of strings
	Debuginfo                   // 0, 1, 2 or a level's name
	Optimize                    // true, false, 0 to 3, "s", "z"
	LLDOverride                 // true, false, "external", "self-contained"
	Size                        // bytes, or text with a unit: "512MiB"
	ThreadBounds                // "off", an integer, or words with commas between them: "leaf,8"
	ChangeNumber                // an integer or "ignore"
)

// Key is a row of the schema: everything the package knows about a key.
type Key struct {
	File    File
	Section string // "rust", "target.*", "" for top level
	Name    string
	Type    Type
	// Default is the constant default as TOML; empty if there is none.
	Default string
	// Computed says what the default is if it is no constant.
	Computed string
	Values   []string
	Max      int
	// Since is the first release that has the key; 0 means 1.75 or older.
	Since Minor
	// Removed is the first release that refuses the key; 0 means none does.
	Removed Minor
	// ChangeID is the pull request that introduced or last changed the key.
	ChangeID int
	// Legacy marks a key that still works, or is still accepted, but should
	// not be written any more.
	Legacy bool
	// ReplacedBy is the key to write instead of a legacy or removed one.
	ReplacedBy string
	// Note says what became of a legacy or removed key.
	Note string
	// Doc is a sentence about the key.
	Doc string
	// Effect says what the key does to archives, installation or the LLD
	// decision; empty if it does nothing there.
	Effect string
}

// ID returns the full name, such as "rust.lld" or "target.*.cc". Keys of
// x.toml have names that bootstrap.toml does not use.
func (k Key) ID() string { return JoinKey(k.Section, k.Name) }

// topKeys are the keys outside of any section.
var topKeys = []Key{
	{Name: "change-id", Type: ChangeNumber, Since: 75, ChangeID: 115898, Computed: "a notice that it is missing",
		Doc: "The last change of the configuration that this file's author has seen, or \"ignore\"."},
	{Name: "profile", Type: String, Computed: "dist in a source tarball",
		Doc:    "Defaults to start from: dist (also called user), compiler, library or tools.",
		Effect: "defaults of other keys"},
	{Name: "include", Type: Strings, Default: "[]", Since: 89, ChangeID: 138934,
		Doc:    "Files to take more keys from, relative to this file. Later ones win over earlier ones, this file over all of them.",
		Effect: "values of other keys"},
}

// removedKeys are names that upstream refuses today.
var removedKeys = []Key{
	{Section: "", Name: "changelog-seen", Type: Int, Removed: 79, ChangeID: 123711, ReplacedBy: "change-id"},
	{Section: "rust", Name: "run-dsymutil", Type: Bool, Removed: 76, ChangeID: 118703},
	{Section: "rust", Name: "split-debuginfo", Type: Enum, Values: []string{"off", "packed", "unpacked"}, Removed: 83, ChangeID: 129925, ReplacedBy: "target.*.split-debuginfo"},
	{Section: "rust", Name: "parallel-compiler", Type: Bool, Removed: 85, ChangeID: 134650},
	{Section: "rust", Name: "description", Type: String, Removed: 90, ChangeID: 143926, ReplacedBy: "build.description"},
	{Section: "llvm", Name: "ccache", Type: StringOrBoolean, Removed: 90, ChangeID: 143926, ReplacedBy: "build.ccache"},
	{Section: "dist", Name: "gpg-password-file", Type: Path, Removed: 76, ChangeID: 118703},
	{Section: "dist", Name: "missing-tools", Type: Bool, Removed: 80, ChangeID: 125535},
}

// tables is the schema in the order of the annotated examples.
var tables = []struct {
	file    File
	section string
	keys    []Key
}{
	{Bootstrap, "", topKeys},
	{Bootstrap, "llvm", llvmKeys},
	{Bootstrap, "gcc", gccKeys},
	{Bootstrap, "build", buildKeys},
	{Bootstrap, "build.tool.*", toolKeys},
	{Bootstrap, "install", installKeys},
	{Bootstrap, "rust", rustKeys},
	{Bootstrap, "pgo.rustc", pgoKeys},
	{Bootstrap, "dist", distKeys},
	{Bootstrap, "target.*", targetKeys},
	{X, "lld", xLLDKeys},
	{X, "dist", xDistKeys},
	{X, "bootstrap", xBootstrapKeys},
	{X, "component.*", xComponentKeys},
}

// schema is the whole schema with an index; built once, never changed.
var schema = buildSchema()

type schemaIndex struct {
	keys    []Key
	byID    map[string]int
	removed map[string]int
	// since holds, for each section and what it lies in, the release of its oldest
	// key: before that, upstream does not know the section.
	since map[string]Minor
}

func buildSchema() schemaIndex {
	s := schemaIndex{byID: map[string]int{}, removed: map[string]int{}, since: map[string]Minor{}}
	for _, t := range tables {
		for _, k := range t.keys {
			k.File, k.Section = t.file, t.section
			s.byID[k.ID()] = len(s.keys)
			s.keys = append(s.keys, k)
			for section := k.Section; section != ""; section = parentSection(section) {
				if old, ok := s.since[section]; !ok || k.Since < old {
					s.since[section] = k.Since
				}
			}
		}
	}
	for i, k := range removedKeys {
		s.removed[k.ID()] = i
	}
	return s
}

// parentSection returns the section that a section lies in: "pgo" of "pgo.rustc".
func parentSection(section string) string {
	return section[:max(strings.LastIndexByte(section, '.'), 0)]
}

// Schema returns all keys of both files in the order of the annotated
// examples.
func Schema() []Key { return slices.Clone(schema.keys) }

// RemovedKeys returns the keys that the newest release refuses.
func RemovedKeys() []Key { return slices.Clone(removedKeys) }

// LookupKey finds the row of a key by its full name. For keys of a target, tool or
// component it takes both the pattern ("target.*.cc") and a name
// ("target.x86_64-unknown-linux-gnu.cc").
func LookupKey(id string) (Key, bool) {
	i, ok := schema.byID[pattern(id)]
	if !ok {
		return Key{}, false
	}
	return schema.keys[i], true
}

// wildcards are the sections whose middle part is a name of the user's.
var wildcards = []string{"build.tool.", "target.", componentPrefix}

// pattern replaces the user's part of a full key by "*". Key names hold no
// dots, so the part ends at the last dot even if a triple has one.
func pattern(id string) string {
	for _, w := range wildcards {
		rest, ok := strings.CutPrefix(id, w)
		if !ok {
			continue
		}
		if i := strings.LastIndexByte(rest, '.'); i > 0 {
			return w + "*" + rest[i:]
		}
	}
	return id
}

// NamedPart returns the part of a full key that a user names: the triple of
// target.TRIPLE.cc, the tool of build.tool.TOOL.features, the component of
// component.NAME.targets, else "".
func NamedPart(id string) string {
	for _, w := range wildcards {
		rest, ok := strings.CutPrefix(id, w)
		if !ok {
			continue
		}
		if i := strings.LastIndexByte(rest, '.'); i > 0 {
			return rest[:i]
		}
	}
	return ""
}

// JoinKey returns the full key of a key in a section, "" for the top.
func JoinKey(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
