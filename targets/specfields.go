package targets

import (
	"encoding/json"
	"fmt"
	"strings"
)

// lldDefaultField is the registry's own member, next to rustc's: what a
// compiler with LLD as default says in place of the base spec. Its value is a
// list of the flavor and the components. No member of rustc can have its name.
const lldDefaultField = "+lld-default"

// newSpec decodes the members this package asks about. fields must be sorted.
func newSpec(t Triple, fields []member) (*Spec, error) {
	s := &Spec{
		Triple: t,
		// rustc's TargetOptions::default
		Vendor: "unknown", OS: "none",
		DLLPrefix: "lib", DLLSuffix: ".so",
		StaticlibPrefix: "lib", StaticlibSuffix: ".a",
		Executables:   true,
		SelfContained: SelfContainedDefault{mode: selfContainedFalse},
	}
	kept := make([]member, 0, len(fields))
	for _, f := range fields {
		if f.Name != lldDefaultField {
			kept = append(kept, f)
		}
		decode, ok := specDecoders[f.Name]
		if !ok || f.JSON == "null" {
			continue
		}
		if err := decode(s, []byte(f.JSON)); err != nil {
			return nil, fmt.Errorf("parsing target spec: field %q: %w", f.Name, err)
		}
	}
	s.fields = kept
	if s.Flavor.IsZero() && s.LLVMTarget != "" {
		// Older compilers print no member that has its default.
		s.Flavor, _ = ParseLinkerFlavor("gnu-cc")
	}
	if s.Flavor.IsZero() {
		return nil, fmt.Errorf("parsing target spec: no field %q", "linker-flavor")
	}
	return s, nil
}

// specDecoders maps the names of rustc_target/src/spec/json.rs to this
// package's fields.
var specDecoders = map[string]func(*Spec, []byte) error{
	"abi":                              into(func(s *Spec) *string { return &s.ABI }),
	"arch":                             into(func(s *Spec) *string { return &s.Arch }),
	"crt-objects-fallback":             decodeCrtObjectsFallback,
	"crt-static-allows-dylibs":         into(func(s *Spec) *bool { return &s.CrtStaticDylibs }),
	"crt-static-default":               into(func(s *Spec) *bool { return &s.CrtStaticDefault }),
	"crt-static-respected":             into(func(s *Spec) *bool { return &s.CrtStaticRespected }),
	"dll-prefix":                       into(func(s *Spec) *string { return &s.DLLPrefix }),
	"dll-suffix":                       into(func(s *Spec) *string { return &s.DLLSuffix }),
	"dynamic-linking":                  into(func(s *Spec) *bool { return &s.DynamicLinking }),
	"env":                              into(func(s *Spec) *string { return &s.Env }),
	"exe-suffix":                       into(func(s *Spec) *string { return &s.ExeSuffix }),
	"executables":                      into(func(s *Spec) *bool { return &s.Executables }),
	"is-like-darwin":                   into(func(s *Spec) *bool { return &s.LikeDarwin }),
	"is-like-wasm":                     into(func(s *Spec) *bool { return &s.LikeWasm }),
	"link-self-contained":              decodeLinkSelfContained,
	"linker":                           into(func(s *Spec) *string { return &s.Linker }),
	"linker-flavor":                    decodeFlavor,
	"llvm-target":                      into(func(s *Spec) *string { return &s.LLVMTarget }),
	"metadata":                         decodeMetadata,
	"need-explicit-cpu":                into(func(s *Spec) *bool { return &s.NeedsCPU }),
	"only-cdylib":                      into(func(s *Spec) *bool { return &s.OnlyCdylib }),
	"os":                               into(func(s *Spec) *string { return &s.OS }),
	"position-independent-executables": into(func(s *Spec) *bool { return &s.PIE }),
	"pre-link-args":                    into(func(s *Spec) *LinkArgs { return &s.PreLinkArgs }),
	"static-position-independent-executables": into(func(s *Spec) *bool { return &s.StaticPIE }),
	"staticlib-prefix":                        into(func(s *Spec) *string { return &s.StaticlibPrefix }),
	"staticlib-suffix":                        into(func(s *Spec) *string { return &s.StaticlibSuffix }),
	"target-endian":                           decodeEndian,
	"target-family":                           decodeFamilies,
	"target-pointer-width":                    decodePointerWidth,
	"vendor":                                  into(func(s *Spec) *string { return &s.Vendor }),
	lldDefaultField:                           decodeLLDDefault,
}

func into[T any](field func(*Spec) *T) func(*Spec, []byte) error {
	return func(s *Spec, b []byte) error { return json.Unmarshal(b, field(s)) }
}

func decodeCrtObjectsFallback(s *Spec, b []byte) error {
	var v string
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	mode, ok := selfContainedModes[v]
	if !ok {
		return fmt.Errorf("got %q, want false, true, musl, mingw or wasm", v)
	}
	s.SelfContained = SelfContainedDefault{mode: mode}
	return nil
}

func decodeLinkSelfContained(s *Spec, b []byte) error {
	var v struct{ Components []string }
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	set, err := componentSet(v.Components)
	if err != nil {
		return err
	}
	s.SelfContained = SelfContainedDefault{selfContainedList, set}
	return nil
}

func componentSet(names []string) (Components, error) {
	var set Components
	for _, name := range names {
		c, err := ParseComponent(name)
		if err != nil {
			return 0, err
		}
		set |= c
	}
	return set, nil
}

func decodeFlavor(s *Spec, b []byte) error {
	var v string
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	f, err := parseSpecFlavor(v)
	s.Flavor = f
	return err
}

// parseSpecFlavor also takes the legacy names, which custom target files may
// still have; each stands for one flavor there (LinkerFlavor::from_cli).
func parseSpecFlavor(name string) (LinkerFlavor, error) {
	legacy := map[string]string{
		"gcc": "gnu-cc", "ld": "gnu", "ld.lld": "gnu-lld", "ld64.lld": "darwin-lld",
		"lld-link": "msvc-lld", "wasm-ld": "wasm-lld", "em": "em-cc",
	}
	if modern, ok := legacy[name]; ok {
		name = modern
	}
	return ParseLinkerFlavor(name)
}

func decodeMetadata(s *Spec, b []byte) error {
	var v struct {
		Description *string  `json:"description"`
		HostTools   Tristate `json:"host_tools"`
		Std         Tristate `json:"std"`
		Tier        *int     `json:"tier"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	s.Metadata = Metadata{HostTools: v.HostTools, Std: v.Std}
	if v.Tier != nil {
		s.Metadata.Tier = *v.Tier
	}
	if v.Description != nil {
		s.Metadata.Description = *v.Description
	}
	return nil
}

// decodePointerWidth also takes a string, which rustc wrote before 1.91
// (rust-lang/rust#144443).
func decodePointerWidth(s *Spec, b []byte) error {
	return json.Unmarshal([]byte(strings.Trim(string(b), `"`)), &s.PointerWidth)
}

// decodeFamilies takes one family or a list of them.
func decodeFamilies(s *Spec, b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		s.Families = []string{""}
		return json.Unmarshal(b, &s.Families[0])
	}
	return json.Unmarshal(b, &s.Families)
}

func decodeEndian(s *Spec, b []byte) error {
	var v string
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if v != "big" && v != "little" {
		return fmt.Errorf("got %q, want big or little", v)
	}
	s.BigEndian = v == "big"
	return nil
}

func decodeLLDDefault(s *Spec, b []byte) error {
	var v []string
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if len(v) == 0 {
		return fmt.Errorf("got an empty list, want a flavor")
	}
	f, err := ParseLinkerFlavor(v[0])
	if err != nil {
		return err
	}
	set, err := componentSet(v[1:])
	s.lld = lldDefault{f, set}
	return err
}
