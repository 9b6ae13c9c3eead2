package targets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Spec is a target as rustc describes it with `--print target-spec-json`. The
// struct fields hold what this project asks about; every other field of the
// JSON is kept too, and [Spec.MarshalJSON] gives all of it back.
//
// [Snapshot] and [ParseSpec] create specs. Nothing changes one afterwards.
type Spec struct {
	Triple   Triple // zero for a spec of ParseSpec
	Metadata Metadata

	Arch, Vendor, OS, Env, ABI string
	LLVMTarget                 string
	PointerWidth               int // bits
	BigEndian                  bool
	Families                   []string // unix, windows, wasm

	ExeSuffix                        string
	DLLPrefix, DLLSuffix             string
	StaticlibPrefix, StaticlibSuffix string

	Executables        bool // false: a program becomes a staticlib
	DynamicLinking     bool // dylib and cdylib crates exist
	OnlyCdylib         bool
	PIE, StaticPIE     bool
	CrtStaticDefault   bool
	CrtStaticRespected bool // -Ctarget-feature=±crt-static has an effect
	CrtStaticDylibs    bool // dylibs may link the C runtime statically
	NeedsCPU           bool // -Ctarget-cpu must be given
	LikeWasm           bool
	LikeDarwin         bool
	Linker             string // "" where the flavor's default program is used
	Flavor             LinkerFlavor
	SelfContained      SelfContainedDefault
	PreLinkArgs        LinkArgs

	fields []member
	lld    lldDefault
	shown  string // name in messages where it is not the triple
}

// Metadata is what rustc says about the support of a target.
type Metadata struct {
	Tier        int // 1, 2 or 3; 0 where unknown
	HostTools   Tristate
	Std         Tristate
	Description string
}

// Tristate is yes, no or unknown, which is its zero value.
type Tristate byte

// The values of a Tristate.
const (
	Unknown Tristate = iota
	No
	Yes
)

// TristateOf returns [Yes] or [No].
func TristateOf(b bool) Tristate {
	if b {
		return Yes
	}
	return No
}

// String returns "yes", "no" or "?".
func (t Tristate) String() string { return [...]string{"?", "no", "yes"}[t] }

// UnmarshalJSON reads true, false or null.
func (t *Tristate) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*t = Yes
	case "false":
		*t = No
	case "null":
		*t = Unknown
	default:
		return fmt.Errorf("parsing %q: want true, false or null", b)
	}
	return nil
}

// LinkArgs maps a flavor's name to arguments, as pre-link-args does.
type LinkArgs map[string][]string

// For returns the arguments for one flavor.
func (a LinkArgs) For(f LinkerFlavor) []string {
	if a == nil {
		return nil
	}
	return a[f.String()]
}

// member is one member of the target's JSON: its name and its compact value.
type member struct{ Name, JSON string }

// lldDefault replaces parts of the base spec for a compiler with LLD as its
// default. Targets that do not use base/linux_gnu.rs have none.
type lldDefault struct {
	flavor     LinkerFlavor
	components Components
}

// IsLinuxGNU reports whether the target's spec builds on
// rustc_target/src/spec/base/linux_gnu.rs, the one place that a compiler's
// baked-in LLD default changes (rust-lang/rust#147626).
func (s *Spec) IsLinuxGNU() bool { return !s.lld.flavor.IsZero() }

// BakedLLD reports whether a compiler with this spec links by default with the LLD
// of its own sysroot (rust-lang/rust#140525).
func (s *Spec) BakedLLD() bool {
	return s.Flavor.UsesLLD() && s.SelfContained.components.Has(Linker)
}

// HasFamily reports whether cfg(target_family = name) holds.
func (s *Spec) HasFamily(name string) bool { return slices.Contains(s.Families, name) }

// WithLLDDefault returns the spec as a compiler with LLD as its default prints it
// (default-linker-linux-override = "self-contained-lld-cc" for its own host). For
// targets without that choice it is s itself.
func (s *Spec) WithLLDDefault() *Spec {
	if s.lld.flavor.IsZero() {
		return s
	}
	t := *s
	t.Flavor = s.lld.flavor
	t.fields = setField(slices.Clone(s.fields), member{"linker-flavor", `"` + t.Flavor.String() + `"`})
	if s.lld.components != 0 {
		t.SelfContained = SelfContainedDefault{selfContainedList, s.lld.components}
		names, _ := json.Marshal(s.lld.components.names())
		t.fields = setField(t.fields, member{"link-self-contained", `{"components":` + string(names) + `}`})
		t.fields = removeField(t.fields, "crt-objects-fallback")
	}
	return &t
}

// CrtStatic reports whether the C runtime is linked statically, given what
// -Ctarget-feature said about crt-static. It is Session::crt_static of
// rustc_session for every crate type but proc-macro.
func (s *Spec) CrtStatic(asked Tristate) bool {
	if !s.CrtStaticRespected || asked == Unknown {
		return s.CrtStaticDefault
	}
	return asked == Yes
}

// Field returns the compact JSON of one member and whether it is there. rustc
// leaves out members that have their default value.
func (s *Spec) Field(name string) (string, bool) {
	i, ok := slices.BinarySearchFunc(s.fields, name, compareField)
	if !ok {
		return "", false
	}
	return s.fields[i].JSON, true
}

func compareField(f member, name string) int { return strings.Compare(f.Name, name) }

func setField(fields []member, f member) []member {
	i, ok := slices.BinarySearchFunc(fields, f.Name, compareField)
	if ok {
		fields[i] = f
		return fields
	}
	return slices.Insert(fields, i, f)
}

func removeField(fields []member, name string) []member {
	i, ok := slices.BinarySearchFunc(fields, name, compareField)
	if !ok {
		return fields
	}
	return slices.Delete(fields, i, i+1)
}

// MarshalJSON prints the spec compactly, its members in the order of their
// names, as rustc does. [Spec.JSON] has rustc's layout too.
func (s *Spec) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range s.fields {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", f.Name, f.JSON)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// JSON prints the spec byte for byte as `rustc --print target-spec-json` does,
// newline included.
func (s *Spec) JSON() []byte {
	compact, err := s.MarshalJSON()
	if err != nil {
		panic("targets: marshalling a spec: " + err.Error())
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		panic("targets: spec of " + s.Triple.String() + " holds bad JSON: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// maxSpecSize bounds a spec from a file; the largest builtin one has 7 KiB.
const maxSpecSize = 1 << 20

// ParseSpec reads one target's JSON, as `rustc --print target-spec-json`
// prints it or a custom target's file holds it. The JSON does not hold the
// target's name: see [ParseSpecFile]. The spec stays as it is: no compiler's
// default can change it.
func ParseSpec(data []byte) (*Spec, error) {
	if len(data) > maxSpecSize {
		return nil, fmt.Errorf("parsing target spec: got %d bytes, the limit is %d", len(data), maxSpecSize)
	}
	fields, err := parseFields(data)
	if err != nil {
		return nil, fmt.Errorf("parsing target spec: %w", err)
	}
	return newSpec(Triple{}, fields)
}

// parseFields splits a JSON object into sorted members with compact values.
func parseFields(data []byte) ([]member, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, fmt.Errorf("got null, want an object")
	}
	fields := make([]member, 0, len(members))
	for name, value := range members {
		if !validFieldName(name) {
			return nil, fmt.Errorf("bad field name %q", name)
		}
		var b bytes.Buffer
		if err := json.Compact(&b, value); err != nil {
			return nil, err
		}
		fields = append(fields, member{name, b.String()})
	}
	slices.SortFunc(fields, func(a, b member) int { return strings.Compare(a.Name, b.Name) })
	return fields, nil
}

// validFieldName keeps names to what rustc uses, so that they can be printed
// and written to the registry's text without escapes.
func validFieldName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' && c != '_' || i == 0) {
			return false
		}
	}
	return name != ""
}
