package manifests_test

import (
	"strings"
	"testing"

	"x.go/manifests"
)

const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // printf '' | sha256sum

func TestParseChecksum(t *testing.T) {
	tests := []struct {
		name, in, wantName, wantErr string
	}{
		{"sha256sum", emptyDigest + "  a-1.0.tar.xz\n", "a-1.0.tar.xz", ""},
		{"sha256sum -b", emptyDigest + " *a.tar.xz\n", "a.tar.xz", ""},
		{"bare", emptyDigest, "", ""},
		{"bare line", emptyDigest + "\n", "", ""},
		{"no line feed", emptyDigest + "  a", "a", ""},
		{"empty", "", "", "got 0 digits, want 64"},
		{"short", emptyDigest[:63] + "\n", "", "got 63 digits, want 64"},
		{"upper case", strings.ToUpper(emptyDigest), "", `got 'E', want a lower-case hexadecimal digit`},
		{"one space", emptyDigest + " a\n", "", "want two spaces and a file name"},
		{"no space", emptyDigest + "00\n", "", "want two spaces and a file name"},
		{"directory", emptyDigest + "  dist/a\n", "", "want two spaces and a file name"},
		{"parent", emptyDigest + "  ..\n", "", "want two spaces and a file name"},
		{"carriage return", emptyDigest + "  a\r\n", "", "want two spaces and a file name"},
		{"two lines", emptyDigest + "  a\n" + emptyDigest + "  b\n", "", "want two spaces and a file name"},
		{"long", emptyDigest + "  " + strings.Repeat("a", 2000), "", "want at most 1024"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, name, err := manifests.ParseChecksum([]byte(tt.in))
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("got error %v, want one with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil || h.String() != emptyDigest || name != tt.wantName {
				t.Errorf("got %v, %q, %v, want %v, %q", h, name, err, emptyDigest, tt.wantName)
			}
		})
	}
}

func TestFormatChecksum(t *testing.T) {
	got := string(manifests.FormatChecksum(manifests.HashOf(nil), "x.tar.gz"))
	if want := emptyDigest + "  x.tar.gz\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParseChecksum(f *testing.F) {
	f.Add([]byte(emptyDigest + "  a.tar.xz\n"))
	f.Add([]byte(emptyDigest))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, name, err := manifests.ParseChecksum(data)
		if err != nil || name == "" {
			return
		}
		h2, name2, err := manifests.ParseChecksum(manifests.FormatChecksum(h, name))
		if err != nil || h2 != h || name2 != name {
			t.Errorf("got %v, %q, %v after formatting, want %v, %q", h2, name2, err, h, name)
		}
	})
}
