package marks

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/snappy"

	"x.go/dist/inspect"
	"x.go/dist/linkage"
)

const (
	maxHeader = 256 << 10 // bytes read of metadata; the version stands at its beginning
	maxText   = 512       // bytes of a version text
)

// metadataMagic begins the metadata of a crate; the version of its format follows
// (`compiler/rustc_metadata/src/rmeta/mod.rs`, METADATA_HEADER).
var metadataMagic = []byte("rust\x00\x00\x00")

// crateVersion returns the text that the compiler of a crate left in it, without the
// word rustc: "1.95.0 (59807616e 2026-04-14)". It is "" if there is none.
func crateVersion(name string) string {
	switch {
	case strings.HasSuffix(name, ".rlib"):
		data, err := inspect.Member(name, "lib.rmeta", maxHeader)
		if err != nil {
			return ""
		}
		return headerVersion(data)
	case strings.HasSuffix(name, ".rmeta"):
		return headerVersion(beginning(name))
	}
	return libraryVersion(name)
}

func beginning(name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, maxHeader))
	return data
}

// libraryVersion reads the section .rustc of a dynamic library.
func libraryVersion(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	e, err := linkage.Open(f)
	if err != nil {
		return ""
	}
	for _, s := range e.Sections {
		if s.Name != ".rustc" || s.Offset > 1<<62 {
			continue
		}
		data, _ := io.ReadAll(io.NewSectionReader(f, int64(s.Offset), int64(min(s.Size, maxHeader))))
		if text := headerVersion(data); text != "" {
			return text
		}
		if plain := unpacked(data); plain != nil {
			return headerVersion(plain)
		}
	}
	return ""
}

// unpacked returns the beginning of metadata that is compressed, as that of dynamic
// libraries was until 1.84: behind the header a stream in the framing of snappy, in some releases
// with the length of the metadata before it.
func unpacked(data []byte) []byte {
	const stream = "\xff\x06\x00\x00sNaPpY"
	if !bytes.HasPrefix(data, metadataMagic) {
		return nil
	}
	at := bytes.Index(data[:min(len(data), 64)], []byte(stream))
	if at < 0 {
		return nil
	}
	out := make([]byte, 4<<10)
	n, _ := io.ReadFull(snappy.NewReader(bytes.NewReader(data[at:])), out)
	return out[:n]
}

// headerVersion finds the version text in the beginning of metadata, which may lie in
// an object file. Behind the header stands where the root lies, 4 bytes big endian or 8
// bytes little endian, then the text with its length before it.
func headerVersion(data []byte) string {
	for at := 0; ; {
		i := bytes.Index(data[at:], metadataMagic)
		if i < 0 {
			return ""
		}
		at += i + len(metadataMagic)
		for _, root := range []int{4, 8, 0} {
			if from := at + 1 + root; from < len(data) {
				if text := lengthAndText(data[from:]); text != "" {
					return text
				}
			}
		}
	}
}

// lengthAndText reads "rustc VERSION" behind its length in LEB128.
func lengthAndText(b []byte) string {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > maxText || n > uint64(len(b)-width) {
		return ""
	}
	text, ok := strings.CutPrefix(string(b[width:][:n]), "rustc ")
	if !ok || !printable(text) {
		return ""
	}
	return text
}

// printable reports whether a text is one line, as a version is.
func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
}

// commentVersion returns the version text in the section .comment of an ELF file.
func commentVersion(name string) string {
	info, err := linkage.ReadFile(name)
	if err != nil {
		return ""
	}
	for _, p := range info.Producers {
		if text, ok := strings.CutPrefix(p, "rustc version "); ok && printable(text) && len(text) <= maxText {
			return text
		}
	}
	return ""
}
