package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

const record = `{
  "format": 1,
  "x": "x 0.1",
  "toolchain": {
    "release": "1.95.0",
    "host": "x86_64-unknown-linux-gnu",
    "lld_default": true
  },
  "lld": {
    "shipped": false,
    "default": false,
    "wrapper": "shim",
    "launcher": "system",
    "rule": "rust.lld"
  },
  "wrapper": {
    "jobserver": true
  },
  "programs": [
    {
      "package": "launcher",
      "compiler": "go1.26.0",
      "sha256": "00000000000000000000000000000000000000000000000000000000000000ff"
    }
  ],
  "inputs": {}
}
`

func TestBuildRecord(t *testing.T) {
	t.Parallel()
	r, err := manifests.ParseBuildRecord([]byte(record))
	if err != nil {
		t.Fatal(err)
	}
	data, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, string(data)); diff != "" {
		t.Errorf("encoded again (-want +got)\n%s", diff)
	}
}

func TestBuildRecordErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new, want string }{
		{"unknown key", `"x":`, `"y": [1], "x":`, ""},
		{"not JSON", `{`, ``, "parsing x-build.json: "},
		{"more behind", "}\n", "}}", "invalid character"},
		{"format", `"format": 1`, `"format": 2`, "got format 2, want 1"},
		{"type", `"shipped": false`, `"shipped": 0`, "lld.shipped"},
		{"host", `"host": "x86`, `"host": " x86`, "toolchain.host: "},
		{"wrapper", `"shim"`, `""`, "got no wrapper"},
		{"digest", `00ff"`, `00FF"`, "want a lower-case hexadecimal digit"},
		{"size", "{", strings.Repeat(" ", manifests.MaxBuildRecord) + "{", "got more than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := strings.LastIndex(record, tt.old)
			if tt.name != "more behind" {
				i = strings.Index(record, tt.old)
			}
			_, err := manifests.ParseBuildRecord([]byte(record[:i] + tt.new + record[i+len(tt.old):]))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// FuzzBuildRecord: what can be read can be written and read again as the same.
func FuzzBuildRecord(f *testing.F) {
	f.Add([]byte(record))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := manifests.ParseBuildRecord(data)
		if err != nil {
			return
		}
		text, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifests.ParseBuildRecord(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" && len(r.Programs) > 0 {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
