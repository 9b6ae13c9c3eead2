package sign

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"x.go/dist"
)

var (
	armorBegin = []byte("-----BEGIN PGP ")
	armorEnd   = []byte("-----END PGP SIGNATURE-----")
)

// isBinary reports whether OpenPGP packets start here: the first bit of each is set.
func isBinary(data []byte) bool { return len(data) > 0 && data[0]&0x80 != 0 }

// dearmor returns the packets of a detached signature. A signature that has something
// before, between or behind its lines is refused: a reader could take that for signed.
func dearmor(data []byte) ([]byte, error) {
	if isBinary(data) {
		return data, nil
	}
	text := bytes.TrimSpace(data)
	begin := append(bytes.Clone(armorBegin), "SIGNATURE-----"...)
	switch {
	case len(text) == 0:
		return nil, errors.New("it is empty")
	case bytes.Contains(text, []byte("-----BEGIN PGP SIGNED MESSAGE-----")):
		return nil, errors.New("it is a text with its signature inside: want a detached signature, as `gpg --armor --detach-sign` writes it")
	case !bytes.HasPrefix(text, begin):
		line, _, _ := bytes.Cut(text, []byte("\n"))
		return nil, fmt.Errorf("want a detached OpenPGP signature, got %.60q", bytes.TrimSpace(line))
	case !bytes.HasSuffix(text, armorEnd):
		return nil, fmt.Errorf("it is cut short, or something follows it: want %q as its last line", armorEnd)
	case bytes.Count(text, armorBegin) > 1:
		return nil, errors.New("it has several armored parts: want one")
	}
	return decode(text, openpgp.SignatureType)
}

// decode returns what an armored block of one of the types holds.
func decode(block []byte, types ...string) ([]byte, error) {
	b, err := armor.Decode(bytes.NewReader(block))
	if err != nil {
		return nil, errors.New("the armor is malformed")
	}
	for _, t := range types {
		if b.Type == t {
			data, err := io.ReadAll(b.Body) // not longer than block
			if err != nil {
				return nil, fmt.Errorf("the armor is malformed: %w", err)
			}
			return data, nil
		}
	}
	return nil, fmt.Errorf("got a block of type %.60q, want %q", b.Type, types)
}

// encode writes packets as an armored signature, without the checksum that RFC 9580
// advises against.
func encode(packets []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := armor.EncodeWithChecksumOption(&out, openpgp.SignatureType, nil, false)
	if err == nil {
		_, err = w.Write(packets)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encoding a signature: %w", err)
	}
	return append(bytes.TrimSpace(out.Bytes()), '\n'), nil
}

// maxBlocks is how many armored blocks a file of keys may have.
const maxBlocks = 1000

// armoredKeys returns the packets of each armored block of keys. Any text may stand
// between them.
func armoredKeys(data []byte) ([][]byte, error) {
	var blocks [][]byte
	for {
		at := bytes.Index(data, armorBegin)
		if at < 0 {
			break
		}
		if len(blocks) == maxBlocks {
			return nil, fmt.Errorf("more than %d armored keys", maxBlocks)
		}
		next := bytes.Index(data[at+1:], armorBegin)
		block := data[at:]
		if next >= 0 {
			block = data[at : at+1+next]
		}
		if !bytes.Contains(block, []byte("-----END PGP ")) {
			return nil, errors.New("an armored key is cut short")
		}
		packets, err := decode(block, openpgp.PublicKeyType, openpgp.PrivateKeyType)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, packets)
		data = data[at+len(block):]
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("want OpenPGP keys, as gpg --export writes them, or a minisign public key, got %s of something else", dist.FormatBytes(int64(len(data))))
	}
	return blocks, nil
}
