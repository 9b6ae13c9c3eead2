package plot

import "testing"

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0001234: "0.000123", 0.5: "0.5", 1.004: "1", 10.95: "10.9", 99.96: "100", 42188800: "42188800"} {
		if got := Short(v); got != want {
			t.Errorf("%g: got %q, want %q", v, got, want)
		}
	}
}
