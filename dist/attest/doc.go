// Package attest says of a channel directory, in files that can be checked without x,
// what is in it and where that came from: SHA256SUMS, the provenance of each manifest,
// and signatures over both and the manifests.
package attest
