package manifests_test

import (
	"fmt"
	"path"
	"strings"

	"x.go/manifests"
	"x.go/targets"
)

func ExampleChannelPlan_Channel() {
	release, err := targets.ParseRelease("1.95.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	version := manifests.Version{Release: release}
	plan := manifests.ChannelPlan{Version: version, Date: "2026-04-16", URLBase: "https://example.org/dist"}
	for _, file := range []string{"rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz", "rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz"} {
		name, err := manifests.ParseArchiveName(file)
		if err != nil {
			fmt.Println(err)
			return
		}
		plan.Archives = append(plan.Archives, manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf([]byte("the archive"))})
	}
	channel, err := plan.Channel()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ref := range channel.Packages["rust"].Targets["x86_64-unknown-linux-gnu"].Components {
		fmt.Println(ref)
	}
	fmt.Println(channel.Profiles["minimal"])
	// Output:
	// "rustc" for "x86_64-unknown-linux-gnu"
	// "rust-std" for "x86_64-unknown-linux-gnu"
	// [rustc rust-std]
}

func ExampleCheckChannel() {
	_, findings, _ := manifests.CheckChannel([]byte(`manifest-version = "2"
date = "yesterday"
[renames.rustfmt]
to = "rustfmt-preview"
`))
	for _, f := range findings {
		fmt.Println(f)
	}
	// Output:
	// 2:1: date: got "yesterday", want YYYY-MM-DD (date)
	// pkg.rust: got nothing, want the package that says what a host consists of (rust-missing)
	// 4:1: renames.rustfmt.to: got "rustfmt-preview", want a package of this channel (rename-target)
}

// A mirror carries a part of a channel, at a place of its own.
func ExampleChannel_Subset() {
	channel := exampleChannel("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
	host, err := targets.ParseTriple("x86_64-unknown-linux-gnu")
	if err != nil {
		fmt.Println(err)
		return
	}
	part, err := channel.Subset(manifests.Selection{Hosts: []targets.Triple{host}, Targets: []targets.Triple{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	part, err = part.Rebase("https://example.org/dist", "https://mirror.example.org/rust")
	if err != nil {
		fmt.Println(err)
		return
	}
	for key, file := range part.Downloads() {
		fmt.Println(key, file.URL)
	}
	fmt.Println(len(part.Validate()), "findings")
	// Output:
	// pkg.rust-std.target.x86_64-unknown-linux-gnu.xz_url https://mirror.example.org/rust/rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz
	// pkg.rustc.target.x86_64-unknown-linux-gnu.xz_url https://mirror.example.org/rust/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz
	// 0 findings
}

// Two machines built a host each. Each host can then compile for the other.
func ExampleChannel_Merge() {
	channel, err := exampleChannel("x86_64-unknown-linux-gnu").Merge(exampleChannel("aarch64-unknown-linux-gnu"), manifests.MergeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ref := range channel.Packages["rust"].Targets["x86_64-unknown-linux-gnu"].Extensions {
		fmt.Println(ref)
	}
	// Output:
	// "rust-std" for "aarch64-unknown-linux-gnu"
}

// A channel that was read is written again under all of its names.
func ExampleChannel_Version() {
	text := exampleChannel("x86_64-unknown-linux-gnu").Encode(manifests.DialectDist)
	channel, err := manifests.ParseChannel(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	version, err := channel.Version()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range manifests.ChannelFiles(version.Names(), version.CommitHash, channel, manifests.DialectDist) {
		if path.Ext(f.Name) == ".toml" {
			fmt.Println(f.Name)
		}
	}
	// Output:
	// channel-rust-stable.toml
	// channel-rust-1.95.0.toml
	// channel-rust-1.95.toml
}

// A program can tell findings apart by their ID.
func ExampleChannel_Validate() {
	channel := exampleChannel("x86_64-unknown-linux-gnu")
	channel.Renames["rustfmt"] = "rustfmt-preview"
	delete(channel.Profiles, "minimal")
	for _, f := range channel.Validate() {
		if f.ID == manifests.FindingRenameTarget {
			delete(channel.Renames, "rustfmt")
			continue
		}
		fmt.Println(f)
	}
	// Output:
	// profiles.minimal: got nothing, want a profile "minimal", since there are others (profile-missing)
}

// exampleChannel returns a channel with rustc and rust-std for each host.
func exampleChannel(hosts ...string) *manifests.Channel {
	release, err := targets.ParseRelease("1.95.0")
	if err != nil {
		panic(err)
	}
	plan := manifests.ChannelPlan{
		Version: manifests.Version{Release: release}, Date: "2026-04-16", URLBase: "https://example.org/dist",
	}
	for _, host := range hosts {
		for _, component := range []string{"rustc", "rust-std"} {
			file := component + "-1.95.0-" + host + ".tar.xz"
			name, err := manifests.ParseArchiveName(file)
			if err != nil {
				panic(err)
			}
			plan.Archives = append(plan.Archives, manifests.ListedArchive{ArchiveName: name, Hash: manifests.HashOf([]byte(file))})
		}
	}
	channel, err := plan.Channel()
	if err != nil {
		panic(err)
	}
	return channel
}

// Where an archive is, by rustup's rules: a package for "*" serves every target.
func ExampleChannel_Lookup() {
	channel := exampleChannel("x86_64-unknown-linux-gnu")
	std, err := channel.Lookup(manifests.ComponentRef{Package: "rust-std", Target: "x86_64-unknown-linux-gnu"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(std.Download(manifests.XZ).URL)
	fmt.Println("as zst:", !std.Download(manifests.Zst).IsZero())
	_, err = channel.Lookup(manifests.ComponentRef{Package: "rust-std", Target: "wasm32-unknown-unknown"})
	fmt.Println(err)
	// Output:
	// https://example.org/dist/rust-std-1.95.0-x86_64-unknown-linux-gnu.tar.xz
	// as zst: false
	// looking up package "rust-std": the channel does not have it for target "wasm32-unknown-unknown"
}

// A manifest of an old release keeps its layout, so that a copy can be compared
// with it; what rustup keeps of a manifest has a layout of its own.
func ExampleChannel_Encode() {
	channel := exampleChannel("x86_64-unknown-linux-gnu")
	channel.Packages = map[string]manifests.Package{"rust-src": {
		Version: "1.95.0", Targets: map[string]manifests.PackageTarget{manifests.AnyTarget: {}},
	}}
	channel.Profiles = nil
	for _, d := range []manifests.Dialect{manifests.DialectDist05, manifests.DialectInstalled} {
		fmt.Printf("%s\n", channel.Encode(d))
	}
	// Output:
	// manifest-version = "2"
	// date = "2026-04-16"
	// [pkg.rust-src]
	// version = "1.95.0"
	// [pkg.rust-src.target."*"]
	// available = false
	//
	// manifest-version = "2"
	// date = "2026-04-16"
	//
	// [pkg.rust-src]
	// version = "1.95.0"
	//
	// [pkg.rust-src.target."*"]
	// available = false
	// components = []
	// extensions = []
}

// rustup compares digests as texts, so upper case is an error.
func ExampleParseHash() {
	digest := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	hash, err := manifests.ParseHash(digest)
	fmt.Println(hash == manifests.HashOf([]byte("abc")), err)
	_, err = manifests.ParseHash(strings.ToUpper(digest))
	fmt.Println(err != nil)
	// Output:
	// true <nil>
	// true
}
