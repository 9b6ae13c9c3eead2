// Package manifests reads and writes the text formats around a Rust release: the
// channel manifest of rustup, the file lists of rust-installer archives, checksum
// files, and the names of archives and channel files. It does no I/O.
//
// From archives to a channel:
//
//	plan := manifests.ChannelPlan{Version: version, Date: date, URLBase: base, Archives: archives}
//	channel, err := plan.Channel()
//	for _, f := range manifests.ChannelFiles(version.Names(), version.CommitHash, channel, manifests.DialectDist) {
//		// write f.Data to the file f.Name
//	}
//
// From a manifest to what is wrong with it:
//
//	channel, findings, ignored := manifests.CheckChannel(text)
//
// To edit a channel, [Channel.Subset] keeps a part of it, [Channel.Rebase] moves
// its files to another place, [Channel.Merge] joins two, and [Channel.Version]
// returns the version whose names it has on the server.
//
// [Components] is the one table of component names for packing, naming, listing
// and installing.
package manifests
