package config

import (
	"fmt"
	"slices"
	"strings"
)

// valueRule refuses values of keys that have the right type.
type valueRule struct {
	keys []string
	// since is the first release with the rule, until the first one without it; 0
	// means no limit.
	since, until Minor
	refuse       func(v any) (msg, hint string)
}

// ChangeIDIgnore is the first release that takes change-id = "ignore" (#138986).
const ChangeIDIgnore Minor = 88

// valueRules are upstream's (`src/bootstrap/src/core/config`), with its own words.
var valueRules = []valueRule{
	{keys: []string{"change-id"}, until: ChangeIDIgnore, refuse: func(v any) (string, string) {
		return when(v.(ChangeID).Ignore, `invalid type: string "ignore", expected usize`, "write a number, or remove the key")
	}},
	{keys: []string{"build.optimized-compiler-builtins", "target.*.optimized-compiler-builtins"}, until: 91, refuse: func(v any) (string, string) { // #143689
		return when(v.(StringOrBool).Text != "", "got a string, want a boolean before 1.91", "write true or false")
	}},
	{keys: []string{"rust.use-lld"}, until: 77, refuse: func(v any) (string, string) { // #116278
		return when(v.(LLDMode) == LLDModeSelfContained, "got a string, want a boolean before 1.77", "write true or false")
	}},
	{keys: []string{"llvm.download-ci-llvm"}, since: 76, refuse: func(v any) (string, string) { // #117813
		return when(v.(StringOrBool).Text == "if-available", `unrecognized option for download-ci-llvm: "if-available"`, `write "if-unchanged", which replaced it`)
	}},
	{keys: []string{"build.build-dir"}, refuse: func(v any) (string, string) {
		return when(v.(string) == "", "cannot make an empty path absolute", "name a directory, or remove the key")
	}},
	{keys: backendKeys, refuse: func(v any) (string, string) { return prefixedBackend(v.([]string)) }},
	{keys: backendKeys, since: 91, refuse: func(v any) (string, string) { // #145887
		return when(len(v.([]string)) == 0, "codegen-backends should not be set to `[]`", `write ["llvm"], or remove the key`)
	}},
}

var backendKeys = []string{"rust.codegen-backends", "target.*.codegen-backends"}

// KnownBackends are upstream's BUILTIN_CODEGEN_BACKENDS.
var KnownBackends = []string{"llvm", "cranelift", "gcc"}

func when(bad bool, msg, hint string) (string, string) {
	if bad {
		return msg, hint
	}
	return "", ""
}

// refused returns why a release refuses a value, and the remedy; "" if it takes it.
func refused(k Key, v any, m Minor) (msg, hint string) {
	id := k.ID()
	for _, r := range valueRules {
		if m < r.since || r.until > 0 && m >= r.until || !slices.Contains(r.keys, id) {
			continue
		}
		if msg, hint := r.refuse(v); msg != "" {
			return msg, hint
		}
	}
	return "", ""
}

func prefixedBackend(backends []string) (msg, hint string) {
	const prefix = "rustc_codegen_"
	for _, b := range backends {
		if name, ok := strings.CutPrefix(b, prefix); ok {
			return fmt.Sprintf("Invalid value '%s': codegen backends are defined without the '%s' prefix", b, prefix), fmt.Sprintf("write %q", name)
		}
	}
	return "", ""
}
