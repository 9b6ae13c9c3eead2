// Package manifests knows the text formats around a Rust release as values: the
// channel manifest that rustup reads, the file lists of rust-installer
// archives, checksum files, and the names of archives and channel files. It
// does no I/O.
//
// The way from archives to a channel:
//
//	plan := manifests.ChannelPlan{Version: version, Date: date, URLBase: base, Archives: archives}
//	channel, err := plan.Channel()
//	for _, f := range manifests.ChannelFiles(version, channel, manifests.DialectDist) {
//		// write f.Data to the file f.Name
//	}
//
// and back, from a manifest to what is wrong with it:
//
//	channel, findings := manifests.CheckChannel(text)
//
// A channel that was read can be edited: [Channel.Subset] keeps a part of it,
// [Channel.Rebase] moves it to another place, [Channel.Merge] puts two together,
// and [Channel.Release] says under which names it is written again.
//
// [Components] is the one table of component names; whoever packs, names,
// lists or installs a component asks it.
package manifests
