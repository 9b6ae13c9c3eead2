package archive

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"x.go/dist"
)

// tarBlock is the unit of a tar stream, in bytes.
const tarBlock = 512

// Type flags of a tar header.
const (
	tarRegular  = '0'
	tarSymlink  = '2'
	tarDir      = '5'
	tarLongName = 'L' // GNU: the data is the name of the next member
	tarLongLink = 'K' // GNU: the data is the link target of the next member
)

// firstCommit is the time of the first commit of Rust, in Unix seconds. The
// Rust crate tar gives it to directories in its deterministic mode, and
// rust-installer to files unless told otherwise.
const firstCommit = 1153704088

// maxOctal12 is the first value that 11 octal digits cannot hold: 8 GiB.
const maxOctal12 = 1 << 33

// tarHeader is a GNU tar header as the Rust crate tar writes it for
// rust-installer: no owner, no prefix field, every number with leading zeros and
// one NUL. archive/tar is not used: it cannot write this header byte for byte. It
// ends the checksum with NUL and space.
type tarHeader struct {
	name, link string // cut to their fields; long ones get a record of their own
	mode, size int64
	modTime    int64 // Unix seconds
	typeflag   byte
}

// Fields of the header: offsets in bytes.
const (
	nameEnd    = 100
	linkStart  = 157
	linkEnd    = 257
	magicStart = 257
	devMajor   = 329
	devMinor   = 337
)

func (h tarHeader) encode() [tarBlock]byte {
	var b [tarBlock]byte
	copy(b[:nameEnd], cutUTF8(h.name, nameEnd))
	putOctal(b[100:108], h.mode)
	putOctal(b[108:116], 0) // uid
	putOctal(b[116:124], 0) // gid
	putNumber(b[124:136], h.size)
	putNumber(b[136:148], h.modTime)
	b[156] = h.typeflag
	copy(b[linkStart:linkEnd], cutElements(h.link, linkEnd-linkStart))
	copy(b[magicStart:], "ustar  \x00")
	if h.typeflag != tarLongName && h.typeflag != tarLongLink {
		putOctal(b[devMajor:devMinor], 0)
		putOctal(b[devMinor:devMinor+8], 0)
	}

	copy(b[148:156], "        ") // the checksum counts itself as spaces
	var sum int64
	for _, c := range b {
		sum += int64(c)
	}
	putOctal(b[148:156], sum)
	return b
}

// putOctal fills dst with the digits of n and a NUL.
func putOctal(dst []byte, n int64) {
	for i := len(dst) - 2; i >= 0; i-- {
		dst[i] = '0' + byte(n&7)
		n >>= 3
	}
	dst[len(dst)-1] = 0
}

// putNumber is putOctal for a 12-byte field, which holds 8 GiB and more as a
// big-endian binary number with the top bit set (a GNU extension).
func putNumber(dst []byte, n int64) {
	if n < maxOctal12 {
		putOctal(dst, n)
		return
	}
	for i := len(dst) - 1; i > 0; i-- {
		dst[i] = byte(n)
		n >>= 8
	}
	dst[0] = 0x80
}

// cutUTF8 returns the longest prefix of s that fits in n bytes and does not
// end inside a character.
func cutUTF8(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutElements returns the longest prefix of s that fits in n bytes and does not
// end inside a path element, as the crate cuts a link target.
func cutElements(s string, n int) string {
	if len(s) <= n || s[n] == '/' {
		return s[:min(n, len(s))]
	}
	return s[:strings.LastIndexByte(s[:n], '/')+1]
}

// tarHeaders returns the header blocks of e, with the GNU records that hold a
// name or link target too long for its field.
func tarHeaders(e dist.Entry, modTime int64) []byte {
	var out []byte
	out = appendLong(out, tarLongName, e.Name, nameEnd)
	out = appendLong(out, tarLongLink, e.Link, linkEnd-linkStart)
	h := tarHeader{name: e.Name, link: e.Link, mode: int64(dist.ModeFile), size: e.Size, modTime: modTime, typeflag: tarRegular}
	switch {
	case e.IsDir():
		h.mode, h.modTime, h.typeflag = 0o755, firstCommit, tarDir
	case e.Mode == dist.ModeSymlink:
		// A link has all its permission bits set, so it counts as executable.
		h.mode, h.typeflag = 0o755, tarSymlink
	case e.IsExec():
		h.mode = 0o755
	}
	block := h.encode()
	return append(out, block[:]...)
}

func appendLong(out []byte, typeflag byte, s string, field int) []byte {
	if len(s) <= field {
		return out
	}
	size := int64(len(s)) + 1 // with a NUL
	block := tarHeader{name: "././@LongLink", mode: 0o644, size: size, typeflag: typeflag}.encode()
	out = append(out, block[:]...)
	out = append(out, s...)
	return append(out, make([]byte, padded(size)-size+1)...)
}

// padded rounds n up to whole blocks.
func padded(n int64) int64 { return (n + tarBlock - 1) / tarBlock * tarBlock }

// checkModTime returns an error for a time that a tar header cannot hold.
func checkModTime(unix int64) error {
	if unix < 0 {
		return fmt.Errorf("modification time %d: tar cannot hold a time before 1970", unix)
	}
	return nil
}

// Order is the order of the files in an archive. Directories always come first
// and sorted, as rustup wants them (rust-lang/rustup#1092).
type Order byte

const (
	// ReversedPath sorts by the bytes of the whole path read backwards, which
	// brings files of equal name and extension together. It is the order of
	// rust-installer and the default.
	ReversedPath Order = iota
	// PathOrder sorts by the bytes of the path.
	PathOrder
	// KindOrder is PathOrder, with libraries last in the order of ReversedPath.
	// With the best xz profile it gives the smallest archives: ReversedPath makes
	// documentation 1.5 % larger, and PathOrder makes rust-std 0.7 % larger,
	// because it mixes .rlib and .rmeta files.
	KindOrder
)

// libraries are the extensions that KindOrder keeps together.
var libraries = map[string]bool{
	".a": true, ".dll": true, ".dylib": true, ".lib": true, ".o": true, ".rlib": true, ".rmeta": true, ".so": true,
}

func (o Order) compare(a, b string) int {
	if o == KindOrder {
		aLib, bLib := libraries[path.Ext(a)], libraries[path.Ext(b)]
		switch {
		case !aLib && !bLib:
			o = PathOrder
		case !aLib:
			return -1
		case !bLib:
			return 1
		}
	}
	if o == PathOrder {
		return strings.Compare(a, b)
	}
	for i, j := len(a)-1, len(b)-1; i >= 0 && j >= 0; i, j = i-1, j-1 {
		if a[i] != b[j] {
			return int(a[i]) - int(b[j])
		}
	}
	return len(a) - len(b)
}
