package verify

// The checks of a store name the kinds of problems that a mirror's verification has.
var storeTable = []CheckInfo{
	{"store/manifest", Store, "every manifest can be read"},
	{"store/checksum", Store, "every .sha256 is right, and each manifest has one"},
	{"store/signature", Store, "with --keyring, each manifest, provenance and SHA256SUMS is signed by a key of it that is good today"},
	{"store/statement", Store, "provenance and SHA256SUMS say what the manifests say"},
	{"store/missing", Store, "every file that a manifest or SHA256SUMS names is there"},
	{"store/digest", Store, "every file has the digest that it is named with, unless --listing leaves them unread"},
	{"store/list", Store, "what manifests.txt lists is there"},
	{"store/rustup", Store, "the programs of rustup's own tree are there, with their digests"},
}
