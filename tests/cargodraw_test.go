package tests

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// cargoCase is a project, an environment and a command line of cargo.
type cargoCase struct {
	files  map[string]string // below the case's directory; ws/p is the package
	env    []string
	config []string // values of --config
	target string   // of --target
	args   []string // after `cargo rustc --`
	dir    string   // working directory below ws/p
}

// String tells a case so that it can be read and typed.
func (c cargoCase) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		if c.files[name] == "" {
			continue
		}
		text := c.files[name]
		fmt.Fprintf(&b, "-- %s --\n%s", name, text)
	}
	fmt.Fprintf(&b, "env %q, --config %q, --target %q, -- %q in %q", c.env, c.config, c.target, c.args, c.dir)
	return b.String()
}

// cargoDraw draws cases. Each flag in a case is another one, so that their order
// shows what came from where.
type cargoDraw struct {
	*rand.Rand
	n       int
	dir     string // of the case
	nightly string // path of another compiler
}

func (d *cargoDraw) one(of ...string) string { return of[d.IntN(len(of))] }

// chance is true once in n.
func (d *cargoDraw) chance(n int) bool { return d.IntN(n) == 0 }

func (d *cargoDraw) flag() string {
	d.n++
	if d.chance(12) {
		return d.one("--cfg=mine", "--cfg=other=\"value\"", "-Cpanic=abort", "-Ctarget-feature=+avx2", "-Cdebug-assertions=off", "-O")
	}
	return fmt.Sprintf("-Clink-arg=m%d", d.n)
}

// list is a TOML value of flags.
func (d *cargoDraw) list() string {
	var flags []string
	for range d.IntN(3) {
		flags = append(flags, "'"+d.flag()+"'")
	}
	switch {
	case d.chance(4):
		return "'" + d.flag() + d.one(" ", "\t", "  ") + d.flag() + "'"
	case d.chance(40):
		return d.one("3", "true", "[3]", "{a = 1}", "''")
	}
	return "[" + strings.Join(flags, ", ") + "]"
}

func (d *cargoDraw) linker() string {
	if d.chance(40) {
		return d.one("3", "['cc']", "''")
	}
	return "'" + d.one("mycc", "tools/cc", "./cc", "../cc", "/opt/cc", "mold") + "'"
}

const (
	drawnHost  = "x86_64-unknown-linux-gnu"
	drawnOther = "aarch64-unknown-linux-gnu"
	drawnDots  = "thumbv8m.main-none-eabihf"
)

func (d *cargoDraw) triple() string {
	return d.one(drawnHost, drawnHost, drawnHost, drawnOther, drawnDots, "'"+drawnDots+"'", "my", "host-tuple")
}

func (d *cargoDraw) condition() string {
	c := d.one("unix", "windows", "mine", "not(mine)", `other = "value"`, `target_os = "linux"`, `target_os="none"`, `target_feature = "sse2"`,
		`target_feature = "avx2"`, "debug_assertions", `panic = "unwind"`, `panic = "abort"`, "r#unix", `r#target_os = "linux"`, "true", "false", "r#true",
		`target_has_atomic = "64"`, "target_thread_local", "target_has_atomic", "overflow_checks", `target_pointer_width = "32"`, "feature", "test", "proc_macro")
	switch d.IntN(12) {
	case 0:
		return "all(" + c + ", " + d.condition() + ")"
	case 1:
		return "any(" + c + "," + d.condition() + ",)"
	case 2:
		return "not(" + c + ")"
	case 3:
		return d.one("all()", "any()", "not()", "unix windows", "all(unix", "r#all(unix)", "target_os = linux", `target_os = "linux`, "", "un-ix", "'", "unix,", "\tunix", " unix ")
	}
	return c
}

// setting draws one line of a configuration file.
func (d *cargoDraw) setting() (key, value string) {
	switch d.IntN(24) {
	case 0, 1, 2:
		return "build.rustflags", d.list()
	case 3, 4, 5:
		return "target." + d.triple() + ".rustflags", d.list()
	case 6, 7:
		return "target." + d.triple() + ".linker", d.linker()
	case 8, 9, 10:
		return `target."` + strings.ReplaceAll("cfg("+d.condition()+")", `"`, `\"`) + `".rustflags`, d.list()
	case 11, 12:
		return `target."` + strings.ReplaceAll("cfg("+d.condition()+")", `"`, `\"`) + `".linker`, d.linker()
	case 13:
		return "build.target", d.one("'"+drawnOther+"'", "'"+drawnHost+"'", "'host-tuple'", "['"+drawnOther+"']", "['"+drawnHost+"', '"+drawnOther+"']", "'"+drawnDots+"'", "'my.json'", "''", "3", "[]", "' "+drawnOther+"'")
	case 14:
		return "build.rustc", d.one("'"+d.nightly+"'", "'nosuch'", "'tools/rustc'")
	case 15:
		return d.one("build.jobs", "build.incremental", "build.target-dir", "build.pipelining", "build.unknown", "build.rustdocflags", "build.rustc-wrapper"), d.one("2", "true", "'x'", "['x']", "''")
	case 16:
		return "env." + d.one("RUSTC_BOOTSTRAP", "X_DRAWN", "CARGO_HOME"), d.one("'1'", "{value = '1', force = true}", "{value = 'a', relative = true}", "3", "{force = true}", "'-1'")
	case 17, 18:
		return "unstable." + d.one("json-target-spec", "profile-rustflags", "target-applies-to-host", "host-config", "advanced-env", "unknown"), d.one("true", "true", "true", "false", "'true'")
	case 19:
		return "profile.dev.rustflags", d.list()
	case 20:
		return "target." + d.triple() + ".drawn.rustc-link-arg", d.list()
	case 21:
		return d.one("target.x.runner", "target."+drawnHost+".runner", "target.x.foo", "target.x", "host.rustflags", "target-applies-to-host"), d.one("'x'", "['x']", "3", "false", d.list())
	case 22:
		return "target." + d.triple() + "." + d.one("drawn.rustc-cfg", "other.rustc-link-arg", "drawn.rustc-link-arg-bins", "drawn.rustc-link-lib", "rustdocflags"), d.list()
	}
	return "term.x" + fmt.Sprint(d.IntN(100)), d.one("1.5", "07:32:00", "'x'", "2", "'x'", "'x'")
}

// config draws a file. Its keys differ, else it would be no TOML.
func (d *cargoDraw) config(include bool) string {
	var b strings.Builder
	if d.chance(20) {
		b.WriteString("\ufeff")
	}
	if include && d.chance(3) {
		b.WriteString("include = " + d.one("['more.toml']", "['more.toml']", "['sub/more.toml', 'more.toml']", "[{path = 'none.toml', optional = true}]", "['none.toml']",
			"'more.toml'", "['more']", "['sub/../more.toml', 'more.toml']", "[{path = 'more.toml', optional = 3}]", "[{}]", "['more.toml', 'more.toml']", "['m*.toml']", "[{path = 'more.toml', optional = true}]") + "\n")
	}
	seen := map[string]bool{}
	for range d.IntN(5) {
		key, value := d.setting()
		// A key that has a value cannot be a table too.
		if short := strings.Join(strings.SplitN(key, ".", 3)[:2], "."); seen[key] || seen[short] && strings.Count(key, ".") == 1 || short == "target.x" && seen[short] {
			continue
		} else {
			seen[key], seen[short] = true, true
		}
		b.WriteString(key + " = " + value + d.one("\n", "\n", "\n", " # comment\n", "\r\n"))
	}
	return b.String()
}

// variable draws one of the environment.
func (d *cargoDraw) variable() string {
	flags := d.flag() + d.one(" ", "\t", "  ", "\n", " ", " ") + d.flag()
	switch d.IntN(16) {
	case 0, 1:
		return "RUSTFLAGS=" + d.one(flags, flags, flags, "", " ", flags+"\xff")
	case 2:
		return "CARGO_ENCODED_RUSTFLAGS=" + d.one(d.flag()+"\x1f"+d.flag(), d.flag()+"\x1f"+d.flag(), d.flag(), "", d.flag()+"\x1f", "\xff")
	case 3, 4:
		return "CARGO_BUILD_RUSTFLAGS=" + flags
	case 5, 6:
		return "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=" + d.one(flags, flags, "['"+d.flag()+"']", "\xff")
	case 7:
		return "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=" + d.one("envcc", "bin/cc", "", "/opt/envcc")
	case 8:
		return "CARGO_TARGET_" + d.one("THUMBV8M_MAIN_NONE_EABIHF", "AARCH64_UNKNOWN_LINUX_GNU", "MY", "x86_64_unknown_linux_gnu") + "_" + d.one("LINKER=dotcc", "RUSTFLAGS="+flags)
	case 9:
		return "CARGO_BUILD_TARGET=" + d.one(drawnOther, drawnHost, "host-tuple", "", "my.json", "3", drawnHost+" "+drawnOther, drawnDots)
	case 10:
		return d.one("RUSTC", "CARGO_BUILD_RUSTC") + "=" + d.one(d.nightly, d.nightly, "nosuch", "")
	case 11:
		return "RUSTC_BOOTSTRAP=" + d.one("1", "1", "-1", "probe", "0")
	case 12, 13:
		return "CARGO_UNSTABLE_" + d.one("JSON_TARGET_SPEC", "PROFILE_RUSTFLAGS", "ADVANCED_ENV") + "=" + d.one("true", "true", "true", "yes")
	case 14:
		return "CARGO_PROFILE_DEV_RUSTFLAGS=" + flags
	}
	return d.one("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER_X=1", "CARGO_BUILD_TARGET_DIR=/tmp/x-none", "CARGO_BUILD_JOBS=2", "CARGO_BUILD_JOBS=x", "CARGO_ENV_RUSTC_BOOTSTRAP=1", "CARGO_TARGET=x", "CARGO_BUILD_RUSTC_WRAPPER=")
}

// next draws a case in d.dir.
func (d *cargoDraw) next() cargoCase {
	d.n = 0
	c := cargoCase{files: map[string]string{}}
	manifest := "[package]\nname = \"probe\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"
	if d.chance(4) {
		manifest += "links = \"drawn\"\n"
		c.files["ws/p/build.rs"] = "fn main() {}\n"
	}
	if d.chance(12) {
		manifest = "cargo-features = [\"profile-rustflags\"]\n" + manifest + "[profile.dev]\nrustflags = ['" + d.flag() + "']\n"
	}
	if d.chance(4) {
		c.files["ws/Cargo.toml"] = "[workspace]\nmembers = [\"p\"]\n"
	} else {
		manifest += "[workspace]\n"
	}
	c.files["ws/p/Cargo.toml"] = manifest
	c.files["ws/p/src/main.rs"] = "fn main() {}\n"
	c.files["ws/p/.cargo/config.toml"] = d.config(true)
	c.files["ws/p/.cargo/more.toml"] = d.config(d.chance(6))
	c.files["ws/p/.cargo/sub/more.toml"] = d.config(false)
	for _, name := range []string{"ws/p/.cargo/config", "ws/.cargo/config.toml", "home/config.toml", ".cargo/config.toml", "home/config", "ws/p/src/.cargo/config.toml", "ws/p/extra.toml"} {
		if d.chance(4) {
			c.files[name] = d.config(d.chance(3))
		}
	}
	for range d.IntN(3) {
		c.env = append(c.env, d.variable())
	}
	if d.chance(4) {
		key, value := d.setting()
		c.config = append(c.config, d.one(key+"="+value, key+" = "+value, "extra.toml", key+"="+value+" # comment", "none.toml", "include=['.cargo/more.toml']", ""))
	}
	if d.chance(4) {
		c.target = d.one(drawnOther, drawnHost, drawnDots, "my.json", "host-tuple", "sub/my.json")
	}
	if d.chance(5) {
		c.args = []string{d.flag(), d.flag()}
	}
	if d.chance(5) {
		c.dir = "src"
	}
	return c
}
