package targets

// HostOf returns the triple of the machine that Go calls goos and goarch
// ([runtime.GOOS], [runtime.GOARCH]): the one that rustup installs there. It is
// zero where Go's names give no triple.
func HostOf(goos, goarch string) Triple {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i686"}[goarch]
	if arch == "" {
		arch = goarch
	}
	rest := map[string]string{"linux": "unknown-linux-gnu", "darwin": "apple-darwin", "windows": "pc-windows-msvc"}[goos]
	if rest == "" {
		rest = "unknown-" + goos
	}
	t, err := ParseTriple(arch + "-" + rest)
	if err != nil {
		return Triple{}
	}
	return t
}
