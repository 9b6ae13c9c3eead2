package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"x.go/dist"
	"x.go/dist/attest"
	"x.go/dist/sign"
)

// signFlags are the flags of x channel sign.
type signFlags struct {
	key, passphrase                 string
	command                         string
	keyring                         keyringFlag
	minisignKey, minisignPassphrase string
}

func (a *app) channelSignCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign DIR",
		Short: "Sign a channel directory, with SHA256SUMS and provenance",
		Long: `Sign a channel directory, as x dist or x channel make leaves it. x writes beside the
manifests

  channel-rust-NAME-provenance.json
                the archives' build records as an in-toto statement with SLSA's
                predicate: what they were built from, by which x, how
  SHA256SUMS    the digests of all files of the channel
  FILE.asc      a detached OpenPGP signature over each manifest, each
                provenance and SHA256SUMS, which gpgv checks
  FILE.minisig  the same for minisign, with --minisign-key

All archives are read, and compared with the manifests, before anything is written.
What x dist and x channel make change later loses its signatures. x publish puts
SHA256SUMS as channel-rust-NAME-SHA256SUMS, and a signed manifest only with the URLs of
its day, as x channel make --dated writes them.

The key is a file that gpg --export-secret-keys or --export-secret-subkeys has written;
of its subkeys the newest one that may sign does. Or a command signs, which has the key
in a token or at a service: a shell runs it once for each file, with the file on standard
input, and it prints a detached signature, armored or binary. What it prints must be by
a key of --keyring before x writes it.

The passphrase of a key is the first line of --passphrase-file, which may be a pipe,
such as /dev/fd/3; without it x asks for it at a terminal.

Signatures bear the time of SOURCE_DATE_EPOCH, and are then equal for equal files with
keys of RSA and Ed25519. Without it they bear the present time, and one that is right
stays as it is. Without x, gpgv checks them:
gpgv --keyring ./release.pub build/dist/SHA256SUMS.asc build/dist/SHA256SUMS`,
		Example: `  x channel sign --key release.asc build/dist
  x channel sign --key release.asc --passphrase-file /run/phrase build/dist
  x channel sign --command 'gpg -b -u KEY' --keyring release.pub build/dist
  x channel sign --key release.asc --minisign-key minisign.key build/dist`,
		Args: exactly("DIR"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.signChannel(cmd.Context(), a.path(args[0]), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "key", "", "sign with the secret OpenPGP key in this `file`")
	flags.StringVar(&f.passphrase, "passphrase-file", "", "the first line of this `file` unlocks the key")
	flags.StringVar(&f.command, "command", "", "sign with what this shell `command` prints")
	f.keyring.add(cmd, "`file` of public keys, one of which the command signs with")
	flags.StringVar(&f.minisignKey, "minisign-key", "", "also sign with the secret minisign key in this `file`")
	flags.StringVar(&f.minisignPassphrase, "minisign-passphrase-file", "", "the first line of this `file` unlocks the minisign key")
	return cmd
}

// signChannel signs a channel directory.
func (a *app) signChannel(ctx context.Context, dir string, f signFlags) (err error) {
	opts := attest.Options{Version: buildVersion().Version, Jobs: a.flags.jobs, DryRun: a.flags.dryRun, Waiting: a.waitingFor(dir)}
	if opts.Time, err = a.sourceDateEpoch(); err != nil {
		return err
	}
	if opts.Signers, err = a.signers(f); err != nil {
		return err
	}
	files, err := attest.Channel(ctx, dir, opts)
	if err != nil {
		return err
	}
	if a.flags.json {
		return a.printJSON(struct {
			Directory string        `json:"directory"`
			Files     []attest.File `json:"files"`
		}{dir, files})
	}
	told := map[string]bool{}
	for _, file := range files {
		if by := file.Signature; by != nil && !told[by.Key] {
			told[by.Key] = true
			a.progressf("x: signed *%s by key %s %s", filepath.Ext(file.Name), by.Key, dist.OneLine(by.Owner))
		}
	}
	for _, file := range files {
		if _, err := fmt.Fprintf(a.Stdout, "%-7s  %s\n", file.Status, filepath.Join(dir, file.Name)); err != nil {
			return fmt.Errorf("printing the files: %w", err)
		}
	}
	return nil
}

// signers returns what signs.
func (a *app) signers(f signFlags) ([]sign.Signer, error) {
	switch {
	case f.key != "" && f.command != "":
		return nil, usagef("--key and --command exclude each other: both write FILE.asc")
	case f.key == "" && f.command == "" && f.minisignKey == "":
		return nil, usagef("nothing says who signs: name a key with --key, --command or --minisign-key")
	case (f.command == "") != (f.keyring.file == ""):
		return nil, usagef("--command and --keyring belong together: the signatures of the command must be by a key of the keyring")
	}
	var signers []sign.Signer
	if f.command != "" {
		keyring, err := a.readKeyring(f.keyring)
		if err != nil {
			return nil, err
		}
		signers = append(signers, &sign.Command{Args: []string{"sh", "-c", f.command}, Dir: a.Dir, Env: a.Env, Stderr: a.Stderr, Public: keyring})
	}
	const maxKey = 1 << 20 // bytes
	for _, k := range []struct {
		file, passphrase, flag string
		parse                  func(name string, data []byte, p sign.Passphrase) (sign.Signer, error)
	}{
		{f.key, f.passphrase, "--passphrase-file", func(name string, data []byte, p sign.Passphrase) (sign.Signer, error) {
			return sign.ParseKey(name, data, p)
		}},
		{f.minisignKey, f.minisignPassphrase, "--minisign-passphrase-file", func(name string, data []byte, p sign.Passphrase) (sign.Signer, error) {
			return sign.ParseMinisignKey(name, data, p)
		}},
	} {
		if k.file == "" {
			if k.passphrase != "" {
				return nil, usagef("%s unlocks a key in a file: name that, too", k.flag)
			}
			continue
		}
		data, err := dist.ReadInput(a.path(k.file), maxKey)
		if err != nil {
			return nil, fmt.Errorf("reading key %q: %w", k.file, dist.WithoutPath(err))
		}
		s, err := k.parse(k.file, data, a.passphrase(k.file, k.passphrase, k.flag))
		if err != nil {
			return nil, err
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// passphrase returns what asks for the passphrase of a key: in a file, or at the
// terminal.
func (a *app) passphrase(key, file, flag string) sign.Passphrase {
	return func() ([]byte, error) {
		if file != "" {
			const longest = 64 << 10
			data, err := dist.ReadInput(a.path(file), longest)
			if err != nil {
				return nil, fmt.Errorf("reading passphrase: %w", err)
			}
			line, _, _ := bytes.Cut(data, []byte("\n"))
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		in, ok := a.Stdin.(*os.File)
		if !ok || !term.IsTerminal(int(in.Fd())) {
			return nil, errors.New("it is protected by a passphrase: name a file with it by " + flag)
		}
		fmt.Fprintf(a.Stderr, "Passphrase of %q: ", key)
		word, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.Stderr)
		return word, err
	}
}
