package targets

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxSpecsSize bounds what Import reads; rustc 1.97 prints 0.4 MB.
const maxSpecsSize = 64 << 20

// Import turns what a compiler says about its targets into the registry's
// text. specs is the output of
//
//	RUSTC_BOOTSTRAP=1 rustc -Zunstable-options --print all-target-specs-json
//
// and info that of `rustc -vV`. Import ignores Info.LLDDefault: it finds that in the
// specs and undoes its effect, so that the text holds base specs. With a parent the
// text holds only what differs from that older release. The same input gives the
// same bytes.
func Import(specs []byte, info Info, parent *Snapshot) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("importing targets of rustc %s: %w", info.Release, err)
	}
	if info.Release.IsZero() || info.Host.IsZero() {
		return fail(fmt.Errorf("release and host must be known"))
	}
	all, err := readSpecs(specs)
	if err != nil {
		return fail(err)
	}
	info.LLDDefault = takeBackLLDDefault(all)

	var b strings.Builder
	writeHeader(&b, info, parent)
	if parent == nil {
		writeTargets(&b, all)
		return []byte(b.String()), nil
	}
	if err := writeChanges(&b, all, parent); err != nil {
		return fail(err)
	}
	return []byte(b.String()), nil
}

// readSpecs decodes the fields of every target, by its name.
func readSpecs(specs []byte) (map[string]map[string]string, error) {
	if len(specs) > maxSpecsSize {
		return nil, fmt.Errorf("got %d bytes of specs, the limit is %d", len(specs), maxSpecsSize)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(specs, &members); err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("got no targets")
	}
	all := make(map[string]map[string]string, len(members))
	for name, raw := range members {
		t, err := ParseTriple(name)
		if err != nil {
			return nil, err
		}
		fields, err := parseFields(raw)
		if err != nil {
			return nil, fmt.Errorf("target %q: %w", name, err)
		}
		if _, err := newSpec(t, fields); err != nil {
			return nil, fmt.Errorf("target %q: %w", name, err)
		}
		all[name] = fieldMap(fields)
	}
	return all, nil
}

func fieldMap(fields []member) map[string]string {
	m := make(map[string]string, len(fields))
	for _, f := range fields {
		m[f.Name] = f.JSON
	}
	return m
}

// takeBackLLDDefault turns specs into base specs and notes what it removed from
// each. It reports whether it removed anything: whether the compiler has LLD as
// its default.
//
// Specs with os linux and env gnu build on base/linux_gnu.rs. A compiler without
// the default does not show what the default would add. Then takeBackLLDDefault
// notes the usual pair, with the one known exception: LLD has no m68k, so
// m68k_unknown_linux_gnu.rs resets link_self_contained.
func takeBackLLDDefault(all map[string]map[string]string) bool {
	found := false
	for _, f := range all {
		found = found || f["os"] == `"linux"` && f["env"] == `"gnu"` && f["link-self-contained"] != ""
	}
	for _, f := range all {
		if f["os"] != `"linux"` || f["env"] != `"gnu"` {
			continue
		}
		note := `["gnu-lld-cc","linker"]`
		_, list := f["link-self-contained"]
		switch {
		case found && list:
			delete(f, "link-self-contained")
			f["linker-flavor"], f["crt-objects-fallback"] = `"gnu-cc"`, `"false"`
		case found:
			note = "[" + f["linker-flavor"] + "]"
			f["linker-flavor"] = `"gnu-cc"`
		case f["arch"] == `"m68k"`:
			note = `["gnu-lld-cc"]`
		}
		f[lldDefaultField] = note
	}
	return found
}

func writeHeader(b *strings.Builder, info Info, parent *Snapshot) {
	fmt.Fprintf(b, "# Builtin targets of rustc %s, in the text format of x.go's package targets.\n", info.Release)
	b.WriteString("# Written by `x targets import --rustc PATH`. Do not edit: import again.\n")
	fmt.Fprintf(b, "release %s\n", info.Release)
	if info.Commit != "" {
		fmt.Fprintf(b, "commit %s\n", info.Commit)
	}
	fmt.Fprintf(b, "host %s\n", info.Host)
	lld := "no"
	if info.LLDDefault {
		lld = "yes"
	}
	fmt.Fprintf(b, "lld-default %s\n", lld)
	if parent != nil {
		fmt.Fprintf(b, "from %s\n", parent.info.Release)
	}
	b.WriteByte('\n')
}

// writeTargets writes the bases, then the targets over them.
func writeTargets(b *strings.Builder, all map[string]map[string]string) {
	bases := findBases(all)
	for _, name := range slices.Sorted(maps.Keys(bases)) {
		writeBlock(b, "base "+name+" -", nil, bases[name])
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		base := baseName(all[name])
		head := base
		if bases[base] == nil {
			head = "-"
		}
		writeBlock(b, "target "+name+" "+head, bases[base], all[name])
	}
}

// baseName names the group whose targets are most alike: those of one system
// and C library.
func baseName(f map[string]string) string {
	part := func(field, otherwise string) string {
		var s string
		if json.Unmarshal([]byte(f[field]), &s) != nil || s == "" {
			return otherwise
		}
		return s
	}
	name := part("os", "none")
	if env := part("env", ""); env != "" {
		name += "-" + env
	}
	return name
}

// findBases gathers, per group of two or more targets, the values that more
// than half of its targets have.
func findBases(all map[string]map[string]string) map[string]map[string]string {
	count := map[string]int{}
	values := map[string]map[member]int{}
	for _, f := range all {
		name := baseName(f)
		count[name]++
		if values[name] == nil {
			values[name] = map[member]int{}
		}
		for field, value := range f {
			values[name][member{field, value}]++
		}
	}
	bases := map[string]map[string]string{}
	for name, n := range count {
		if n < 2 {
			continue
		}
		base := map[string]string{}
		for f, have := range values[name] {
			if 2*have > n {
				base[f.Name] = f.JSON
			}
		}
		bases[name] = base
	}
	return bases
}

// writeChanges writes what differs from the parent. New targets stand alone or
// on the parent's bases.
func writeChanges(b *strings.Builder, all map[string]map[string]string, parent *Snapshot) error {
	old := parent.Names()
	for _, name := range old {
		if all[name] == nil {
			fmt.Fprintf(b, "dropped %s -\n\n", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fields, had, err := parent.resolve(name)
		if err != nil {
			return err
		}
		if had {
			if before := fieldMap(fields); !maps.Equal(before, all[name]) {
				writeBlock(b, "target "+name+" ~", before, all[name])
			}
			continue
		}
		head := baseName(all[name])
		base, err := parent.base(head)
		if err != nil {
			head, base = "-", nil
		}
		writeBlock(b, "target "+name+" "+head, fieldMap(base), all[name])
	}
	return nil
}

// writeBlock writes the lines that turn from into to.
func writeBlock(b *strings.Builder, head string, from, to map[string]string) {
	b.WriteString(head)
	b.WriteByte('\n')
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if value, ok := from[name]; !ok || value != to[name] {
			fmt.Fprintf(b, " %s %s\n", name, to[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if _, ok := to[name]; !ok {
			fmt.Fprintf(b, " -%s\n", name)
		}
	}
	b.WriteByte('\n')
}
