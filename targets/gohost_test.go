package targets_test

import (
	"testing"

	"x.go/targets"
)

func TestHostOf(t *testing.T) {
	for _, tt := range []struct{ goos, goarch, want string }{
		{"linux", "amd64", "x86_64-unknown-linux-gnu"},
		{"linux", "riscv64", "riscv64-unknown-linux-gnu"},
		{"darwin", "arm64", "aarch64-apple-darwin"},
		{"windows", "386", "i686-pc-windows-msvc"},
		{"freebsd", "amd64", "x86_64-unknown-freebsd"},
		{"", "", ""},
	} {
		if got := targets.HostOf(tt.goos, tt.goarch).String(); got != tt.want {
			t.Errorf("%s/%s: got %q, want %q", tt.goos, tt.goarch, got, tt.want)
		}
	}
}
