package targets_test

import (
	"slices"
	"strings"
	"testing"

	"x.go/targets"
)

func TestParseRelease(t *testing.T) {
	for _, tt := range []struct{ in, want, channel string }{
		{"1.95.0", "1.95.0", "stable"},
		{"1.95", "1.95.0", "stable"},
		{"1.97.0-nightly", "1.97.0-nightly", "nightly"},
		{"1.96.0-beta.3", "1.96.0-beta.3", "beta"},
		{"1.96.0-beta", "1.96.0-beta", "beta"},
		{"1.98.0-dev", "1.98.0-dev", "dev"},
	} {
		r, err := targets.ParseRelease(tt.in)
		if err != nil || r.String() != tt.want || r.Channel() != tt.channel {
			t.Errorf("ParseRelease(%q): got %q on %q, %v, want %q on %q", tt.in, r, r.Channel(), err, tt.want, tt.channel)
		}
	}
	for _, in := range []string{"", "1", "1.2.3.4", "1.95.0 (59807616e)", "1.95.0-", "1.95.0-alpha", "1.95.0-beta.", "1.95.0-beta.x", "v1.95.0", "1.095.0", "1.-1.0", "0.1.0", "1.95.99999", "nightly"} {
		if r, err := targets.ParseRelease(in); err == nil {
			t.Errorf("ParseRelease(%q): got %s, want an error", in, r)
		} else if !strings.Contains(err.Error(), "parsing release") {
			t.Errorf("ParseRelease(%q): error %q does not say what was done", in, err)
		}
	}
}

func TestReleaseOrder(t *testing.T) {
	want := []string{"1.94.1", "1.95.0-dev", "1.95.0-nightly", "1.95.0-beta", "1.95.0-beta.1", "1.95.0-beta.12", "1.95.0", "1.95.1", "1.100.0-nightly"}
	var got []targets.Release
	for _, s := range slices.Backward(want) {
		got = append(got, release(s))
	}
	slices.SortFunc(got, targets.Release.Compare)
	for i, s := range want {
		if got[i].String() != s {
			t.Errorf("place %d: got %s, want %s", i, got[i], s)
		}
	}
}

func FuzzRelease(f *testing.F) {
	f.Add("1.95.0")
	f.Add("1.96.0-beta.3")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := targets.ParseRelease(s)
		if err != nil {
			return
		}
		again, err := targets.ParseRelease(r.String())
		if err != nil || again != r {
			t.Errorf("%q prints as %q, which reads as %v, %v", s, r, again, err)
		}
	})
}
