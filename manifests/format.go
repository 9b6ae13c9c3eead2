package manifests

import (
	"fmt"
	"strings"

	"x.go/targets/nearest"
)

// Format is the compression of an archive, named by its file extension.
type Format string

// The formats that rustup reads. It prefers zst to xz to gz and tries only the
// first that a channel offers.
const (
	GZ  Format = "gz"
	XZ  Format = "xz"
	Zst Format = "zst"
)

// Formats returns all formats in the order in which channels list them.
func Formats() []Format { return []Format{GZ, XZ, Zst} }

// Preferred returns all formats in the order in which rustup takes them, which is that of
// their sizes.
func Preferred() []Format { return []Format{Zst, XZ, GZ} }

// ParseFormat reads "gz", "xz" or "zst".
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case GZ, XZ, Zst:
		return f, nil
	}
	return "", fmt.Errorf("parsing compression format: got %.20q, want gz, xz or zst%s", s, nearest.Hint(s, []string{string(GZ), string(XZ), string(Zst)}))
}

// Ext returns the end of an archive's file name, such as ".tar.xz".
func (f Format) Ext() string { return ".tar." + string(f) }

// CutFormat splits the file name of an archive into what comes before the
// extension, which is not empty, and the format that the extension names.
func CutFormat(file string) (stem string, f Format, ok bool) {
	for _, f := range Formats() {
		if stem, ok := strings.CutSuffix(file, f.Ext()); ok && stem != "" {
			return stem, f, true
		}
	}
	return "", "", false
}
