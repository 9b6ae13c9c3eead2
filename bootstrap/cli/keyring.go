package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"x.go/dist/sign"
)

// keyringFlag is the flag --keyring of commands that check signatures of one kind.
type keyringFlag struct{ file string }

// signedManifests is what most of these commands require.
const signedManifests = "channel manifests must be signed by a key in this `file`, or by Rust's own with the word rust"

// add adds the flag to a command.
func (f *keyringFlag) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.file, "keyring", "", what)
	completeKeyring(cmd)
}

func completeKeyring(cmd *cobra.Command) {
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("keyring", cobra.FixedCompletions([]string{sign.UpstreamKeyring}, cobra.ShellCompDirectiveDefault)))
}

// readKeyring reads the file of a flag. It is nil without the flag.
func (a *app) readKeyring(f keyringFlag) (*sign.Keyring, error) {
	switch f.file {
	case "":
		return nil, nil
	case sign.UpstreamKeyring:
		return sign.ReadKeyring(f.file)
	}
	return sign.ReadKeyring(a.path(f.file))
}

// keyringsFlag is the flag --keyring of commands that look at all signatures of a
// channel: those of OpenPGP and those of minisign.
type keyringsFlag struct{ files []string }

// add adds the flag to a command.
func (f *keyringsFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.files, "keyring", nil, signedManifests+"; twice for OpenPGP and minisign")
	completeKeyring(cmd)
}

// readKeyrings reads the files of a flag, at most one for each kind of signatures.
func (a *app) readKeyrings(f keyringsFlag) ([]*sign.Keyring, error) {
	var rings []*sign.Keyring
	for _, file := range f.files {
		ring, err := a.readKeyring(keyringFlag{file})
		switch {
		case err != nil:
			return nil, err
		case ring == nil:
			return nil, usagef("reading --keyring: got no file")
		case slices.ContainsFunc(rings, func(r *sign.Keyring) bool { return r.Ext() == ring.Ext() }):
			return nil, usagef("reading --keyring: got two files with keys for *%s: give one", ring.Ext())
		}
		rings = append(rings, ring)
	}
	return rings, nil
}
