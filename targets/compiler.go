package targets

// Compiler holds the facts about a rustc that decide its default linker, which
// does not depend on the target alone: release, host, and how it was built. The
// zero Compiler is invalid.
type Compiler struct {
	Release Release `json:"release"`
	Host    Triple  `json:"host"`
	// LLDDefault says that the compiler was built with LLD as its default
	// linker: rust.lld = true and target.HOST.default-linker-linux-override
	// = "self-contained-lld-cc". It is one bit for the whole compiler
	// (rust-lang/rust#147626, #155437). [DefaultLLD] knows the official ones.
	LLDDefault bool `json:"lld_default"`
}

// DefaultLLD reports whether the official compiler of a release and host has
// LLD as its default: those hosted on x86_64-unknown-linux-gnu do, on every
// channel since 1.90 (rust-lang/rust#140525).
func DefaultLLD(r Release, host Triple) bool {
	return host.name == "x86_64-unknown-linux-gnu" && r.Compare(Release{major: 1, minor: 90, pre: "dev"}) >= 0
}
