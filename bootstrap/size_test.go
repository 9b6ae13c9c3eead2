package bootstrap

import (
	"testing"

	"x.go/dist/archive"
)

func TestFormatSize(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		want string
	}{
		{0, "0 B"},
		{999, "999 B"},
		{1000, "1.0 kB"},
		{1024, "1.0 kB"},
		{1 << 20, "1.0 MB"},
		{1500 << 20, "1.6 GB"},
		{1 << 60, "1152921.5 TB"},
	} {
		if got := FormatSize(tt.n); got != tt.want {
			t.Errorf("%d: got %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestDescribeArchive(t *testing.T) {
	for want, a := range map[string]archive.FormatPlan{
		"64 KiB to unpack":                                                 {Format: archive.GZ, Dictionary: 32 << 10, DecoderMemory: 64 << 10},
		"dictionary 48 MiB, 48.1 MiB to unpack":                            {Format: archive.XZ, Dictionary: 48 << 20, DecoderMemory: 48<<20 + 64<<10},
		"window 128 MiB, 128.5 MiB to unpack":                              {Format: archive.Zst, Dictionary: 128 << 20, DecoderMemory: 128<<20 + 512<<10},
		"dictionary 1 MiB, 1.1 MiB to unpack, lowered by the memory limit": {Format: archive.XZ, Dictionary: 1 << 20, DecoderMemory: 1<<20 + 64<<10, Lowered: true},
	} {
		if got := DescribeArchive(a); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
