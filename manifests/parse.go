package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Limits on the text of a manifest. Rust's own have 1 MB with 60,000 parts of
// keys, at most 6 in one key, and 11,000 keys outside of the lists of
// components. The time to decode a text grows with the product of those two
// counts, so both are bounded: the worst text takes seconds.
const (
	maxManifestSize = 4 << 20
	maxKeyParts     = 1 << 17
	maxKeys         = 1 << 15
	maxKeyDepth     = 16
	maxFindings     = 1000
)

// The raw types are the manifest as it is written. A pointer tells a key that
// is absent from one that is empty. Keys that are not named here are ignored,
// as rustup does, so that newer manifests can be read.
type (
	rawChannel struct {
		Version   *string                `toml:"manifest-version"`
		Date      *string                `toml:"date"`
		Packages  map[string]rawPackage  `toml:"pkg"`
		Artifacts map[string]rawArtifact `toml:"artifacts"`
		Renames   map[string]rawRename   `toml:"renames"`
		Profiles  map[string][]string    `toml:"profiles"`
	}
	rawPackage struct {
		Version    *string              `toml:"version"`
		CommitHash string               `toml:"git_commit_hash"`
		Targets    map[string]rawTarget `toml:"target"`
	}
	rawTarget struct {
		Available  *bool    `toml:"available"`
		URL        string   `toml:"url"`
		Hash       *string  `toml:"hash"`
		XZURL      string   `toml:"xz_url"`
		XZHash     *string  `toml:"xz_hash"`
		ZstURL     string   `toml:"zst_url"`
		ZstHash    *string  `toml:"zst_hash"`
		Components []rawRef `toml:"components"`
		Extensions []rawRef `toml:"extensions"`
	}
	rawRef struct {
		Package *string `toml:"pkg"`
		Target  *string `toml:"target"`
	}
	rawArtifact struct {
		Targets map[string][]rawFile `toml:"target"`
	}
	rawFile struct {
		URL  string  `toml:"url"`
		Hash *string `toml:"hash-sha256"`
	}
	rawRename struct {
		To *string `toml:"to"`
	}
)

// ParseChannel reads a channel manifest in any [Dialect]. Its error is
// [Findings], with line and column: either one of syntax, or all the missing
// keys and malformed values together. What rustup would not even parse is
// always an error; a malformed hash is one too, though rustup notices it only
// when it downloads.
func ParseChannel(data []byte) (*Channel, error) {
	data = trimBOM(data)
	if fs := checkSize(data); fs != nil {
		return nil, fs
	}
	var raw rawChannel
	if err := toml.Unmarshal(data, &raw); err != nil {
		return nil, syntaxFindings(err)
	}
	r := reader{}
	c := r.channel(&raw)
	if len(r.findings) > 0 {
		locate(data, r.findings)
		return nil, r.findings
	}
	return c, nil
}

// CheckChannel reads a manifest and judges it: the findings of [ParseChannel]
// or else those of [Channel.Validate], with line and column where the text has
// the key. The channel is nil if the text cannot be read.
func CheckChannel(data []byte) (*Channel, Findings) {
	c, err := ParseChannel(data)
	if err != nil {
		var fs Findings
		errors.As(err, &fs)
		return nil, fs
	}
	fs := c.Validate()
	locate(trimBOM(data), fs)
	return c, fs
}

// trimBOM drops a byte order mark, which rustup tolerates.
func trimBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\ufeff")) }

// checkSize refuses a text that is larger than any manifest.
func checkSize(data []byte) Findings {
	tooLarge := func(got int, what string, limit int) Findings {
		return Findings{{Rule: RuleSize, Got: fmt.Sprintf("%d %s", got, what), Want: fmt.Sprintf("at most %d", limit)}}
	}
	if len(data) > maxManifestSize {
		return tooLarge(len(data), "bytes", maxManifestSize)
	}
	var p unstable.Parser
	p.Reset(data)
	total, keys := 0, 0
	listed := -1 // keys of the current element of an array of tables, -1 outside
	for p.NextExpression() {
		n := p.Expression()
		parts := keyParts(n)
		total += parts
		switch {
		case n.Kind == unstable.ArrayTable:
			listed = 0
		case n.Kind == unstable.Table:
			listed = -1
			keys++
		case listed >= 0:
			listed += parts
		default:
			keys += parts
		}
		switch {
		case n.Kind != unstable.KeyValue && parts > maxKeyDepth:
			return tooLarge(parts, "parts in one header", maxKeyDepth)
		case total > maxKeyParts:
			return tooLarge(total, "parts of keys", maxKeyParts)
		case keys+max(listed, 0) > maxKeys:
			return tooLarge(keys+max(listed, 0), "keys", maxKeys)
		}
	}
	return nil // what is no TOML at all is for the decoder to say
}

// keyParts counts the parts of the keys in an expression, values included.
func keyParts(n *unstable.Node) int {
	count := 0
	for it := n.Children(); it.Next(); {
		switch c := it.Node(); c.Kind {
		case unstable.Key:
			count++
		case unstable.InlineTable, unstable.Array, unstable.KeyValue:
			count += keyParts(c)
		}
	}
	return count
}

// syntaxFindings turns go-toml's error into a finding.
func syntaxFindings(err error) Findings {
	f := Finding{Rule: RuleSyntax, Got: strconv.Quote(err.Error()), Want: "a channel manifest in TOML"}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		f.Line, f.Column = de.Position()
		f.Path = joinPath(de.Key()...)
	}
	return Findings{f}
}

// reader turns raw types into a channel and collects what is wrong on its way.
type reader struct {
	findings Findings
}

func (r *reader) add(rule Rule, path, got, want string) {
	if len(r.findings) < maxFindings {
		r.findings = append(r.findings, Finding{Rule: rule, Path: path, Got: got, Want: want})
	}
}

// text returns the value of a key that must be there.
func (r *reader) text(s *string, path func() string) string {
	if s == nil {
		r.add(RuleKeyMissing, path(), "nothing", "a string")
		return ""
	}
	return *s
}

func (r *reader) hash(s *string, path func() string) Hash {
	if s == nil {
		return Hash{}
	}
	h, err := ParseHash(*s)
	if err != nil {
		r.add(RuleHash, path(), fmt.Sprintf("%.100q", *s), "64 lower-case hexadecimal digits")
	}
	return h
}

// at returns a path when it is needed, which for sound manifests is never.
func at(keys ...string) func() string {
	return func() string { return joinPath(keys...) }
}

func (r *reader) channel(raw *rawChannel) *Channel {
	c := &Channel{
		Date:     r.text(raw.Date, at("date")),
		Packages: make(map[string]Package, len(raw.Packages)),
		Renames:  make(map[string]string, len(raw.Renames)),
		Profiles: make(map[string][]string, len(raw.Profiles)),
	}
	if raw.Version == nil || *raw.Version != manifestVersion {
		r.add(RuleManifestVersion, "manifest-version", quoteOrNothing(raw.Version), strconv.Quote(manifestVersion))
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Packages)) {
		c.Packages[name] = r.pkg(name, raw.Packages[name])
	}
	for _, from := range slices.Sorted(maps.Keys(raw.Renames)) {
		c.Renames[from] = r.text(raw.Renames[from].To, at("renames", from, "to"))
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Profiles)) {
		if profileRank(name) == len(profileTable) {
			r.add(RuleProfileName, joinPath("profiles", name), strconv.Quote(name), "minimal, default or complete")
		}
		c.Profiles[name] = raw.Profiles[name]
	}
	for _, kind := range slices.Sorted(maps.Keys(raw.Artifacts)) {
		r.artifact(c, kind, raw.Artifacts[kind])
	}
	return c
}

func (r *reader) pkg(name string, raw rawPackage) Package {
	p := Package{
		Version:    r.text(raw.Version, at("pkg", name, "version")),
		CommitHash: raw.CommitHash,
		Targets:    make(map[string]PackageTarget, len(raw.Targets)),
	}
	for _, target := range slices.Sorted(maps.Keys(raw.Targets)) {
		p.Targets[target] = r.target(raw.Targets[target], "pkg", name, "target", target)
	}
	return p
}

func (r *reader) target(raw rawTarget, path ...string) PackageTarget {
	under := func(key string) func() string { return func() string { return joinPath(append(path, key)...) } }
	t := PackageTarget{
		GZ:         Download{raw.URL, r.hash(raw.Hash, under("hash"))},
		XZ:         Download{raw.XZURL, r.hash(raw.XZHash, under("xz_hash"))},
		Zst:        Download{raw.ZstURL, r.hash(raw.ZstHash, under("zst_hash"))},
		Components: r.refs(raw.Components, under("components")),
		Extensions: r.refs(raw.Extensions, under("extensions")),
	}
	if raw.Available == nil {
		r.add(RuleKeyMissing, under("available")(), "nothing", "true or false")
		return t
	}
	t.Available = *raw.Available
	return t
}

func (r *reader) refs(raw []rawRef, path func() string) []ComponentRef {
	if len(raw) == 0 {
		return nil
	}
	refs := make([]ComponentRef, len(raw))
	for i, ref := range raw {
		under := func(key string) func() string { return func() string { return elemPath(path(), i) + "." + key } }
		refs[i] = ComponentRef{r.text(ref.Package, under("pkg")), r.text(ref.Target, under("target"))}
	}
	return refs
}

func (r *reader) artifact(c *Channel, kind string, raw rawArtifact) {
	for _, target := range slices.Sorted(maps.Keys(raw.Targets)) {
		for i, f := range raw.Targets[target] {
			under := func() string { return elemPath(joinPath("artifacts", kind, "target", target), i) + ".hash-sha256" }
			d := Download{f.URL, r.hash(f.Hash, under)}
			if c.Artifacts == nil {
				c.Artifacts = map[string]map[string][]Download{}
			}
			if c.Artifacts[kind] == nil {
				c.Artifacts[kind] = map[string][]Download{}
			}
			c.Artifacts[kind][target] = append(c.Artifacts[kind][target], d)
		}
	}
}

func quoteOrNothing(s *string) string {
	if s == nil {
		return "nothing"
	}
	return fmt.Sprintf("%.100q", *s)
}
