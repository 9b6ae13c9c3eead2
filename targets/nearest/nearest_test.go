package nearest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	words := []string{"static", "sysroot", "link", "channel", "client", "x"}
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"stati", []string{"static"}},
		{"satatic", []string{"static"}},
		{"lnik", []string{"link"}},
		{"nel", []string{"channel"}},
		{"y", []string{}},
		{"", []string{}},
		{"frobnicate", []string{}},
		{strings.Repeat("x", 1000), nil},
	} {
		if diff := cmp.Diff(tt.want, Names(tt.name, words)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.name, diff)
		}
	}
	if got, want := Hint("clinet", words), ": did you mean client?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"abc", "acb", 1}, {"abc", "xabc", 1}, {"kitten", "sitting", 3}} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
