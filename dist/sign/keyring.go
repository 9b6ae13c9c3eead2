package sign

import (
	"bytes"
	_ "embed" // for upstream
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"aead.dev/minisign"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"x.go/dist"
)

// Ends of the names of signatures, behind that of the signed file.
const (
	OpenPGPExt  = ".asc"
	MinisignExt = ".minisig"
)

const (
	// MaxSignature bounds a signature file in bytes. One OpenPGP signature has less
	// than 2000.
	MaxSignature = 64 << 10
	maxKeyring   = 8 << 20 // bytes
)

// Keyring is a set of public keys: those of OpenPGP, or those of minisign. Its methods
// may be called from several goroutines.
type Keyring struct {
	name     string     // for errors
	mu       sync.Mutex // go-crypto remembers in an entity what it has verified
	entities []*openpgp.Entity
	minisign []minisign.PublicKey
}

// Signature is a signature that was found right.
type Signature struct {
	// Key is the fingerprint of the OpenPGP key, or subkey, that made it, or the
	// identifier of the minisign key, in upper-case hexadecimal digits.
	Key string `json:"key"`
	// Owner is the user that an OpenPGP key names; "" for a minisign key.
	Owner string `json:"owner,omitempty"`
	// Time is when it was made, as the signer says; zero if a minisign signature does
	// not tell.
	Time time.Time `json:"time,omitzero"`
}

// UpstreamKeyring is the word by which [ReadKeyring] knows Rust's own key.
const UpstreamKeyring = "rust"

// upstream is the key that Rust's releases are signed with, 108F 6620 5EAE B0AA A8DD
// 5E1C 85AB 96E6 FA1B E5FE, as https://static.rust-lang.org/rust-key.gpg.ascii and
// rust-lang/prev.rust-lang.org have it.
//
//go:embed rust-key.gpg.ascii
var upstream []byte

// ReadKeyring reads the public keys in a file: OpenPGP keys, armored or binary, as
// `gpg --export` writes them, or one minisign key. The word "rust" stands for
// the key of Rust's own releases.
func ReadKeyring(path string) (*Keyring, error) {
	if path == UpstreamKeyring {
		return ParseKeyring("x's copy of rust-key.gpg.ascii", upstream)
	}
	data, err := dist.ReadInput(path, maxKeyring)
	if err != nil {
		return nil, fmt.Errorf("reading keyring %q: %w", path, dist.WithoutPath(err))
	}
	return ParseKeyring(path, data)
}

// ParseKeyring reads public keys as [ReadKeyring] does; name stands for the file in
// errors.
func ParseKeyring(name string, data []byte) (*Keyring, error) {
	k := &Keyring{name: name}
	if err := k.parse(data); err != nil {
		return nil, fmt.Errorf("reading keyring %q: %w", name, err)
	}
	return k, nil
}

func (k *Keyring) parse(data []byte) error {
	switch text := bytes.TrimSpace(data); {
	case len(text) == 0:
		return errors.New("it is empty")
	case len(data) > maxKeyring:
		return fmt.Errorf("more than %s", dist.FormatBytes(maxKeyring))
	case len(data) > 12 && string(data[8:12]) == "KBXf":
		return errors.New("it is a keybox of GnuPG: `gpg --export KEY >FILE` writes a file of keys")
	case isMinisign(text):
		var pub minisign.PublicKey
		if err := pub.UnmarshalText(text); err != nil {
			return fmt.Errorf("want the public key that minisign -G writes: %w", err)
		}
		k.minisign = []minisign.PublicKey{pub}
		return nil
	}
	var err error
	k.entities, err = parseEntities(data)
	return err
}

// isMinisign reports whether text is a key of minisign: with its comment, or the line
// alone, which starts with the algorithm.
func isMinisign(text []byte) bool {
	return bytes.HasPrefix(text, []byte("untrusted comment:")) || bytes.HasPrefix(text, []byte("RW")) && len(text) == 56
}

// parseEntities reads OpenPGP keys: binary ones, or any number of armored blocks.
func parseEntities(data []byte) ([]*openpgp.Entity, error) {
	blocks := [][]byte{data}
	if !isBinary(data) {
		var err error
		if blocks, err = armoredKeys(data); err != nil {
			return nil, err
		}
	}
	var all []*openpgp.Entity
	for _, block := range blocks {
		entities, err := openpgp.ReadKeyRing(bytes.NewReader(block))
		if err != nil {
			return nil, fmt.Errorf("reading OpenPGP keys: %w", err)
		}
		all = append(all, entities...)
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no OpenPGP key")
	}
	return all, nil
}

// Ext is the end of the name of the signatures that the keyring checks.
func (k *Keyring) Ext() string {
	if len(k.minisign) > 0 {
		return MinisignExt
	}
	return OpenPGPExt
}

// keys names the keys, for people: fingerprint and owner of each.
func (k *Keyring) keys() []string {
	var names []string
	for _, pub := range k.minisign {
		names = append(names, minisignID(pub.ID()))
	}
	for _, e := range k.entities {
		names = append(names, named(e))
	}
	return names
}

// named returns fingerprint and owner of a key.
func named(e *openpgp.Entity) string {
	name := fingerprint(e.PrimaryKey)
	if o := owner(e); o != "" {
		name += fmt.Sprintf(" (%.200q)", o)
	}
	return name
}

// owner returns a user that the key names: the first in order of their names, so that
// equal keys always give the same one.
func owner(e *openpgp.Entity) string {
	var names []string
	for name := range e.Identities {
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return strings.ToValidUTF8(slices.Min(names), "?")
}
