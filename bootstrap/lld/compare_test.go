package lld

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/migrate"
)

func TestCompare(t *testing.T) {
	for _, row := range []struct {
		text, from, to string
		want           []Difference
	}{
		{"rust.lld = true\n", "1.89.0", "1.95.0", []Difference{{"default linker on " + linux, "system", "self-contained-lld-cc", `target.x86_64-unknown-linux-gnu.default-linker-linux-override = "off" keeps it`}}},
		{"rust.lld = false\n", "1.89.0", "1.95.0", nil},
		{"profile = 'dist'\n", "1.80.0", "1.89.0", []Difference{{"LLD shipped", "false", "true", "rust.lld = false keeps it"}}},
		{"[rust]\nlld = true\n[llvm]\ndownload-ci-llvm = false\n[target.x86_64-unknown-linux-gnu]\nllvm-config = 'x'\n", "1.85.0", "1.95.0",
			[]Difference{{"configuration", "accepted", "refused: bootstrap.toml:2:1: rust.lld: Cannot enable LLD with `rust.lld = true` when using external llvm-config.; remove rust.lld = true or target.x86_64-unknown-linux-gnu.llvm-config (bootstrap.toml:6:1)", ""}}},
	} {
		m, err := migrate.Run([]byte(row.text), migrate.Options{From: release(t, row.from), To: release(t, row.to), Host: triple(linux)})
		if err != nil || m.After == nil {
			t.Fatalf("%q: got %v, %v", row.text, m.Undone, err)
		}
		if diff := cmp.Diff(row.want, Compare(*m.Before, *m.After, "stable")); diff != "" {
			t.Errorf("%q from %s to %s (-want +got):\n%s", row.text, row.from, row.to, diff)
		}
	}
}
