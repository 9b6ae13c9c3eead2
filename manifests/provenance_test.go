package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

// provenance is what x says of a channel with one archive of its own and one of others.
const provenance = `{
  "_type": "https://in-toto.io/Statement/v1",
  "subject": [
    {
      "name": "channel-rust-stable.toml",
      "digest": {
        "sha256": "0900000000000000000000000000000000000000000000000000000000000000"
      }
    },
    {
      "name": "cargo.tar.xz",
      "digest": {
        "sha256": "0100000000000000000000000000000000000000000000000000000000000000"
      }
    }
  ],
  "predicateType": "https://slsa.dev/provenance/v1",
  "predicate": {
    "buildDefinition": {
      "buildType": "x.go:channel/v1",
      "externalParameters": {
        "manifest": "channel-rust-stable.toml",
        "date": "2026-04-16",
        "version": "1.95.0",
        "builds": [
          {
            "archives": [
              "cargo.tar.xz"
            ],
            "record": {
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
              "inputs": {
                "bin/rustc": "0300000000000000000000000000000000000000000000000000000000000000"
              }
            }
          }
        ]
      },
      "resolvedDependencies": [
        {
          "name": "bin/rustc",
          "digest": {
            "sha256": "0300000000000000000000000000000000000000000000000000000000000000"
          },
          "annotations": {
            "host": "x86_64-unknown-linux-gnu"
          }
        },
        {
          "name": "theirs.tar.xz",
          "digest": {
            "sha256": "0200000000000000000000000000000000000000000000000000000000000000"
          }
        }
      ]
    },
    "runDetails": {
      "builder": {
        "id": "x.go:x",
        "version": {
          "x": "2.0"
        }
      },
      "byproducts": [
        {
          "name": "launcher",
          "digest": {
            "sha256": "00000000000000000000000000000000000000000000000000000000000000ff"
          },
          "annotations": {
            "compiler": "go1.26.0",
            "host": "x86_64-unknown-linux-gnu"
          }
        }
      ]
    }
  }
}
`

func TestProvenance(t *testing.T) {
	t.Parallel()
	r, err := manifests.ParseBuildRecord([]byte(record))
	if err != nil {
		t.Fatal(err)
	}
	r.Inputs["bin/rustc"] = manifests.Hash{3}
	c := &manifests.Channel{Date: "2026-04-16", Packages: map[string]manifests.Package{"rust": {Version: "1.95.0"}}}
	p, err := manifests.NewProvenance("channel-rust-stable.toml", manifests.Hash{9}, c, []manifests.BuiltArchive{
		{Name: "theirs.tar.xz", Hash: manifests.Hash{2}}, {Name: "cargo.tar.xz", Hash: manifests.Hash{1}, Record: &r},
	}, "2.0")
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(provenance, string(data)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	back, err := manifests.ParseProvenance(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := back.Encode(); err != nil || string(again) != provenance {
		t.Errorf("written again: %v\n%s", err, cmp.Diff(provenance, string(again)))
	}
}

func TestProvenanceErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ old, new, want string }{
		{`{`, ``, "parsing provenance: "},
		{`Statement/v1`, `Statement/v9`, `_type: got "https://in-toto.io/Statement/v9"`},
		{`provenance/v1`, `provenance/v9`, `predicateType: got`},
		{`x.go:channel/v1`, `make`, `buildType: got "make"`},
		{`"name": "cargo.tar.xz"`, `"name": "channel-rust-stable.toml"`, `subject[1]: got "channel-rust-stable.toml" for the second time`},
		{`"sha256": "01`, `"sha256": "0`, `subject[1]: got name "cargo.tar.xz"`},
		{`"subject": [`, `"subject": [], "was": [`, `subject: got none`},
	} {
		_, err := manifests.ParseProvenance([]byte(strings.Replace(provenance, test.old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.new, err, test.want)
		}
	}
}

// FuzzProvenance: what can be read can be written and read again.
func FuzzProvenance(f *testing.F) {
	f.Add([]byte(provenance))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := manifests.ParseProvenance(data)
		if err != nil {
			return
		}
		text, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifests.ParseProvenance(text); err != nil {
			t.Errorf("written again: %v", err)
		}
	})
}
