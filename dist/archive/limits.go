package archive

import (
	"errors"
	"io"
)

// Limits bound what reading an archive may cost. A zero field has the default
// named beside it, several times what the largest dist archive needs.
type Limits struct {
	Members  int   // number of members; 250,000
	Names    int64 // bytes of all names together; 32 MiB
	File     int64 // bytes of one file; 8 GiB, where the octal sizes of tar end
	Unpacked int64 // bytes of all files together, or of any other content; 16 GiB
	Memory   int64 // bytes of a decoder's dictionary or window; 128 MiB, the largest window that rustup takes
}

// Fixed limits.
const (
	// maxDepth is how many directories may lie above a member, on average over
	// Limits.Members: an index of the tree has an entry for each.
	maxDepth = 12
	// headerRoom is the size of the headers of a member with a long name, in bytes.
	headerRoom = 3 * tarBlock
	// maxBlocks is how many xz blocks are decoded: each takes time, however small it
	// is. Blocks of 1 MiB would be 16 Ki in the largest archive.
	maxBlocks  = 1 << 17
	maxText    = 4 << 20  // bytes of a file whose text is kept: rust-src's manifest.in has 0.3 MB
	maxAllText = 32 << 20 // bytes of all such files together
	maxTexts   = 64       // files whose text is kept: a combined archive has 14 components
)

func (l Limits) withDefaults() Limits {
	if l.Members <= 0 {
		l.Members = 250_000
	}
	if l.Names <= 0 {
		l.Names = 32 << 20
	}
	if l.File <= 0 {
		l.File = 8 << 30
	}
	if l.Unpacked <= 0 {
		l.Unpacked = 16 << 30
	}
	if l.Memory <= 0 {
		l.Memory = 128 << 20
	}
	return l
}

// stream is the largest size of a tar stream within l, in bytes.
func (l Limits) stream() int64 { return l.Unpacked + int64(l.Members)*headerRoom }

// errStreamLimit is the error of a [boundedReader] at its limit.
var errStreamLimit = errors.New("the unpacked stream is too long")

// boundedReader reads at most left bytes from r. It keeps r's error.
type boundedReader struct {
	r    io.Reader
	left int64
	err  error
}

// Read implements [io.Reader].
func (b *boundedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		n, err = 0, errStreamLimit
	}
	if err != nil {
		b.err = err
	}
	return n, err
}
