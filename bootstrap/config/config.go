package config

import (
	"cmp"
	"maps"
	"slices"

	"x.go/targets"
)

// Config is a resolved configuration: each key of both files has its value,
// and [Config.Origin] tells where that comes from. A Config is never changed
// after [Load]; its slices and maps are for reading only.
type Config struct {
	// ChangeID is the key change-id.
	ChangeID ChangeID
	// Profile is the profile in effect after aliases; empty if there is none.
	Profile string
	// Include are the paths in the main file's key include.
	Include []string

	LLVM    LLVM
	GCC     GCC
	Build   Build
	Install Install
	Rust    Rust
	PGO     PGO
	Dist    Dist
	// Targets holds [target.TRIPLE] by triple; only those that a file names.
	Targets map[targets.Triple]Target
	// X is what x.toml adds.
	X XConfig

	settings map[string][]setting
	mainFile string
	mainText []byte
	files    []string
	notices  []Finding
	release  targets.Release
	ciLLVM   bool
}

// PGO is [pgo].
type PGO struct {
	Rustc PGORustc
}

// XConfig is x.toml.
type XConfig struct {
	LLD       XLLD
	Dist      XDist
	Bootstrap XBootstrap
	// Component holds [component.NAME] by name.
	Component map[string]XComponent
}

// setting is one value that a layer gave to a key.
type setting struct {
	// Value is a bool, int, int64, string, []string, map[string]string,
	// targets.Triple, []targets.Triple or a type of this package.
	Value  any
	Origin Origin
	// Written is how the value is written in a file, where that is more than Value.
	Written any
}

// shown is the value as a file has it.
func (s setting) shown() any {
	if s.Written != nil {
		return s.Written
	}
	return s.Value
}

// Origin returns where the value of a key comes from, by its full name, such
// as "rust.lld" or "target.x86_64-unknown-linux-gnu.cc". A key that nobody set
// has a default as origin, and so does a name that is no key.
func (c Config) Origin(key string) Origin {
	if s := c.settings[key]; len(s) > 0 {
		return s[0].Origin
	}
	if k, ok := LookupKey(key); ok {
		return Origin{Detail: k.Computed}
	}
	return Origin{}
}

// IsSet reports whether a file, option or flag set the key.
func (c Config) IsSet(key string) bool { return c.Origin(key).IsSet() }

// HasSpecFile reports whether build.build, build.host or build.target names the target
// by the file of its specification.
func (c Config) HasSpecFile(t targets.Triple) bool {
	for _, key := range []string{"build.build", "build.host", "build.target"} {
		if s := c.settings[key]; len(s) > 0 {
			texts, _ := s[0].Written.([]string)
			if text, ok := s[0].Written.(string); ok {
				texts = []string{text}
			}
			for _, text := range texts {
				if named, err := targets.TripleOfSpec(text); err == nil && named == t {
					return true
				}
			}
		}
	}
	return false
}

// SetKeys returns the keys that a file, option or flag set, by their [Key.ID].
func (c Config) SetKeys() map[string]bool {
	out := map[string]bool{}
	for id := range c.settings {
		if o := c.Origin(id); o.Kind > OriginProfile {
			out[pattern(id)] = true
		}
	}
	return out
}

// Files returns the names of the files that were read: the main file first,
// then its includes, then x.toml. Profiles are built in and not listed.
func (c Config) Files() []string { return slices.Clone(c.files) }

// Release returns the release that the configuration was loaded for; zero means
// the newest rules.
func (c Config) Release() targets.Release { return c.release }

// DownloadsLLVM reports whether upstream takes LLVM from CI if llvm.download-ci-llvm
// is not set: since 1.83 (#130529), but in a source archive since 1.86, where the
// profile is dist. Where there is no source tree, it is false: nobody knows which one
// the file is for.
func (c Config) DownloadsLLVM() bool { return c.ciLLVM }

// TargetTriples returns the triples that have a section, sorted.
func (c Config) TargetTriples() []targets.Triple {
	return slices.SortedFunc(maps.Keys(c.Targets), func(a, b targets.Triple) int { return cmp.Compare(a.String(), b.String()) })
}

// Target returns the section of a triple; the zero Target if there is none.
func (c Config) Target(t targets.Triple) Target { return c.Targets[t] }

// MainFile returns the name of the bootstrap.toml that was read, or "" if there
// was none.
func (c Config) MainFile() string { return c.mainFile }

// MainText returns that file as it is; nil if there was none. It is for reading
// only.
func (c Config) MainText() []byte { return c.mainText }
