package archive

import (
	"errors"
	"io"
)

// Limits bound what reading an archive may cost. A zero field has the default
// given here, which is several times what the largest dist archive needs.
type Limits struct {
	Members  int   // number of members; 250,000
	Names    int64 // bytes of all names together; 256 MiB
	File     int64 // bytes of one file; 8 GiB, where the octal sizes of tar end
	Unpacked int64 // bytes of all files together, or of any other content; 16 GiB
	Memory   int64 // bytes of a decoder's dictionary or window; 128 MiB, the largest window that rustup takes
}

// Limits that are not for choosing.
const (
	// maxDepth is how many directories lie above a member, on average over the
	// members allowed: an index of the tree has an entry for each of them.
	maxDepth = 12
	// headerRoom is for the headers of a member with a long name, in bytes.
	headerRoom = 3 * tarBlock
	maxText    = 4 << 20 // bytes of a file whose text is kept: rust-src's manifest.in has 0.3 MB
	maxTexts   = 64      // files whose text is kept: a combined archive has 14 components
)

func (l Limits) withDefaults() Limits {
	if l.Members <= 0 {
		l.Members = 250_000
	}
	if l.Names <= 0 {
		l.Names = 256 << 20
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

// stream is the number of bytes that a tar stream within l may have.
func (l Limits) stream() int64 { return l.Unpacked + int64(l.Members)*headerRoom }

// errStreamLimit is what a [boundedReader] says that has given all it may.
var errStreamLimit = errors.New("the unpacked stream is too long")

// boundedReader gives at most left bytes. It keeps the error that it met, and the
// last kilobyte, in which the end of a tar stream is seen.
type boundedReader struct {
	r    io.Reader
	left int64
	seen int64
	tail [2 * tarBlock]byte
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
	b.seen += int64(n)
	if n >= len(b.tail) {
		copy(b.tail[:], p[n-len(b.tail):n])
	} else if n > 0 {
		copy(b.tail[:], b.tail[n:])
		copy(b.tail[len(b.tail)-n:], p[:n])
	}
	if err != nil {
		b.err = err
	}
	return n, err
}

// zeroBlocks returns how many of the last two blocks read are zero.
func (b *boundedReader) zeroBlocks() int {
	n := 0
	for i := tarBlock; i >= 0; i -= tarBlock {
		if b.seen < int64(tarBlock*(n+1)) || [tarBlock]byte(b.tail[i:i+tarBlock]) != [tarBlock]byte{} {
			break
		}
		n++
	}
	return n
}
