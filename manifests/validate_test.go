package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

// soundChannel is a channel of one host without findings.
func soundChannel(t *testing.T) *manifests.Channel {
	return build(t, plan(t,
		"rust-1.95.0-"+linuxGNU+".tar.xz", "rustc-1.95.0-"+linuxGNU+".tar.xz", "rust-std-1.95.0-"+linuxGNU+".tar.xz",
		"cargo-1.95.0-"+linuxGNU+".tar.xz", "rustfmt-1.95.0-"+linuxGNU+".tar.xz", "rust-src-1.95.0.tar.xz"))
}

// edit changes one target of a package.
func edit(pkg, target string, change func(*manifests.PackageTarget)) func(*manifests.Channel) {
	return func(c *manifests.Channel) {
		t := c.Packages[pkg].Targets[target]
		change(&t)
		c.Packages[pkg].Targets[target] = t
	}
}

// editPackage changes a package.
func editPackage(pkg string, change func(*manifests.Package)) func(*manifests.Channel) {
	return func(c *manifests.Channel) {
		p := c.Packages[pkg]
		change(&p)
		c.Packages[pkg] = p
	}
}

// TestValidate breaks one thing at a time and wants exactly its findings.
func TestValidate(t *testing.T) {
	const host = "pkg.rust.target." + linuxGNU
	ref := func(pkg, target string) manifests.ComponentRef {
		return manifests.ComponentRef{Package: pkg, Target: target}
	}
	tests := []struct {
		name   string
		change func(*manifests.Channel)
		want   []string // path and ID
	}{
		{"sound", func(*manifests.Channel) {}, nil},
		{"date", func(c *manifests.Channel) { c.Date = "2026-4-16" }, []string{"date date"}},
		{"commit hash", editPackage("cargo", func(p *manifests.Package) { p.CommitHash = "59807616e" }), []string{"pkg.cargo.git_commit_hash commit-hash"}},
		{"package name", func(c *manifests.Channel) { c.Packages["../x"] = c.Packages["rust-src"] },
			[]string{`pkg."../x" package-name`, `pkg."../x".target."*".xz_url url-archive`, `pkg."../x".target."*" component-unlisted`}},
		{"no targets", editPackage("rust-src", func(p *manifests.Package) { p.Targets = nil }),
			[]string{host + ".extensions[0] component-target", "pkg.rust-src package-targets"}},
		{"no rust", func(c *manifests.Channel) { delete(c.Packages, "rust") }, []string{"pkg.rust rust-missing"}},
		{"target name", func(c *manifests.Channel) { c.Packages["cargo"].Targets["linux"] = manifests.PackageTarget{} },
			[]string{"pkg.cargo.target.linux target-name"}},
		{"mixed targets", func(c *manifests.Channel) { c.Packages["rust-src"].Targets["a-b"] = manifests.PackageTarget{} },
			[]string{`pkg.rust-src.target."*" target-mixed`}},
		{"no version", editPackage("cargo", func(p *manifests.Package) { p.Version = "" }), []string{"pkg.cargo.version version-missing"}},
		{"version of two lines", editPackage("cargo", func(p *manifests.Package) { p.Version = "1\n2" }), []string{"pkg.cargo.version version-text"}},
		{"other version", editPackage("rust-std", func(p *manifests.Package) { p.Version = "1.94.0" }), []string{"pkg.rust-std.version version-mismatch"}},
		{"own version", editPackage("cargo", func(p *manifests.Package) { p.Version = "0.96.0" }), nil},
		{"no URL", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ = manifests.Download{} }),
			[]string{"pkg.cargo.target." + linuxGNU + " available-without-url"}},
		{"unavailable", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.Available = false }),
			[]string{"pkg.cargo.target." + linuxGNU + " unavailable-with-url", host + ".components[2] component-unavailable"}},
		{"no hash", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.Hash = manifests.Hash{} }),
			[]string{"pkg.cargo.target." + linuxGNU + ".xz_url url-without-hash"}},
		{"hash alone", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.Zst.Hash = t.XZ.Hash }),
			[]string{"pkg.cargo.target." + linuxGNU + ".zst_hash hash-without-url"}},
		{"relative URL", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.URL = "/dist/cargo-1.95.0-" + linuxGNU + ".tar.xz" }),
			[]string{"pkg.cargo.target." + linuxGNU + ".xz_url url"}},
		{"URL without host", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.URL = "https:///x" }),
			[]string{"pkg.cargo.target." + linuxGNU + ".xz_url url"}},
		{"file URL with host", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.URL = "file://dist/x" }),
			[]string{"pkg.cargo.target." + linuxGNU + ".xz_url url"}},
		{"other format", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.Zst = t.XZ }),
			[]string{"pkg.cargo.target." + linuxGNU + ".zst_url url-format"}},
		{"other target", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.URL = "https://h/cargo-1.95.0-a-b.tar.xz" }),
			[]string{"pkg.cargo.target." + linuxGNU + ".xz_url url-archive"}},
		{"name of the site's own", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.XZ.URL = "https://h/blob/42" }), nil},
		{"two hashes", edit("rustfmt-preview", linuxGNU, func(t *manifests.PackageTarget) {
			t.GZ = manifests.Download{URL: "https://h/x", Hash: t.XZ.Hash}
			t.Zst = manifests.Download{URL: "https://h/x", Hash: manifests.HashOf(nil)}
		}), []string{"pkg.rustfmt-preview.target." + linuxGNU + ".zst_url url-conflict"}},
		{"no components", edit("rust", linuxGNU, func(t *manifests.PackageTarget) { t.Components = nil }),
			[]string{host + ".components components-missing", "pkg.rust rust-missing"}},
		{"component of no package", edit("rust", linuxGNU, func(t *manifests.PackageTarget) { t.Extensions[0].Package = "nope" }),
			[]string{host + ".extensions[0] component-package", `pkg.rust-src.target."*" component-unlisted`}},
		{"component of no target", edit("rust", linuxGNU, func(t *manifests.PackageTarget) { t.Components[0].Target = "a-b" }),
			[]string{host + ".components[0] component-target", "pkg.rustc.target." + linuxGNU + " component-unlisted"}},
		{"component twice", edit("rust", linuxGNU, func(t *manifests.PackageTarget) { t.Extensions = append(t.Extensions, ref("rustc", linuxGNU)) }),
			[]string{host + ".extensions[2] component-duplicate"}},
		{"nested", edit("cargo", linuxGNU, func(t *manifests.PackageTarget) { t.Components = []manifests.ComponentRef{ref("rustc", linuxGNU)} }),
			[]string{"pkg.cargo.target." + linuxGNU + " component-nested"}},
		{"rename to nothing", func(c *manifests.Channel) { c.Renames["x"] = "y" }, []string{"renames.x.to rename-target"}},
		{"rename of a package", func(c *manifests.Channel) { c.Renames["cargo"] = "rustc" }, []string{"renames.cargo rename-shadows"}},
		{"no profiles", func(c *manifests.Channel) { c.Profiles = nil }, nil},
		{"no default", func(c *manifests.Channel) { delete(c.Profiles, "default") }, []string{"profiles.default profile-missing"}},
		{"profile name", func(c *manifests.Channel) { c.Profiles["full"] = nil }, []string{"profiles.full profile-name"}},
		{"profile of nothing", func(c *manifests.Channel) { c.Profiles["minimal"] = []string{"x"} }, []string{"profiles.minimal[0] profile-package"}},
		{"profile twice", func(c *manifests.Channel) { c.Profiles["minimal"] = []string{"rustc", "rustc"} }, []string{"profiles.minimal[1] profile-duplicate"}},
		{"profile of what is not available", func(c *manifests.Channel) {
			c.Packages["rustfmt-preview"] = manifests.Package{Targets: map[string]manifests.PackageTarget{linuxGNU: {}}}
		}, []string{"profiles.default[3] profile-unavailable"}},
		{"artifact", func(c *manifests.Channel) {
			c.Artifacts = map[string]map[string][]manifests.Download{"source-code": {"*": {{URL: "https://h/x"}}}}
		}, []string{`artifacts.source-code.target."*"[0] artifact`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := soundChannel(t)
			tt.change(c)
			var got []string
			for _, f := range c.Validate() {
				got = append(got, f.Path+" "+string(f.ID))
				if f.Got == "" || f.Want == "" || f.Line != 0 {
					t.Errorf("incomplete finding %+v", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCheckChannelLocatesFindings wants the line of the key in question, or of
// the table that should have it.
func TestCheckChannelLocatesFindings(t *testing.T) {
	text := string(soundChannel(t).Encode(manifests.DialectDist))
	text = strings.Replace(text, "pkg = \"cargo\"", "pkg = \"cargos\"", 1)
	text = strings.Replace(text, "date = \"2026-04-16\"", "date = \"\"", 1)
	text = strings.Replace(text, "minimal = [\"rustc\"", "minimal = [\"x\"", 1)
	_, findings, _ := manifests.CheckChannel([]byte(text))
	lines := strings.Split(text, "\n")
	var got []string
	for _, f := range findings {
		got = append(got, lines[f.Line-1][f.Column-1:])
	}
	want := []string{
		`date = ""`,
		"components]]",
		linuxGNU + "]", // the cargo that nobody lists
		`minimal = ["x", "cargo", "rust-std"]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got)\n%s", diff)
	}
	if got, want := findings.Error(), `2:1: date: got "", want YYYY-MM-DD (date)`; !strings.HasPrefix(got, want+"\n") {
		t.Errorf("got %q, want %q first", got, want)
	}
}
