package toolchain

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/bootstrap/marks"
)

// compiledBy finds standard libraries that another rustc has compiled. The compiler
// refuses to link with them (E0514), so they do not go out with it. What an older
// installation has left beside the right files does no harm.
func (r *inputReader) compiledBy() {
	for i := range r.in.Components {
		c := &r.in.Components[i]
		if c.Spec.Archive != "rust-std" {
			continue
		}
		lib := "lib/rustlib/" + c.Target.String() + "/lib"
		found := marks.StdVersions(r.tc.Path(lib))
		texts := slices.Sorted(maps.Keys(found))
		if len(texts) == 0 || slices.ContainsFunc(texts, r.tc.compiled) {
			continue
		}
		name := lib + "/" + found[texts[0]]
		c.Broken = append(c.Broken, Broken{name, fmt.Errorf("comparing the release of %q: rustc %s compiled it, but the compiler is rustc %s, which refuses it (E0514): add the standard library of the compiler, or remove this one", name, texts[0], r.tc.Version)})
	}
}

// compiled reports whether a version text in a crate is that of the compiler.
func (tc Toolchain) compiled(text string) bool {
	release, rest, _ := strings.Cut(text, " ")
	if release != tc.Version.Release.String() {
		return false
	}
	commit, _, _ := strings.Cut(strings.TrimPrefix(rest, "("), " ")
	return !strings.HasPrefix(rest, "(") || tc.Version.CommitHash == "" || !isHash(commit) || strings.HasPrefix(tc.Version.CommitHash, commit)
}

// isHash reports whether a text is the beginning of a commit's hash.
func isHash(text string) bool {
	return text != "" && strings.Trim(text, "0123456789abcdef") == ""
}
