package link

import (
	"strings"
	"testing"

	"x.go/targets"
)

func TestSelfContainedForms(t *testing.T) {
	for _, tt := range []struct {
		flags     string
		conflicts string
		linkerOn  bool
		linkerOff bool
	}{
		{"link-self-contained=y link-self-contained=-linker", "linker", true, true},
		{"link-self-contained=-linker link-self-contained=y", "", true, false},
		{"link-self-contained=+linker link-self-contained=n", "", false, true},
		{"link-self-contained=n link-self-contained=+linker", "linker", true, true},
		{"link-self-contained=+linker,+crto,-crto", "crto", true, false},
		{"link-self-contained", "", true, false},
	} {
		var options []Option
		for f := range strings.FieldsSeq(tt.flags) {
			key, value, ok := strings.Cut(f, "=")
			options = append(options, Option{Key: key, Value: value, HasValue: ok})
		}
		var c linkOptions
		if d := c.applyAll(options, false); d != nil {
			t.Fatal(d)
		}
		s := c.linkSelfContained
		if s.conflicts().String() != tt.conflicts || s.enables(targets.Linker) != tt.linkerOn || s.disables(targets.Linker) != tt.linkerOff {
			t.Errorf("%s: got conflicts %q, linker enabled %v, disabled %v", tt.flags, s.conflicts(), s.enables(targets.Linker), s.disables(targets.Linker))
		}
	}
}
