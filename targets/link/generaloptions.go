package link

import (
	"fmt"
	"slices"
	"strings"
)

// generalOption is an option that does not affect linking, except that a wrong
// value stops rustc before it links.
type generalOption struct {
	name    string
	values  []string
	message string // with %s for the value
}

// earlyOptions are checked before the crate types, in rustc's order
// (parse_color, parse_crate_edition and parse_error_format of rustc_session).
var earlyOptions = []generalOption{
	{"color", []string{"auto", "always", "never"}, "argument for `--color` must be auto, always or never (instead was `%s`)"},
	{"edition", []string{"2015", "2018", "2021", "2024", "future"}, "argument for `--edition` must be one of: <2015|2018|2021|2024|future>. (instead was `%s`)"},
	{"error-format", []string{"human", "human-unicode", "json", "pretty-json", "short"}, "argument for `--error-format` must be `human`, `human-unicode`, `json`, `pretty-json` or `short` (instead was `%s`)"},
}

// capLints is checked after the -Z options. rustc reads the first one.
var capLints = generalOption{"cap-lints", []string{"allow", "warn", "force-warn", "deny", "forbid"}, "unknown lint level: `%s`"}

func (o *generalOption) check(inv *Invocation) *diagnostic {
	for value := range inv.values(o.name) {
		if !slices.Contains(o.values, value) {
			return errUsage(fmt.Sprintf(o.message, value))
		}
		break
	}
	return nil
}

// values yields what a long option among the other ones was given.
func (inv *Invocation) values(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, arg := range inv.Other {
			rest, ok := strings.CutPrefix(arg, "--"+name)
			if value, given := strings.CutPrefix(rest, "="); ok && given && !yield(value) {
				return
			}
		}
	}
}

// Cfgs returns the values of --cfg, in order.
func (inv *Invocation) Cfgs() []string { return slices.Collect(inv.values("cfg")) }

// explains reports whether --explain is given: rustc reads all options, prints
// a text and ends.
func (inv *Invocation) explains() bool {
	for range inv.values("explain") {
		return true
	}
	return false
}

// lintOptions set the level of a lint. Where that is called help, rustc lists
// all lints and ends.
var lintOptions = []string{
	"-Ahelp", "-Whelp", "-Dhelp", "-Fhelp",
	"--allow=help", "--warn=help", "--force-warn=help", "--deny=help", "--forbid=help",
}

func (inv *Invocation) listsLints() bool { return inv.has(lintOptions...) }

// has reports whether one of the arguments is among the other options.
func (inv *Invocation) has(args ...string) bool {
	for _, arg := range inv.Other {
		if slices.Contains(args, arg) {
			return true
		}
	}
	return false
}
