package manifests

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// ProvenanceExt replaces ".toml" in the name of a channel manifest in the name of its
// provenance.
const ProvenanceExt = "-provenance.json"

// MaxProvenance bounds a provenance in bytes. Rust's channels have 3000 archives, which
// take 200 bytes each.
const MaxProvenance = 32 << 20

// Provenance says how the archives of a channel came to be: a statement of in-toto with a
// predicate of SLSA, so that readers of those need not know x. It holds no time, so that
// equal channels have equal ones.
// Source: in-toto.io/Statement/v1, slsa.dev/provenance/v1.
type Provenance struct {
	Type          string              `json:"_type"`
	Subjects      []Resource          `json:"subject"` // the manifest, and the archives with a build record
	PredicateType string              `json:"predicateType"`
	Predicate     ProvenancePredicate `json:"predicate"`
}

// ProvenancePredicate is SLSA's part.
type ProvenancePredicate struct {
	Definition ProvenanceDefinition `json:"buildDefinition"`
	Run        ProvenanceRun        `json:"runDetails"`
}

// ProvenanceDefinition says what went in.
type ProvenanceDefinition struct {
	BuildType string `json:"buildType"`
	// Parameters are what the archives were built by.
	Parameters ProvenanceParameters `json:"externalParameters"`
	// Dependencies are the files and commits that went in, and the archives of the
	// channel that have no build record: others built them.
	Dependencies []Resource `json:"resolvedDependencies,omitempty"`
}

// ProvenanceParameters are the settings.
type ProvenanceParameters struct {
	Manifest string            `json:"manifest"` // its name
	Date     string            `json:"date"`     // of the channel
	Version  string            `json:"version"`  // of the package rust, or ""
	Builds   []ProvenanceBuild `json:"builds,omitempty"`
}

// ProvenanceBuild is one run of x: a build record, and the archives that have it.
type ProvenanceBuild struct {
	Archives []string    `json:"archives"` // names, sorted
	Record   BuildRecord `json:"record"`
}

// ProvenanceRun says who put the channel together, and what else came out.
type ProvenanceRun struct {
	Builder ProvenanceBuilder `json:"builder"`
	// Byproducts are programs that x built into archives.
	Byproducts []Resource `json:"byproducts,omitempty"`
}

// ProvenanceBuilder names the builder.
type ProvenanceBuilder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"` // of "x"
}

// Resource is a file or a commit, by its digest.
type Resource struct {
	Name        string            `json:"name"`
	Digest      map[string]string `json:"digest"` // "sha256" or "gitCommit" to hexadecimal digits
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SHA256 returns the digest of a file; ok is false if it has none, or a malformed one.
func (r Resource) SHA256() (h Hash, ok bool) {
	h, err := ParseHash(r.Digest["sha256"])
	return h, err == nil
}

func fileResource(name string, h Hash) Resource {
	return Resource{Name: name, Digest: map[string]string{"sha256": h.String()}}
}

// Identifiers in a provenance. Those of x are URIs whose scheme is the name of its
// module; they name nothing on a network.
const (
	statementType  = "https://in-toto.io/Statement/v1"
	slsaProvenance = "https://slsa.dev/provenance/v1"
	buildType      = "x.go:channel/v1"
	builderID      = "x.go:x"
)

// BuiltArchive is an archive of a channel.
type BuiltArchive struct {
	Name   string
	Hash   Hash
	Record *BuildRecord // nil if it has none
}

// NewProvenance returns the provenance of the channel whose manifest is the file name
// with the digest. Version is that of the x that makes it.
func NewProvenance(name string, digest Hash, c *Channel, archives []BuiltArchive, version string) (Provenance, error) {
	p := Provenance{Type: statementType, PredicateType: slsaProvenance, Subjects: []Resource{fileResource(name, digest)}}
	def, run := &p.Predicate.Definition, &p.Predicate.Run
	def.BuildType = buildType
	def.Parameters = ProvenanceParameters{Manifest: name, Date: c.Date, Version: c.Packages[rustPackage].Version}
	run.Builder = ProvenanceBuilder{ID: builderID}
	if version != "" {
		run.Builder.Version = map[string]string{"x": version}
	}
	builds := map[string]*ProvenanceBuild{} // by the text of the record
	for _, a := range archives {
		if a.Record == nil {
			def.Dependencies = append(def.Dependencies, fileResource(a.Name, a.Hash))
			continue
		}
		p.Subjects = append(p.Subjects, fileResource(a.Name, a.Hash))
		text, err := a.Record.Encode()
		if err != nil {
			return Provenance{}, err
		}
		b := builds[string(text)]
		if b == nil {
			b = &ProvenanceBuild{Record: *a.Record}
			builds[string(text)] = b
		}
		b.Archives = append(b.Archives, a.Name)
	}
	for _, text := range slices.Sorted(maps.Keys(builds)) {
		b := builds[text]
		slices.Sort(b.Archives)
		def.Parameters.Builds = append(def.Parameters.Builds, *b)
		def.Dependencies = append(def.Dependencies, b.inputs()...)
		run.Byproducts = append(run.Byproducts, b.programs()...)
	}
	def.Dependencies, run.Byproducts = sortResources(def.Dependencies), sortResources(run.Byproducts)
	manifest := p.Subjects[:1]
	p.Subjects = append(slices.Clone(manifest), sortResources(p.Subjects[1:])...)
	return p, nil
}

// inputs are the files and the commit that went into a build.
func (b ProvenanceBuild) inputs() []Resource {
	host := map[string]string{"host": b.Record.Toolchain.Host}
	var out []Resource
	if commit := b.Record.Toolchain.Commit; commit != "" {
		out = append(out, Resource{"rustc " + b.Record.Toolchain.Release, map[string]string{"gitCommit": commit}, nil})
	}
	for name, h := range b.Record.Inputs {
		r := fileResource(name, h)
		r.Annotations = host
		out = append(out, r)
	}
	return out
}

// programs are those that a build made.
func (b ProvenanceBuild) programs() []Resource {
	var out []Resource
	for _, p := range b.Record.Programs {
		r := fileResource(p.Package, p.SHA256)
		r.Annotations = map[string]string{"host": b.Record.Toolchain.Host}
		if p.Compiler != "" {
			r.Annotations["compiler"] = p.Compiler
		}
		out = append(out, r)
	}
	return out
}

// sortResources sorts resources, and names each once.
func sortResources(all []Resource) []Resource {
	key := func(r Resource) string { return fmt.Sprint(r.Name, r.Digest, r.Annotations) } // maps print in order
	slices.SortFunc(all, func(a, b Resource) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(key(a), key(b)))
	})
	return slices.CompactFunc(all, func(a, b Resource) bool { return reflect.DeepEqual(a, b) })
}

// Encode returns the provenance as a file: indented JSON with its keys in one order.
func (p Provenance) Encode() ([]byte, error) {
	p.Predicate.Definition.Parameters.Builds = slices.Clone(p.Predicate.Definition.Parameters.Builds)
	for i := range p.Predicate.Definition.Parameters.Builds {
		p.Predicate.Definition.Parameters.Builds[i].Record.Format = buildRecordFormat
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("encoding a provenance: %w", err)
	}
	return out.Bytes(), nil
}

// ParseProvenance reads a provenance that x made. It ignores unknown keys, as in-toto
// demands, and refuses statements of other kinds.
func ParseProvenance(data []byte) (Provenance, error) {
	var p Provenance
	err := errors.New("got more than 32 MiB")
	if len(data) <= MaxProvenance {
		if err = json.Unmarshal(data, &p); err == nil {
			err = p.check()
		}
	}
	if err != nil {
		return Provenance{}, fmt.Errorf("parsing provenance: %w", err)
	}
	return p, nil
}

// check requires the kinds of x, and one digest for each name.
func (p Provenance) check() error {
	for _, f := range []struct{ key, got, want string }{
		{"_type", p.Type, statementType},
		{"predicateType", p.PredicateType, slsaProvenance},
		{"predicate.buildDefinition.buildType", p.Predicate.Definition.BuildType, buildType},
	} {
		if f.got != f.want {
			return fmt.Errorf("%s: got %.200q, want %q", f.key, f.got, f.want)
		}
	}
	if len(p.Subjects) == 0 {
		return errors.New("subject: got none, want the manifest of a channel")
	}
	seen := map[string]bool{}
	for i, r := range p.Subjects {
		if _, ok := r.SHA256(); !ok || r.Name == "" {
			return fmt.Errorf("subject[%d]: got name %.200q and digest %.200q, want a file name and its sha256", i, r.Name, r.Digest["sha256"])
		}
		if seen[r.Name] {
			return fmt.Errorf("subject[%d]: got %.200q for the second time", i, r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}
