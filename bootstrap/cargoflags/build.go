package cargoflags

import (
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
)

// Program is one that cargo starts, and what named it. Path has no slash for a
// program on PATH; it is "" where nothing named one.
type Program struct{ Path, Origin string }

// Rustc returns the compiler that RUSTC or build.rustc names.
func (c *Config) Rustc() (Program, error) { return c.tool("RUSTC", "rustc") }

// Wrappers returns the programs that cargo starts with the compiler's command line
// as their arguments: those of RUSTC_WRAPPER and RUSTC_WORKSPACE_WRAPPER, or of
// their keys in [build].
func (c *Config) Wrappers() ([]Program, error) {
	var out []Program
	for _, tool := range [][2]string{{"RUSTC_WRAPPER", "rustc-wrapper"}, {"RUSTC_WORKSPACE_WRAPPER", "rustc-workspace-wrapper"}} {
		p, err := c.tool(tool[0], tool[1])
		if err != nil {
			return nil, err
		}
		if p.Path != "" {
			out = append(out, p)
		}
	}
	return out, nil
}

// Wrapper returns the one of RUSTC_WRAPPER alone.
func (c *Config) Wrapper() (Program, error) { return c.tool("RUSTC_WRAPPER", "rustc-wrapper") }

// tool is GlobalContext::maybe_get_tool. An empty variable stands for no wrapper.
func (c *Config) tool(env, name string) (Program, error) {
	s, err := c.text(keyOf("build." + name))
	if err != nil {
		return Program{}, err
	}
	if v, ok := c.lookupenv(env); ok {
		s = setting{v, key{parts: []string{env}, env: env}, definition{rank: inEnvironment}}
	}
	if s.origin() == "" {
		return Program{}, nil
	}
	return Program{s.program(c.src.Dir), s.origin()}, nil
}

// Target is one that cargo builds for. The zero Target is the host where no target
// is named: rustc then gets no --target.
type Target struct {
	Name string // for rustc: a triple, or the absolute path of a target's file
	File bool   // Name is a target's file
	// Origin is what named it: a variable or a key; "" for the question itself.
	Origin string
}

// short is the target's name in configuration: that of its file without .json.
func (t Target) short() string {
	if t.File {
		return strings.TrimSuffix(filepath.Base(t.Name), filepath.Ext(t.Name))
	}
	return t.Name
}

// Targets returns what cargo builds for: asked, which is the value of --target and
// "" where it is not given, else CARGO_BUILD_TARGET, else build.target; sorted and
// each once, as cargo does. None is for the host. host is that of cargo itself.
func (c *Config) Targets(asked, host string) ([]Target, error) {
	named := []Target{{Name: asked}}
	if asked == "" {
		var err error
		if named, err = c.buildTarget(); err != nil {
			return nil, err
		}
		if named != nil && len(named) == 0 {
			return nil, failure("build.target is an empty list: cargo builds nothing")
		}
	}
	var out []Target
	for _, t := range named {
		t, err := c.compileTarget(t, host)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o Target) bool { return o.Name == t.Name }) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Target) int {
		if a.File != b.File {
			return map[bool]int{false: -1, true: 1}[a.File]
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

// compileTarget is CompileTarget::new.
func (c *Config) compileTarget(t Target, host string) (Target, error) {
	if t.Name == "host-tuple" {
		t.Name = host
	}
	if t.Name = strings.TrimSpace(t.Name); t.Name == "" {
		return t, failure("%s: the target is empty", t.Origin)
	}
	if !strings.HasSuffix(t.Name, ".json") {
		return t, nil
	}
	if c.src.Release.Compare(jsonSpecGate) >= 0 && !c.unstable["json-target-spec"] {
		return t, failure("target %q: cargo takes a target's file only with -Zjson-target-spec (unstable.json-target-spec = true, in a nightly cargo)", t.Name)
	}
	path, err := c.src.RealPath(join(c.src.Dir, t.Name))
	if err != nil {
		return t, failure("target %q: %w", t.Name, err)
	}
	return Target{path, true, t.Origin}, nil
}

// buildTarget reads build.target and its variable: BuildTargetConfig. It is nil where
// neither is set.
func (c *Config) buildTarget() ([]Target, error) {
	k := keyOf("build.target")
	v, err := c.find(k)
	if err != nil {
		return nil, err
	}
	env, inEnv := c.lookupenv(k.env)
	if inEnv && (v == nil || v.kind != toml.Array && v.def.rank < inEnvironment) {
		if number(env) {
			return nil, failure("%s: got %q, want a string", k.env, env)
		}
		v = &value{kind: toml.String, text: env, def: definition{rank: inEnvironment}}
	}
	if v == nil {
		return nil, nil
	}
	items := []*value{v}
	switch v.kind {
	case toml.String:
	case toml.Array:
		if items, err = c.withEnv(k, v.items); err != nil {
			return nil, err
		}
	default:
		return nil, v.wrong(k.String(), "a string or a list of strings")
	}
	def := v.def
	if inEnv && def.rank < inEnvironment {
		def = definition{rank: inEnvironment}
	}
	out := []Target{} // set, if to no target
	for _, item := range items {
		if item.kind != toml.String {
			return nil, item.wrong(k.String(), "a string")
		}
		name := item.text
		if strings.HasSuffix(name, ".json") {
			name = join(def.root(c.src.Dir), name)
		}
		out = append(out, Target{Name: name, Origin: k.origin(item.def)})
	}
	return out, nil
}

// number reports whether cargo takes the text of a variable for a number or a
// boolean.
func number(text string) bool {
	if text == "true" || text == "false" {
		return true
	}
	digits := strings.TrimLeft(text, "+-")
	return len(text)-len(digits) <= 1 && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// checkBuild reads the keys of [build] that have no bearing on flags: one of a wrong
// type stops cargo all the same.
func (c *Config) checkBuild() error {
	if _, err := c.tableOf(keyOf("build")); err != nil {
		return err
	}
	for _, name := range []string{"dep-info-basedir", "target-dir", "build-dir", "rustc", "rustdoc", "rustc-wrapper", "rustc-workspace-wrapper", "artifact-dir"} {
		if _, err := c.text(keyOf("build." + name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"pipelining", "incremental", "sbom"} {
		if _, err := c.boolean(keyOf("build." + name)); err != nil {
			return err
		}
	}
	if _, _, err := c.list(keyOf("build.rustdocflags")); err != nil {
		return err
	}
	if err := c.checkJobs(); err != nil {
		return err
	}
	_, err := c.buildTarget()
	return err
}

// checkJobs reads build.jobs: a number other than 0, or "default".
func (c *Config) checkJobs() error {
	k := keyOf("build.jobs")
	v, err := c.find(k)
	if err != nil {
		return err
	}
	if env, ok := c.lookupenv(k.env); ok && (v == nil || v.def.rank < inEnvironment) {
		v = &value{kind: toml.String, text: env}
		if number(env) {
			v.kind = toml.Integer
		}
	}
	if v == nil || v.kind == toml.Integer && v.text != "0" && v.text != "true" && v.text != "false" || v.kind == toml.String && v.text == "default" {
		return nil
	}
	return v.wrong("build.jobs", `a number other than 0, or "default"`)
}

// allowsUnstable reports whether cargo is a nightly one. RUSTC_BOOTSTRAP=1 makes
// every cargo one.
func (c *Config) allowsUnstable() bool {
	bootstrap, _ := c.lookupenv("RUSTC_BOOTSTRAP")
	return c.src.Release.AllowsUnstable() || bootstrap == "1"
}

// readUnstable reads [unstable], which only a nightly cargo does.
func (c *Config) readUnstable() error {
	if !c.allowsUnstable() {
		return nil
	}
	if _, err := c.tableOf(keyOf("unstable")); err != nil {
		return err
	}
	flags := map[string]bool{}
	for _, name := range []string{"advanced-env", "host-config", "json-target-spec", "profile-rustflags", "target-applies-to-host"} {
		on, err := c.boolean(keyOf("unstable." + name))
		if err != nil {
			return err
		}
		flags[name] = on
	}
	if flags["host-config"] && !flags["target-applies-to-host"] {
		return failure("unstable.host-config: cargo wants unstable.target-applies-to-host beside it")
	}
	c.unstable = flags
	return nil
}
