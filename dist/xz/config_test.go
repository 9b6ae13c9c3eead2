package xz

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigErrors(t *testing.T) {
	for _, tc := range []struct {
		c    WriterConfig
		want string
	}{
		{WriterConfig{Profile: "max"}, `configuring xz: unknown profile "max", want "fast", "balanced" or "best"`},
		{WriterConfig{DictSize: 100}, "configuring xz: dictionary size is 100, want 4096 to 1073741824"},
		{WriterConfig{BlockSize: 2 << 30}, "configuring xz: block size is 2147483648, want 4096 to 1073741824"},
		{WriterConfig{LC: 3, LP: 2}, "configuring xz: lc + lp is 5, want 0 to 4"},
		{WriterConfig{NiceLen: 300}, "configuring xz: nice length is 300, want 5 to 273"},
		{WriterConfig{Check: 9}, "configuring xz: check is 9, want 0 to 3"},
		{WriterConfig{Workers: -1}, "configuring xz: workers is -1, want 1 to 1024"},
	} {
		_, err := NewWriter(nil, tc.c)
		if err == nil {
			t.Errorf("%+v: got no error, want %q", tc.c, tc.want)
			continue
		}
		if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.c, diff)
		}
	}
}

func TestConfigMemoryLimit(t *testing.T) {
	full, err := WriterConfig{Profile: Fast, Workers: 8}.Memory()
	if err != nil {
		t.Fatal(err)
	}
	limited, err := WriterConfig{Profile: Fast, Workers: 8, MaxMemory: full.Encoder - 8<<20}.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if limited.Encoder > full.Encoder-8<<20 || limited.Workers >= 8 || limited.Workers < 1 {
		t.Errorf("8 MiB less than %+v gives %+v", full, limited)
	}
	if _, err := (WriterConfig{Profile: Fast, MaxMemory: 1 << 20}).Memory(); err == nil || !strings.Contains(err.Error(), "one worker needs") {
		t.Errorf("1 MiB of memory: got error %v", err)
	}
}
