package publish

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist/sign"
	"x.go/manifests"
)

// A directory has one [manifests.ChecksumsFile], signed for what is beside it. In the
// directory of a day lie the files of several channels, and no name there changes its
// content. So the file gets the name of the channel, as provenance has: there is one
// behind each manifest.

// sumsOf returns the names under which a store has the digests of a directory, or a
// signature over them; nil for other files.
func (r *reader) sumsOf(base string) []string {
	ext, ok := strings.CutPrefix(base, manifests.ChecksumsFile)
	if !ok || ext != "" && ext != manifests.ChecksumExt && ext != sign.OpenPGPExt && ext != sign.MinisignExt {
		return nil
	}
	var out []string
	for _, name := range r.src.Names {
		out = append(out, channelPrefix+name+manifests.ChecksumsSuffix+ext)
	}
	return out
}

// fits requires the digests of a directory to be those of this channel alone: readers of
// the store look for each file that they name.
func (r *reader) fits(data []byte) error {
	sums, err := manifests.ParseChecksums(data)
	if err != nil {
		return err
	}
	here := map[string]manifests.Hash{}
	for name, f := range r.all {
		here[path.Base(name)] = f.body.Hash
	}
	const again = "sign the channel in a directory of its own"
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		switch got, ok := here[name]; {
		case !ok:
			return fmt.Errorf("%s names %.200q, which is not published: %s", manifests.ChecksumsFile, name, again)
		case got != sums[name]:
			return fmt.Errorf("%.200q has sha256 %s, %s says %s: it was signed before: sign again", name, got, manifests.ChecksumsFile, sums[name])
		}
	}
	for _, name := range r.src.Names {
		if base := path.Base(channelFile(name)); sums[base].IsZero() {
			return fmt.Errorf("%s does not name %q: %s", manifests.ChecksumsFile, base, again)
		}
	}
	return nil
}

// checkSignatures requires each keyring to have signed the manifests, and what says what
// is in the channel. That comes before anything is put, of the bytes that are put.
func (p *Plan) checkSignatures(f files) error {
	for _, ring := range p.options.Keyrings {
		for _, base := range slices.Sorted(maps.Keys(f.channel)) {
			if !mustBeSigned(base) {
				continue
			}
			if err := check(ring, f.channel[base], f.channel[base+ring.Ext()]); err != nil {
				return fmt.Errorf("%q: %w", base, err)
			}
		}
	}
	return nil
}

// mustBeSigned reports whether a file of a channel says what is in it.
func mustBeSigned(base string) bool {
	return strings.HasSuffix(base, ".toml") || strings.HasSuffix(base, manifests.ProvenanceExt) || strings.HasSuffix(base, manifests.ChecksumsSuffix)
}

// check compares a file with its signature.
func check(ring *sign.Keyring, signed, signature file) error {
	if signature.body.Open == nil {
		return fmt.Errorf("it is not signed: got no *%s beside it", ring.Ext())
	}
	data, err := content(signed.body)
	if err != nil {
		return err
	}
	text, err := content(signature.body)
	if err == nil {
		_, err = ring.Check(data, text)
	}
	return err
}
