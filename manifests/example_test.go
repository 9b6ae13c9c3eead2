package manifests_test

import (
	"fmt"

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
	_, findings := manifests.CheckChannel([]byte(`manifest-version = "2"
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
