package cli

import (
	"github.com/spf13/cobra"

	"x.go/dist/sign"
)

// keyringFlag is the flag --keyring of all commands that check signatures.
type keyringFlag struct{ file string }

// signedManifests is what most of these commands require.
const signedManifests = "channel manifests must be signed by a key in this `file`, or by Rust's own with the word rust"

// add adds the flag to a command.
func (f *keyringFlag) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&f.file, "keyring", "", what)
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
