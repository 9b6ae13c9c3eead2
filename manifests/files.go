package manifests

// File is a file to write.
type File struct {
	// Name is its name in the dist directory.
	Name string
	Data []byte
}

// ChannelFiles returns the files by which clients find the channel, for each of
// its names, such as [Version.Names]: channel-rust-NAME.toml, -date.txt and, if the commit is known,
// -git-commit-hash.txt, each with its .sha256. The texts end without line feed.
// Sources: `src/tools/build-manifest/src/main.rs`, rust-lang/promote-release.
//
// A manifest says that all it names is there. So write the .toml files last, each under
// a temporary name first.
func ChannelFiles(names []string, commit string, c *Channel, d Dialect) []File {
	var files []File
	add := func(name string, data []byte) {
		files = append(files, File{name, data}, File{name + ChecksumExt, FormatChecksum(HashOf(data), name)})
	}
	text := c.Encode(d)
	for _, name := range names {
		stem := "channel-rust-" + name
		add(stem+"-date.txt", []byte(c.Date))
		if commit != "" {
			add(stem+"-git-commit-hash.txt", []byte(commit))
		}
		add(stem+".toml", text)
	}
	return files
}
