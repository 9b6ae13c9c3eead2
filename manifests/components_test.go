package manifests_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/targets"
)

func triple(t testing.TB, s string) targets.Triple {
	t.Helper()
	tr, err := targets.ParseTriple(s)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

const linuxGNU = "x86_64-unknown-linux-gnu"

func TestComponentNamesOfArchives(t *testing.T) {
	tests := []struct{ archive, stem, dir, installed string }{
		{"rustc", "rustc-1.95.0-" + linuxGNU, "rustc", "rustc-" + linuxGNU},
		{"rust-std", "rust-std-1.95.0-" + linuxGNU, "rust-std-" + linuxGNU, "rust-std-" + linuxGNU},
		{"rust-analysis", "rust-analysis-1.95.0-" + linuxGNU, "rust-analysis-" + linuxGNU, "rust-analysis-" + linuxGNU},
		{"rustfmt", "rustfmt-1.95.0-" + linuxGNU, "rustfmt-preview", "rustfmt-preview-" + linuxGNU},
		{"rust-src", "rust-src-1.95.0", "rust-src", "rust-src"},
		{"rust-docs-json", "rust-docs-json-1.95.0-" + linuxGNU, "rust-docs-json-preview", "rust-docs-json-preview-" + linuxGNU},
		{"rust-dev", "rust-dev-1.95.0-" + linuxGNU, "rust-dev", ""},
	}
	for _, tt := range tests {
		c, ok := manifests.LookupComponent(tt.archive)
		if !ok {
			t.Errorf("%s: not in the table", tt.archive)
			continue
		}
		target := triple(t, linuxGNU)
		if got := c.PackageName("1.95.0", target); got != tt.stem {
			t.Errorf("%s: got stem %q, want %q", tt.archive, got, tt.stem)
		}
		if got := c.Dir(target); got != tt.dir {
			t.Errorf("%s: got directory %q, want %q", tt.archive, got, tt.dir)
		}
		if got := c.InstalledName(target); c.Package != "" && got != tt.installed {
			t.Errorf("%s: got installed name %q, want %q", tt.archive, got, tt.installed)
		}
	}
}

func TestCombinedOrder(t *testing.T) {
	var got []string
	for _, c := range manifests.CombinedComponents() {
		got = append(got, c.Dir(triple(t, linuxGNU)))
	}
	want := []string{
		"rustc", "rust-std-" + linuxGNU, "rust-mingw", "rust-docs", "rust-docs-json-preview", "cargo", "rustfmt-preview",
		"rust-analyzer-preview", "llvm-tools-preview", "clippy-preview", "miri-preview", "rust-analysis-" + linuxGNU,
		"rustc-codegen-cranelift-preview", "llvm-bitcode-linker-preview",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestComponentsAreCopies(t *testing.T) {
	for i, c := range manifests.Components() {
		if len(c.BulkDirs) > 0 {
			manifests.Components()[i].BulkDirs[0] = "changed"
			if again := manifests.Components()[i]; again.BulkDirs[0] == "changed" {
				t.Errorf("%s: a caller can change the table", c.Archive)
			}
		}
		for _, lookup := range []func() (manifests.ComponentSpec, bool){
			func() (manifests.ComponentSpec, bool) { return manifests.LookupComponent(c.Archive) },
			func() (manifests.ComponentSpec, bool) { return manifests.LookupPackage(c.Package) },
		} {
			if got, ok := lookup(); ok && got.Archive != c.Archive {
				t.Errorf("%s: its names find %s", c.Archive, got.Archive)
			}
		}
	}
	if c, ok := manifests.LookupPackage(""); ok {
		t.Errorf("the empty package name finds %s", c.Archive)
	}
}

func TestParseArchiveName(t *testing.T) {
	tests := []struct{ file, archive, version, target, source string }{
		{"rust-1.95.0-" + linuxGNU + ".tar.xz", "rust", "1.95.0", linuxGNU, ""},
		{"rust-src-1.95.0.tar.gz", "rust-src", "1.95.0", "", ""},
		{"rust-src-nightly.tar.zst", "rust-src", "nightly", "", ""},
		{"rustc-1.95.0-src.tar.xz", "rustc", "1.95.0", "", "src"},
		{"rustc-beta-src-gpl.tar.xz", "rustc", "beta", "", "src-gpl"},
		{"rustc-1.98.0-dev-" + linuxGNU + ".tar.xz", "rustc", "1.98.0-dev", linuxGNU, ""},
		{"rust-std-nightly-thumbv8m.base-none-eabi.tar.xz", "rust-std", "nightly", "thumbv8m.base-none-eabi", ""},
		{"rust-docs-json-beta-" + linuxGNU + ".tar.xz", "rust-docs-json", "beta", linuxGNU, ""},
		{"gcc-x86_64-unknown-linux-gnu-nightly-" + linuxGNU + ".tar.xz", "gcc-x86_64-unknown-linux-gnu", "nightly", linuxGNU, ""},
	}
	for _, tt := range tests {
		a, err := manifests.ParseArchiveName(tt.file)
		if err != nil {
			t.Error(err)
			continue
		}
		got := []string{a.Component.Archive, a.Version, a.Target.String(), a.Source, a.String()}
		if diff := cmp.Diff([]string{tt.archive, tt.version, tt.target, tt.source, tt.file}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.file, diff)
		}
	}
	for _, file := range []string{
		"", "rustc", "rustc-1.95.0-" + linuxGNU, "rustc-1.95.0-" + linuxGNU + ".zip", "rustc-1.95.0.tar.xz", "rustc-1.95-" + linuxGNU + ".tar.xz",
		"rust-src-1.95.0-" + linuxGNU + ".tar.xz", "gimli-1.95.0-" + linuxGNU + ".tar.xz", "cargo-1.95.0-src.tar.xz", "rustc-1.95.0-.tar.xz",
		"rustc-1.95.0-../x-y.tar.xz", "rustc--" + linuxGNU + ".tar.xz",
	} {
		if a, err := manifests.ParseArchiveName(file); err == nil {
			t.Errorf("%s: got %+v, want an error", file, a)
		}
	}
}
