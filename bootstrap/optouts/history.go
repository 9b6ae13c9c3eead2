package optouts

import (
	"fmt"
	"strings"

	"x.go/targets"
)

// history says since when rustc has an option, and until when: where a release does
// not know it, it stops with an error.
type history struct {
	letter, name string
	value        string          // only values with this in them, "" for all
	since, until targets.Release // until: the first release without it, zero for none
	instead      string
}

// histories are the releases in which options came and went.
var histories = []history{
	// rust-lang/rust#123656 as -Z, #140525 as -C
	{letter: "-C", name: "linker-features", since: release("1.90.0-dev"), instead: "before, nightly had -Zlinker-features since 1.79"},
	{letter: "-Z", name: "linker-features", since: release("1.79.0-dev"), until: release("1.90.0-dev"), instead: "-Clinker-features takes its place"},
	// rust-lang/rust#85961, removed by #116514
	{letter: "-Z", name: "gcc-ld", since: release("1.55.0-dev"), until: release("1.75.0-dev"), instead: "-Clinker-features=+lld -Clink-self-contained=+linker take its place"},
	// rust-lang/rust#112910 for single components, #140525 for -linker on stable
	{letter: "-C", name: "link-self-contained", value: "linker", since: release("1.73.0-dev"), instead: "before, it took only y and n"},
	// -Z until it was stabilised, rust-lang/rust#56351
	{letter: "-Z", name: "linker-flavor", since: release("1.20.0-dev"), until: release("1.34.0-dev"), instead: "-Clinker-flavor takes its place"},
	{letter: "-C", name: "linker-flavor", since: release("1.34.0-dev")},
}

func release(text string) targets.Release {
	r, err := targets.ParseRelease(text)
	if err != nil {
		panic(err) // a constant of this file
	}
	return r
}

// lookupHistory finds the row of an argument, and the name of the option as rustc's
// message has it.
func lookupHistory(arg string) (h *history, name string) {
	name, value, _ := strings.Cut(arg, "=")
	for i := range histories {
		if h := &histories[i]; name == h.letter+h.name && strings.Contains(value, h.value) {
			return h, h.name
		}
	}
	return nil, ""
}

// refusal is what a release says that does not know the option, "" where it does.
func (h *history) refusal(r targets.Release, name string) string {
	kind := map[string]string{"-C": "codegen", "-Z": "unstable"}[h.letter]
	switch {
	case r.Compare(h.since) < 0 && h.value != "":
		return fmt.Sprintf("error: incorrect value for %s option `%s`, which has this one since %s%s", kind, name, short(h.since), joined("; ", h.instead))
	case r.Compare(h.since) < 0:
		return fmt.Sprintf("error: unknown %s option: `%s`, which exists since %s%s", kind, name, short(h.since), joined("; ", h.instead))
	case !h.until.IsZero() && r.Compare(h.until) >= 0:
		return fmt.Sprintf("error: unknown %s option: `%s`, which %s removed; %s", kind, name, short(h.until), h.instead)
	}
	return ""
}

// short writes a release as people do: 1.90.
func short(r targets.Release) string {
	s, _, _ := strings.Cut(r.String(), ".0-")
	return s
}

func joined(sep, text string) string {
	if text == "" {
		return ""
	}
	return sep + text
}

// toolchainKeys are the keys of bootstrap.toml that bear on LLD, and what they do.
var toolchainKeys = map[string]string{
	"rust.lld":                               "whether the toolchain ships rust-lld; false also keeps its compiler from linking with LLD by default",
	"rust.use-lld":                           "which linker builds the compiler itself; the key is rust.bootstrap-override-lld now",
	"rust.bootstrap-override-lld":            "which LLD links the compiler itself while it is built; it does not change what the finished compiler links with",
	"rust.default-linker":                    "the linker that the finished compiler runs by default",
	"target.*.linker":                        "the linker of this target while Rust is built",
	"target.*.default-linker-linux-override": "whether a compiler hosted here links with LLD by default: \"off\" or \"self-contained-lld-cc\"",
	"target.*.default-linker":                "the linker that the finished compiler runs by default for this target",
}

func toolchainEffect(o *found) string { return toolchainKeys[o.key] }
