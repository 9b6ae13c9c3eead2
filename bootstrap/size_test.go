package bootstrap

import (
	"testing"

	"x.go/dist/archive"
)

func TestFormatSizes(t *testing.T) {
	for _, tt := range []struct {
		n            int64
		size, memory string
	}{
		{0, "0 B", "0 B"},
		{999, "999 B", "999 B"},
		{1000, "1.0 kB", "1000 B"},
		{1024, "1.0 kB", "1.0 KiB"},
		{1 << 20, "1.0 MB", "1.0 MiB"},
		{1500 << 20, "1.6 GB", "1.5 GiB"},
		{1 << 60, "1152921.5 TB", "1048576.0 TiB"},
	} {
		if size, memory := FormatSize(tt.n), FormatMemory(tt.n); size != tt.size || memory != tt.memory {
			t.Errorf("%d: got %q and %q, want %q and %q", tt.n, size, memory, tt.size, tt.memory)
		}
	}
}

func TestDescribeArchive(t *testing.T) {
	for want, a := range map[string]archive.FormatPlan{
		"64.0 KiB to unpack":                                                 {Format: archive.GZ, Dictionary: 32 << 10, DecoderMemory: 64 << 10},
		"dictionary 48.0 MiB, 48.1 MiB to unpack":                            {Format: archive.XZ, Dictionary: 48 << 20, DecoderMemory: 48<<20 + 64<<10},
		"window 128.0 MiB, 128.5 MiB to unpack":                              {Format: archive.Zst, Dictionary: 128 << 20, DecoderMemory: 128<<20 + 512<<10},
		"dictionary 1.0 MiB, 1.1 MiB to unpack, lowered by the memory limit": {Format: archive.XZ, Dictionary: 1 << 20, DecoderMemory: 1<<20 + 64<<10, Lowered: true},
	} {
		if got := DescribeArchive(a); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
