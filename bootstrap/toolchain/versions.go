package toolchain

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"x.go/bootstrap/marks"
	"x.go/manifests"
)

// A versionRule says how to learn the version of a component that has its own,
// from the program that it ships. Upstream reads the tools' Cargo.toml, which
// no toolchain carries.
type versionRule struct {
	program string // in bin, without suffix
	// unrun is the number where the program does not run here: "%d" stands for the minor number of the
	// release that it belongs to, and "" says that only its own text tells.
	unrun string
	// read turns the first line that `program --version` prints, and the rest
	// of the release it belongs to, into the number of Cargo.toml.
	read func(line string) (string, error)
	// git says that the version text ends with the tool's own commit: its source
	// is a git submodule of rust-lang/rust.
	git bool
}

// versionRules are the tools with a version of their own. A component that has
// its own version upstream and no row here takes the compiler's.
var versionRules = map[string]versionRule{
	"cargo":   {"cargo", "1.%d.0", cargoCrateVersion, true},
	"clippy":  {"clippy-driver", "0.1.%d", secondWord, false},
	"rustfmt": {"rustfmt", "", secondWord, false},
	"miri":    {"miri", "0.1.0", secondWord, false},
}

// fixedVersions are the tools whose Cargo.toml never changes its version.
var fixedVersions = map[string]string{"rust-analyzer": "0.0.0"}

// ComponentVersion returns the text of the component's `version` file:
// "0.96.0 (f2d3ce0bd 2026-03-21)" for cargo 1.95.0, "1.9.0" for rustfmt.
func (tc Toolchain) ComponentVersion(ctx context.Context, spec manifests.ComponentSpec) (string, error) {
	if v, ok := fixedVersions[spec.Archive]; ok {
		return v + tc.versionSuffix(), nil
	}
	rule, ok := versionRules[spec.Archive]
	if !ok {
		return tc.Version.String(), nil
	}
	program := filepath.Join(tc.Sysroot, "bin", rule.program+tc.Spec.ExeSuffix)
	line, err := tc.versionLine(ctx, program, rule)
	if err != nil || line == "" {
		return tc.Version.String(), err
	}
	number, err := rule.read(line)
	if err != nil {
		return "", fmt.Errorf("reading the version of %s from %q: %w", spec.Archive, line, err)
	}
	number, _, _ = strings.Cut(number, "-")
	text := number + tc.versionSuffix()
	if _, commit, ok := strings.Cut(line, " ("); ok && rule.git {
		text += " (" + commit
	}
	return text, nil
}

// versionLine returns the line that `program --version` prints. Of a program that does not
// run here it has no commit; it is "" if nothing tells the version.
func (tc Toolchain) versionLine(ctx context.Context, program string, rule versionRule) (string, error) {
	if tc.Unrun != nil {
		number := rule.unrun
		if number == "" {
			number = marks.ToolVersion(program)
		} else if strings.Contains(number, "%d") {
			number = fmt.Sprintf(number, tc.Version.Release.Minor())
		}
		if number == "" {
			return "", nil
		}
		return rule.program + " " + number, nil
	}
	out, err := tc.ask(ctx, program, "--version")
	if err != nil {
		return "", fmt.Errorf("asking the version of %s: %w", rule.program, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, nil
}

// versionSuffix is what the channel adds to a tool's number: "-nightly".
func (tc Toolchain) versionSuffix() string {
	if _, suffix, ok := strings.Cut(tc.Version.Release.String(), "-"); ok {
		return "-" + suffix
	}
	return ""
}

// secondWord reads "rustfmt 1.9.0-stable (…)".
func secondWord(line string) (string, error) {
	words := strings.Fields(line)
	if len(words) < 2 {
		return "", errors.New("got no version, want \"name version\"")
	}
	return words[1], nil
}

// cargoCrateVersion reads "cargo 1.95.0 (…)" and returns the version of the
// crate, 0.96.0: cargo prints the release of Rust that it belongs to, and its
// crate has been one minor version ahead of Rust since 1.0.
func cargoCrateVersion(line string) (string, error) {
	v, err := secondWord(line)
	if err != nil {
		return "", err
	}
	number, _, _ := strings.Cut(v, "-")
	parts := strings.Split(number, ".")
	if len(parts) != 3 || parts[0] != "1" {
		return "", fmt.Errorf("got release %q, want 1.MINOR.PATCH", v)
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return "", fmt.Errorf("got release %q, want 1.MINOR.PATCH", v)
	}
	return fmt.Sprintf("0.%d.%s", minor+1, parts[2]), nil
}

// OverlayDocs returns the licences and the README at the top of a component's
// archive, and where an installed toolchain keeps each: the first path that exists
// counts. Upstream takes them from the source tree
// (`src/bootstrap/src/utils/tarball.rs`).
func OverlayDocs(archive string) []OverlayDoc {
	dir := path.Join("share/doc", archive)
	if _, own := versionRules[archive]; own || fixedVersions[archive] != "" {
		return []OverlayDoc{
			{"LICENSE-APACHE", []string{dir + "/LICENSE-APACHE"}},
			{"LICENSE-MIT", []string{dir + "/LICENSE-MIT"}},
			{"LICENSE-THIRD-PARTY", []string{dir + "/LICENSE-THIRD-PARTY"}},
			{"README.md", []string{dir + "/README.md"}},
		}
	}
	return []OverlayDoc{
		{"COPYRIGHT", []string{"share/doc/rust/COPYRIGHT"}},
		{"LICENSE-APACHE", []string{"share/doc/rust/LICENSE-APACHE", "share/doc/rust/licenses/Apache-2.0.txt"}},
		{"LICENSE-MIT", []string{"share/doc/rust/LICENSE-MIT", "share/doc/rust/licenses/MIT.txt"}},
		{"README.md", []string{"share/doc/rust/README.md"}},
	}
}

// OverlayDoc is a file at the top of a component's archive.
type OverlayDoc struct {
	Name string   // in the archive
	From []string // slash paths in the sysroot
}
