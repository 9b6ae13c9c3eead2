package targets

import (
	"slices"
	"strconv"
	"strings"
)

// CodegenOptions is what the -C and -Z options of a command line add up to,
// as far as they bear on linking. The zero value is that of no options.
type CodegenOptions struct {
	Linker            string // -Clinker; see LinkerGiven
	LinkerGiven       bool
	LinkerFlavor      FlavorOption
	LinkerFeatures    LinkerFeatures
	LinkSelfContained LinkSelfContained
	LinkArgs          []string // -Clink-arg and -Clink-args
	PreLinkArgs       []string // -Zpre-link-arg and -Zpre-link-args
	CrtStatic         Tristate // from -Ctarget-feature
	TargetCPU         string
	NoLink            bool // -Zno-link, -Zno-codegen, -Zparse-crate-root-only
	optLevel          string
	lto               bool // fat or thin
	noBitcode         bool // -Cembed-bitcode=no
	noUnits           bool // -Ccodegen-units=0
	defaultLibraries  bool // -Cdefault-linker-libraries
	preferDynamic     bool
}

// ParseCodegenOptions reads -C options in order. The error is the
// [*Diagnostic] of rustc for the first one that is wrong.
func ParseCodegenOptions(options []Option) (CodegenOptions, error) {
	var c CodegenOptions
	if d := c.applyAll(options, false); d != nil {
		return CodegenOptions{}, d
	}
	return c, nil
}

// applyAll reads -C options in order. removed says that the release refuses
// the options of removedOptions.
func (c *CodegenOptions) applyAll(options []Option, removed bool) *Diagnostic {
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

func (c *CodegenOptions) apply(g optionGroup, row optionRow, o Option) *Diagnostic {
	if !o.HasValue && row.needsValue {
		return errMissingValue(g, o.Key, row.want)
	}
	if !row.take(c, o.Value, o.HasValue) {
		return errBadValue(g, o.Key, o.Value, row.want)
	}
	return nil
}

// applyUnstable reads the -Z options this package knows. Others are taken to
// be right: there are over two hundred and none of them bears on linking.
func (c *CodegenOptions) applyUnstable(options []Option) *Diagnostic {
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
	take       func(c *CodegenOptions, value string, given bool) bool
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
	"default-linker-libraries":  booleanTo(func(c *CodegenOptions) *bool { return &c.defaultLibraries }),
	"dlltool":                   path(ignore),
	"dwarf-version":             number(),
	"embed-bitcode":             {boolean().want, false, takeBitcode},
	"extra-filename":            text(ignore),
	"force-frame-pointers":      {"one of `true`/`yes`/`on`, `false`/`no`/`off`, or (with -Zunstable-options) `non-leaf` or `always`", false, oneOf(booleans("always", "non-leaf")...)},
	"force-unwind-tables":       boolean(),
	"help":                      noValue(func(c *CodegenOptions, _ string) { c.NoLink = true }),
	"incremental":               text(ignore),
	"inline-threshold":          number(),
	"instrument-coverage":       boolean(),
	"jump-tables":               boolean(),
	"link-arg":                  text(func(c *CodegenOptions, v string) { c.LinkArgs = append(c.LinkArgs, v) }),
	"link-args":                 words(func(c *CodegenOptions, v string) { c.LinkArgs = append(c.LinkArgs, strings.Fields(v)...) }),
	"link-dead-code":            boolean(),
	"link-self-contained":       {"one of: `y`, `yes`, `on`, `n`, `no`, `off`, or a list of enabled (`+` prefix) and disabled (`-` prefix) components: `crto`, `libc`, `unwind`, `linker`, `sanitizers`, `mingw`", false, takeLinkSelfContained},
	"linker":                    path(func(c *CodegenOptions, v string) { c.Linker, c.LinkerGiven = v, true }),
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
	"opt-level":                 text(func(c *CodegenOptions, v string) { c.optLevel = v }),
	"overflow-checks":           boolean(),
	"panic":                     {"either `unwind`, `abort`, or `immediate-abort`", true, oneOf("unwind", "abort", "immediate-abort")},
	"passes":                    words(ignore),
	"prefer-dynamic":            booleanTo(func(c *CodegenOptions) *bool { return &c.preferDynamic }),
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
	"target-cpu":                text(func(c *CodegenOptions, v string) { c.TargetCPU = v }),
	"target-feature":            text(takeTargetFeature),
	"unsafe-allow-abi-mismatch": {"a comma-separated list of strings", true, accept(ignore)},
}

// removedOptions did nothing in 1.95 and are errors in 1.97, with a hint.
// Which of the two 1.96 does is not known here; it is taken for the former.
var removedOptions = map[string]string{
	"ar":               "",
	"inline-threshold": " (consider using `-Cllvm-args=--inline-threshold=...`)",
	"no-stack-check":   "",
	"soft-float":       " (use a corresponding *eabi target instead)",
}

var removedSince = Release{major: 1, minor: 97, pre: "dev"}

// unstableOptions are the few -Z options that bear on linking.
var unstableOptions = map[string]optionRow{
	"help":                  noValue(func(c *CodegenOptions, _ string) { c.NoLink = true }),
	"no-codegen":            noValue(func(c *CodegenOptions, _ string) { c.NoLink = true }),
	"no-link":               noValue(func(c *CodegenOptions, _ string) { c.NoLink = true }),
	"parse-crate-root-only": booleanTo(func(c *CodegenOptions) *bool { return &c.NoLink }),
	"pre-link-arg":          text(func(c *CodegenOptions, v string) { c.PreLinkArgs = append(c.PreLinkArgs, v) }),
	"pre-link-args":         words(func(c *CodegenOptions, v string) { c.PreLinkArgs = append(c.PreLinkArgs, strings.Fields(v)...) }),
	"unstable-options":      noValue(ignore),
}

type take = func(c *CodegenOptions, value string, given bool) bool

func ignore(*CodegenOptions, string) {}

func accept(store func(*CodegenOptions, string)) take {
	return func(c *CodegenOptions, v string, _ bool) bool { store(c, v); return true }
}

func text(store func(*CodegenOptions, string)) optionRow {
	return optionRow{"a string", true, accept(store)}
}

func path(store func(*CodegenOptions, string)) optionRow {
	return optionRow{"a path", true, accept(store)}
}

func words(store func(*CodegenOptions, string)) optionRow {
	return optionRow{"a space-separated list of strings", true, accept(store)}
}

func anything() optionRow { return optionRow{take: accept(ignore)} }

func number() optionRow {
	return optionRow{"a number", true, func(_ *CodegenOptions, v string, _ bool) bool {
		_, err := strconv.ParseUint(strings.TrimPrefix(v, "+"), 10, 64)
		return err == nil
	}}
}

func boolean() optionRow {
	return optionRow{"one of: `y`, `yes`, `on`, `true`, `n`, `no`, `off` or `false`", false, oneOf(booleans()...)}
}

// booleanTo stores the value too.
func booleanTo(field func(*CodegenOptions) *bool) optionRow {
	row := boolean()
	check := row.take
	row.take = func(c *CodegenOptions, v string, given bool) bool {
		*field(c) = !slices.Contains(noWords, v)
		return check(c, v, given)
	}
	return row
}

func booleans(more ...string) []string {
	return append([]string{"y", "yes", "on", "true", "n", "no", "off", "false"}, more...)
}

func noValue(store func(*CodegenOptions, string)) optionRow {
	return optionRow{"no value", false, func(c *CodegenOptions, v string, given bool) bool {
		store(c, v)
		return !given
	}}
}

// oneOf also takes the option without a value: rows that need one say so.
func oneOf(values ...string) take {
	return func(_ *CodegenOptions, v string, given bool) bool { return !given || slices.Contains(values, v) }
}

func takeLinkSelfContained(c *CodegenOptions, v string, given bool) (ok bool) {
	if !given {
		v = "y"
	}
	c.LinkSelfContained, ok = c.LinkSelfContained.with(v)
	return ok
}

func takeLinkerFeatures(c *CodegenOptions, v string, _ bool) (ok bool) {
	c.LinkerFeatures, ok = c.LinkerFeatures.with(v)
	return ok
}

func takeLinkerFlavor(c *CodegenOptions, v string, _ bool) (ok bool) {
	c.LinkerFlavor, ok = ParseFlavorOption(v)
	return ok
}

// takeTargetFeature reads ±crt-static. Over all values of the option, which
// rustc joins, + wins over - (Session::crt_static).
func takeTargetFeature(c *CodegenOptions, v string) {
	for item := range strings.SplitSeq(v, ",") {
		switch {
		case item == "+crt-static":
			c.CrtStatic = Yes
		case item == "-crt-static" && c.CrtStatic == Unknown:
			c.CrtStatic = No
		}
	}
}

func takeUnits(c *CodegenOptions, v string, _ bool) bool {
	n, err := strconv.ParseUint(strings.TrimPrefix(v, "+"), 10, 64)
	c.noUnits = n == 0
	return err == nil
}

func takeBitcode(c *CodegenOptions, v string, given bool) bool {
	c.noBitcode = slices.Contains(noWords, v)
	return oneOf(booleans()...)(c, v, given)
}

func takeLTO(c *CodegenOptions, v string, given bool) bool {
	c.lto = !slices.Contains(noWords, v)
	return oneOf(booleans("thin", "fat")...)(c, v, given)
}

// noWords are what rustc reads as no. An option without a value is a yes.
var noWords = []string{"n", "no", "off", "false"}
