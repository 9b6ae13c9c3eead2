package dist

import (
	"io"

	"github.com/ulikunitz/xz"
)

// newXZWriter returns a writer of one xz stream without an integrity check, as
// rust-installer and promote-release write it: the archive has a SHA-256 anyway.
func newXZWriter(w io.Writer, l xzLevel) (io.WriteCloser, error) {
	return xz.WriterConfig{DictCap: l.dict, BlockSize: l.block, NoCheckSum: true}.NewWriter(w)
}

// xzWriterMemory estimates what a writer of that level holds, in bytes.
func xzWriterMemory(l xzLevel) int64 { return 5*int64(l.dict) + 4<<20 }

// newXZReader returns a reader of one xz stream.
func newXZReader(r io.Reader) (io.Reader, error) {
	return xz.ReaderConfig{SingleStream: true}.NewReader(r)
}
