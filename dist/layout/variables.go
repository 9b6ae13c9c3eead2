package layout

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"x.go/targets"
)

// Facts are what the variables that every layout has stand for:
//
//	{host}       the triple of the toolchain: x86_64-unknown-linux-gnu
//	{release}    1.95.0
//	{series}     1.95
//	{multiarch}  Debian's directory of the host below /usr/lib: x86_64-linux-gnu
//	{lib}        lib64 on the 64-bit hosts of Fedora that have it, else lib
//
// A row with {target} counts once for each other target whose standard library is
// there; {target-name} is that with hyphens only, for the names of packages.
type Facts struct {
	Host    targets.Triple
	Release string // may be empty if no row uses it
}

// builtin are the names of the variables that every layout has.
var builtin = []string{"host", "lib", "multiarch", "release", "series", "target", "target-name"}

// fixed are those of them that [Layout.Set] may give a value of its own.
var fixed = []string{"lib", "multiarch", "release"}

// variable matches {name}. {a,b} is an alternative of a glob.
var variable = regexp.MustCompile(`\{([a-z][a-z-]*)\}`)

// variableNames returns the names of the layout's own variables, sorted.
func (l Layout) variableNames() []string { return slices.Sorted(maps.Keys(l.Variables)) }

// withoutVariables puts a letter for each variable, so that the rest can be checked.
func withoutVariables(text string) string { return variable.ReplaceAllString(text, "v") }

// hosts has what distributions call hosts of Rust: Debian's multiarch tuple
// (https://wiki.debian.org/Multiarch/Tuples), and the directory of libraries in
// Fedora's macro %{_lib}.
var hosts = map[string]struct{ multiarch, lib string }{
	"aarch64-unknown-linux-gnu":       {"aarch64-linux-gnu", "lib64"},
	"arm-unknown-linux-gnueabi":       {"arm-linux-gnueabi", "lib"},
	"armv5te-unknown-linux-gnueabi":   {"arm-linux-gnueabi", "lib"},
	"armv7-unknown-linux-gnueabihf":   {"arm-linux-gnueabihf", "lib"},
	"i586-unknown-linux-gnu":          {"i386-linux-gnu", "lib"},
	"i686-unknown-linux-gnu":          {"i386-linux-gnu", "lib"},
	"loongarch64-unknown-linux-gnu":   {"loongarch64-linux-gnu", "lib64"},
	"mips64el-unknown-linux-gnuabi64": {"mips64el-linux-gnuabi64", "lib64"},
	"mipsel-unknown-linux-gnu":        {"mipsel-linux-gnu", "lib"},
	"powerpc-unknown-linux-gnu":       {"powerpc-linux-gnu", "lib"},
	"powerpc64-unknown-linux-gnu":     {"powerpc64-linux-gnu", "lib64"},
	"powerpc64le-unknown-linux-gnu":   {"powerpc64le-linux-gnu", "lib64"},
	"riscv64gc-unknown-linux-gnu":     {"riscv64-linux-gnu", "lib64"},
	"s390x-unknown-linux-gnu":         {"s390x-linux-gnu", "lib64"},
	"sparc64-unknown-linux-gnu":       {"sparc64-linux-gnu", "lib64"},
	"x86_64-unknown-linux-gnu":        {"x86_64-linux-gnu", "lib64"},
	"x86_64-unknown-linux-gnux32":     {"x86_64-linux-gnux32", "libx32"},
	"x86_64-unknown-linux-musl":       {"x86_64-linux-musl", "lib"},
	"aarch64-unknown-linux-musl":      {"aarch64-linux-musl", "lib"},
}

// values returns the values of all variables but {target}. One that has none for this
// host is not there.
func (l Layout) values(f Facts) map[string]string {
	v := map[string]string{"host": f.Host.String(), "lib": "lib"}
	if f.Release != "" {
		v["release"] = f.Release
	}
	if h, ok := hosts[f.Host.String()]; ok {
		v["multiarch"], v["lib"] = h.multiarch, h.lib
	}
	maps.Copy(v, l.Variables)
	if release, ok := v["release"]; ok {
		parts := strings.SplitN(release, ".", 3)
		v["series"] = strings.Join(parts[:min(2, len(parts))], ".")
	}
	return v
}

// perTarget reports whether a row with these texts counts for each target.
func perTarget(texts ...string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "{target}") })
}
