// Package sign makes and checks detached signatures: OpenPGP signatures (.asc), as
// gpgv checks them, and those of minisign (.minisig).
//
// A [Keyring] checks a signature over bytes, offline: what its keys did not sign, or
// signed and no longer stand for, is refused. A [Signer] makes one, with a key from a
// file or through a command that has the key.
package sign
