package oracle_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/oracle"
)

// TestMessages compares whole messages, every line of them, with the
// compilers': the sampled cases compare only first lines.
func TestMessages(t *testing.T) {
	for _, channel := range []string{"stable", "nightly"} {
		t.Run(channel, func(t *testing.T) {
			tc := oracle.Open(t, channel)
			for rule, c := range messageCases {
				t.Run(rule, func(t *testing.T) {
					if channel == "stable" && c.Unstable {
						one := "1"
						c.Bootstrap = &one
					} else if rule == "nightly-only" {
						locked := "-1"
						c.Bootstrap = &locked
					}
					want, err := tc.Record(t.Context(), c)
					if err != nil {
						t.Fatal(err)
					}
					got := tc.Decide(t, c)
					if got.Rule.String() != rule {
						t.Errorf("got rule %s", got.Rule)
					}
					if diff := cmp.Diff(lines(want.Stderr), append([]string{got.Error}, got.Notes...)); diff != "" {
						t.Errorf("%s %q (-compiler +model)\n%s", c.Target, c.Flags, diff)
					}
				})
			}
		})
	}
}

var messageCases = map[string]oracle.Case{
	"usage":                  {Target: "x86_64-unknown-linux-gnu", Flags: []string{"--frobnicate"}, Sysroot: "normal"},
	"nightly-only":           {Target: "x86_64-unknown-linux-gnu", Flags: []string{"-Zno-link"}, Sysroot: "normal"},
	"bad-value":              {Target: "x86_64-unknown-linux-gnu", Flags: []string{"-Clinker-flavor=lld"}, Sysroot: "normal"},
	"unstable-on-target":     {Target: "aarch64-unknown-linux-gnu", Flags: []string{"-Clinker-features=-lld"}, Sysroot: "normal"},
	"unstable-value":         {Target: "x86_64-unknown-linux-gnu", Flags: []string{"-Clinker-flavor=gnu-cc"}, Sysroot: "normal"},
	"conflict":               {Target: "x86_64-unknown-linux-gnu", Flags: []string{"-Clink-self-contained=+mingw,-mingw,-crto,+crto"}, Unstable: true, Sysroot: "normal"},
	"incompatible-flavor":    {Target: "wasm32-unknown-unknown", Flags: []string{"-Clinker-flavor=em"}, Sysroot: "normal"},
	"needs-cpu":              {Target: "avr-none", Flags: []string{}, Sysroot: "normal"},
	"self-contained-refused": {Target: "x86_64-unknown-freebsd", Flags: []string{"-Clink-self-contained=n"}, Sysroot: "normal"},
	"gcc-ld-missing":         {Target: "x86_64-unknown-linux-gnu", Flags: []string{}, Sysroot: "nogccld"},
	"linker-missing":         {Target: "x86_64-unknown-linux-gnu", Flags: []string{"-Clinker=/nonexistent/cc"}, Sysroot: "normal"},
}

func lines(stderr string) []string {
	var out []string
	for line := range strings.Lines(stderr) {
		if line = strings.TrimRight(line, " \n"); line != "" && line != "  |" {
			out = append(out, line)
		}
	}
	return out
}
