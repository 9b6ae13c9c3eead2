package link

import (
	"slices"
	"strconv"
	"strings"

	"x.go/targets"
)

// linkOptions is what the -C and -Z options of a command line add up to, as far
// as they affect linking. The zero value is that of no options.
type linkOptions struct {
	linker            string // -Clinker; see linkerGiven
	linkerGiven       bool
	linkerFlavor      flavorOption
	linkerFeatures    linkerFeatures
	linkSelfContained linkSelfContained
	linkArgs          []string         // -Clink-arg and -Clink-args
	preLinkArgs       []string         // -Zpre-link-arg and -Zpre-link-args
	crtStatic         targets.Tristate // from -Ctarget-feature
	targetCPU         string
	noLink            bool // -Zno-link, -Zno-codegen, -Zparse-crate-root-only
	optLevel          string
	lto               bool // fat or thin
	noBitcode         bool // -Cembed-bitcode=no
	noUnits           bool // -Ccodegen-units=0
	defaultLibraries  bool // -Cdefault-linker-libraries
	preferDynamic     bool
}

// applyAll reads -C options in order. removed says that the release refuses
// the options of removedOptions.
func (c *linkOptions) applyAll(options []Option, removed bool) *diagnostic {
	for _, o := range options {
		key := dashed(o.Key)
		row, ok := codegenOptions[key]
		if !ok {
			return errUnknownOption(groupCodegen, o.Key)
		}
		if removed {
			if hint, ok := removedOptions[key]; ok {
				return errRemovedOption(o.Key, hint)
			}
		}
		if d := c.apply(groupCodegen, row, o); d != nil {
			return d
		}
	}
	return nil
}

// dashed writes a key with dashes. rustc takes underscores too.
func dashed(key string) string { return strings.ReplaceAll(key, "_", "-") }

func (c *linkOptions) apply(g optionGroup, row optionRow, o Option) *diagnostic {
	if !o.HasValue && row.needsValue {
		return errMissingValue(g, o.Key, row.want)
	}
	if !row.take(c, o.Value, o.HasValue) {
		return errBadValue(g, o.Key, o.Value, row.want)
	}
	return nil
}

// applyUnstable reads the -Z options that this package knows. It takes others to
// be right: there are over two hundred, and none of them affects linking.
func (c *linkOptions) applyUnstable(options []Option) *diagnostic {
	for _, o := range options {
		row, ok := unstableOptions[dashed(o.Key)]
		if !ok {
			continue
		}
		if d := c.apply(groupUnstable, row, o); d != nil {
			return d
		}
	}
	return nil
}

// optionRow says how one option is read: take stores a value or refuses it,
// want is how rustc's message describes the right ones.
type optionRow struct {
	want       string
	needsValue bool
	take       func(c *linkOptions, value string, given bool) bool
}

// codegenOptions are the -C options of rustc 1.95 and 1.97 (`rustc -C help`).
var codegenOptions = map[string]optionRow{
	"ar":                        text(ignore),
	"code-model":                {"one of supported code models (`rustc --print code-models`)", true, oneOf("tiny", "small", "kernel", "medium", "large")},
	"codegen-units":             {"a number", true, takeUnits},
	"collapse-macro-debuginfo":  {"one of `no`, `external`, or `yes`", true, oneOf("no", "n", "off", "false", "external", "yes", "y", "on", "true")},
	"control-flow-guard":        {"either a boolean (`yes`, `no`, `on`, `off`, etc), `checks`, or `nochecks`", false, oneOf(booleans("checks", "nochecks")...)},
	"debug-assertions":          boolean(),
	"debuginfo":                 {"either an integer (0, 1, 2), `none`, `line-directives-only`, `line-tables-only`, `limited`, or `full`", true, oneOf("0", "none", "line-directives-only", "line-tables-only", "1", "limited", "2", "full")},
	"default-linker-libraries":  booleanTo(func(c *linkOptions) *bool { return &c.defaultLibraries }),
	"dlltool":                   path(ignore),
	"dwarf-version":             number(),
	"embed-bitcode":             {boolean().want, false, takeBitcode},
	"extra-filename":            text(ignore),
	"force-frame-pointers":      {"one of `true`/`yes`/`on`, `false`/`no`/`off`, or (with -Zunstable-options) `non-leaf` or `always`", false, oneOf(booleans("always", "non-leaf")...)},
	"force-unwind-tables":       boolean(),
	"help":                      noValue(func(c *linkOptions, _ string) { c.noLink = true }),
	"incremental":               text(ignore),
	"inline-threshold":          number(),
	"instrument-coverage":       boolean(),
	"jump-tables":               boolean(),
	"link-arg":                  text(func(c *linkOptions, v string) { c.linkArgs = append(c.linkArgs, v) }),
	"link-args":                 words(func(c *linkOptions, v string) { c.linkArgs = append(c.linkArgs, strings.Fields(v)...) }),
	"link-dead-code":            boolean(),
	"link-self-contained":       {"one of: `y`, `yes`, `on`, `n`, `no`, `off`, or a list of enabled (`+` prefix) and disabled (`-` prefix) components: `crto`, `libc`, `unwind`, `linker`, `sanitizers`, `mingw`", false, takeLinkSelfContained},
	"linker":                    path(func(c *linkOptions, v string) { c.linker, c.linkerGiven = v, true }),
	"linker-features":           {"a list of enabled (`+` prefix) and disabled (`-` prefix) features: `lld`", true, takeLinkerFeatures},
	"linker-flavor":             {"one of: " + flavorListing(), true, takeLinkerFlavor},
	"linker-plugin-lto":         anything(),
	"llvm-args":                 words(ignore),
	"lto":                       {"either a boolean (`yes`, `no`, `on`, `off`, etc), `thin`, `fat`, or omitted", false, takeLTO},
	"metadata":                  words(ignore),
	"no-prepopulate-passes":     noValue(ignore),
	"no-redzone":                boolean(),
	"no-stack-check":            noValue(ignore),
	"no-vectorize-loops":        noValue(ignore),
	"no-vectorize-slp":          noValue(ignore),
	"opt-level":                 text(func(c *linkOptions, v string) { c.optLevel = v }),
	"overflow-checks":           boolean(),
	"panic":                     {"either `unwind`, `abort`, or `immediate-abort`", true, oneOf("unwind", "abort", "immediate-abort")},
	"passes":                    words(ignore),
	"prefer-dynamic":            booleanTo(func(c *linkOptions) *bool { return &c.preferDynamic }),
	"profile-generate":          anything(),
	"profile-use":               path(ignore),
	"relocation-model":          {"one of supported relocation models (`rustc --print relocation-models`)", true, oneOf("static", "pic", "pie", "dynamic-no-pic", "ropi", "rwpi", "ropi-rwpi", "default")},
	"relro-level":               {"one of: `full`, `partial`, or `off`", true, oneOf("full", "partial", "off")},
	"remark":                    {"a space-separated list of passes, or `all`", true, accept(ignore)},
	"rpath":                     boolean(),
	"save-temps":                boolean(),
	"soft-float":                boolean(),
	"split-debuginfo":           {"one of supported split-debuginfo modes (`off`, `packed`, or `unpacked`)", true, oneOf("off", "packed", "unpacked")},
	"strip":                     {"either `none`, `debuginfo`, or `symbols`", true, oneOf("none", "debuginfo", "symbols")},
	"symbol-mangling-version":   {"one of: `legacy`, `v0` (RFC 2603), or `hashed`", true, oneOf("legacy", "v0", "hashed")},
	"target-cpu":                text(func(c *linkOptions, v string) { c.targetCPU = v }),
	"target-feature":            text(takeTargetFeature),
	"unsafe-allow-abi-mismatch": {"a comma-separated list of strings", true, accept(ignore)},
}

// removedOptions did nothing in 1.95 and are errors in 1.97, with a hint. What
// 1.96 does is not known here; it counts as 1.95.
var removedOptions = map[string]string{
	"ar":               "",
	"inline-threshold": " (consider using `-Cllvm-args=--inline-threshold=...`)",
	"no-stack-check":   "",
	"soft-float":       " (use a corresponding *eabi target instead)",
}

var removedSince = mustRelease("1.97.0-dev")

func mustRelease(text string) targets.Release {
	r, err := targets.ParseRelease(text)
	if err != nil {
		panic(err) // a constant of this file
	}
	return r
}

// unstableOptions are the few -Z options that affect linking.
var unstableOptions = map[string]optionRow{
	"help":                  noValue(func(c *linkOptions, _ string) { c.noLink = true }),
	"no-codegen":            noValue(func(c *linkOptions, _ string) { c.noLink = true }),
	"no-link":               noValue(func(c *linkOptions, _ string) { c.noLink = true }),
	"parse-crate-root-only": booleanTo(func(c *linkOptions) *bool { return &c.noLink }),
	"pre-link-arg":          text(func(c *linkOptions, v string) { c.preLinkArgs = append(c.preLinkArgs, v) }),
	"pre-link-args":         words(func(c *linkOptions, v string) { c.preLinkArgs = append(c.preLinkArgs, strings.Fields(v)...) }),
	"unstable-options":      noValue(ignore),
}

type take = func(c *linkOptions, value string, given bool) bool

func ignore(*linkOptions, string) {}

func accept(store func(*linkOptions, string)) take {
	return func(c *linkOptions, v string, _ bool) bool { store(c, v); return true }
}

func text(store func(*linkOptions, string)) optionRow {
	return optionRow{"a string", true, accept(store)}
}

func path(store func(*linkOptions, string)) optionRow {
	return optionRow{"a path", true, accept(store)}
}

func words(store func(*linkOptions, string)) optionRow {
	return optionRow{"a space-separated list of strings", true, accept(store)}
}

func anything() optionRow { return optionRow{take: accept(ignore)} }

func number() optionRow {
	return optionRow{"a number", true, func(_ *linkOptions, v string, _ bool) bool {
		_, err := strconv.ParseUint(strings.TrimPrefix(v, "+"), 10, 64)
		return err == nil
	}}
}

func boolean() optionRow {
	return optionRow{"one of: `y`, `yes`, `on`, `true`, `n`, `no`, `off` or `false`", false, oneOf(booleans()...)}
}

// booleanTo stores the value too.
func booleanTo(field func(*linkOptions) *bool) optionRow {
	row := boolean()
	check := row.take
	row.take = func(c *linkOptions, v string, given bool) bool {
		*field(c) = !slices.Contains(noWords, v)
		return check(c, v, given)
	}
	return row
}

func booleans(more ...string) []string {
	return append([]string{"y", "yes", "on", "true", "n", "no", "off", "false"}, more...)
}

func noValue(store func(*linkOptions, string)) optionRow {
	return optionRow{"no value", false, func(c *linkOptions, v string, given bool) bool {
		store(c, v)
		return !given
	}}
}

// oneOf also takes the option without a value: rows that need one say so.
func oneOf(values ...string) take {
	return func(_ *linkOptions, v string, given bool) bool { return !given || slices.Contains(values, v) }
}

func takeLinkSelfContained(c *linkOptions, v string, given bool) (ok bool) {
	if !given {
		v = "y"
	}
	c.linkSelfContained, ok = c.linkSelfContained.with(v)
	return ok
}

func takeLinkerFeatures(c *linkOptions, v string, _ bool) (ok bool) {
	c.linkerFeatures, ok = c.linkerFeatures.with(v)
	return ok
}

func takeLinkerFlavor(c *linkOptions, v string, _ bool) (ok bool) {
	c.linkerFlavor, ok = parseFlavorOption(v)
	return ok
}

// takeTargetFeature reads ±crt-static. Over all values of the option, which
// rustc joins, + wins over - (Session::crt_static).
func takeTargetFeature(c *linkOptions, v string) {
	for item := range strings.SplitSeq(v, ",") {
		switch {
		case item == "+crt-static":
			c.crtStatic = targets.Yes
		case item == "-crt-static" && c.crtStatic == targets.Unknown:
			c.crtStatic = targets.No
		}
	}
}

func takeUnits(c *linkOptions, v string, _ bool) bool {
	n, err := strconv.ParseUint(strings.TrimPrefix(v, "+"), 10, 64)
	c.noUnits = n == 0
	return err == nil
}

func takeBitcode(c *linkOptions, v string, given bool) bool {
	c.noBitcode = slices.Contains(noWords, v)
	return oneOf(booleans()...)(c, v, given)
}

func takeLTO(c *linkOptions, v string, given bool) bool {
	c.lto = !slices.Contains(noWords, v)
	return oneOf(booleans("thin", "fat")...)(c, v, given)
}

// noWords are what rustc reads as no. An option without a value is a yes.
var noWords = []string{"n", "no", "off", "false"}
