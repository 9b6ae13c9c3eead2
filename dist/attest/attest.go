package attest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"x.go/dist"
	"x.go/dist/sign"
	"x.go/manifests"
)

// Options say how a channel directory is signed.
type Options struct {
	// Signers each write a signature beside every manifest, every provenance and
	// SHA256SUMS. No two may have one extension.
	Signers []sign.Signer
	// Time is when the signatures say that they were made. With the zero value that is
	// now, and a good signature of the same key stays as it is.
	Time time.Time
	// Version is that of x, for the provenance.
	Version string
	Jobs    int  // how many files are read at once; 0 means GOMAXPROCS
	DryRun  bool // make everything but the files
	// Waiting, if not nil, is called once while another process has the directory.
	Waiting func(holder string)
}

// File is a file that was written, or that was right already.
type File struct {
	Name string `json:"name"`
	// Status is "written" or "kept".
	Status string `json:"status"`
	// Signature is of a signature file; nil for other files.
	Signature *sign.Signature `json:"signature,omitempty"`
}

// Statuses of a [File].
const (
	written = "written"
	kept    = "kept"
)

// Channel signs the channel directory dir, as `x dist` and `x channel make` leave it. It
// reads all files that it stands for: a digest that differs from the one in a manifest
// or a .sha256 file is an error, and then nothing is written. Files of one directory
// belong to one date. It returns the files in the order of their names.
func Channel(ctx context.Context, dir string, opts Options) ([]File, error) {
	files, err := signChannel(ctx, dir, opts)
	if err != nil {
		return nil, fmt.Errorf("signing channel directory %q: %w", dir, err)
	}
	return files, nil
}

func signChannel(ctx context.Context, dir string, opts Options) ([]File, error) {
	if opts.Jobs <= 0 {
		opts.Jobs = runtime.GOMAXPROCS(0)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, dist.WithoutPath(err)
	}
	defer root.Close()
	if !opts.DryRun {
		waiting := opts.Waiting
		if waiting == nil {
			waiting = func(string) {}
		}
		lock, err := dist.Lock(ctx, root, waiting)
		if err != nil {
			return nil, err
		}
		defer lock.Remove()
	}
	d, err := readDir(ctx, root, opts)
	if err != nil {
		return nil, err
	}
	w := &writer{root: root, opts: opts}
	defer w.discard()
	if err := w.statements(d); err != nil {
		return nil, err
	}
	if err := w.signatures(ctx); err != nil {
		return nil, err
	}
	if !opts.DryRun {
		if err := w.commit(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(w.files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return w.files, nil
}

// writer collects the files to write.
type writer struct {
	root  *os.Root
	opts  Options
	files []File
	// signed are the files to sign, by name.
	signed map[string][]byte
	// new are complete and lack their names: statements first, then signatures.
	texts, sigs []*dist.NewFile
	stale       []string // signatures of what changes, that nobody makes anew
}

func (w *writer) discard() {
	for _, f := range slices.Concat(w.texts, w.sigs) {
		f.Discard()
	}
}

// commit gives the files their names. Old signatures go first, and new ones come last:
// what lies beside a file in the meantime never contradicts it.
func (w *writer) commit() error {
	stale := slices.Clone(w.stale)
	for _, f := range w.files {
		if f.Signature != nil && f.Status == written {
			stale = append(stale, f.Name)
		}
	}
	if err := dist.RemoveAll(w.root, stale...); err != nil {
		return err
	}
	return dist.CommitAll(w.root, w.texts, w.sigs)
}

// write prepares a file, unless it has the content already, which it reports.
func (w *writer) write(name string, data []byte, to *[]*dist.NewFile) (same bool, err error) {
	old, err := dist.ReadOwn(w.root, name, int64(len(data)))
	same = err == nil && bytes.Equal(old, data)
	if same || w.opts.DryRun {
		return same, nil
	}
	f, err := dist.NewSmallFile(w.root, name, data)
	if err != nil {
		return false, err
	}
	*to = append(*to, f)
	return false, nil
}

// statement prepares a file that says something of the channel.
func (w *writer) statement(name string, data []byte) error {
	same, err := w.write(name, data, &w.texts)
	if err != nil {
		return err
	}
	w.files = append(w.files, File{name, status(same), nil})
	if same {
		return nil
	}
	for _, ext := range []string{sign.OpenPGPExt, sign.MinisignExt} {
		if !slices.ContainsFunc(w.opts.Signers, func(s sign.Signer) bool { return s.Keyring().Ext() == ext }) {
			w.stale = append(w.stale, name+ext)
		}
	}
	return nil
}

func status(same bool) string {
	if same {
		return kept
	}
	return written
}

// statements prepares SHA256SUMS and the provenances.
func (w *writer) statements(d *directory) error {
	w.signed = map[string][]byte{}
	sums := d.sums
	for _, m := range d.manifests {
		w.signed[m.name] = m.data
		p, err := manifests.NewProvenance(m.name, manifests.HashOf(m.data), m.channel, d.built(m.channel), w.opts.Version)
		if err != nil {
			return err
		}
		data, err := p.Encode()
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(m.name, ".toml") + manifests.ProvenanceExt
		w.signed[name], sums[name] = data, manifests.HashOf(data)
		if err := errors.Join(w.statement(name, data), w.statement(name+manifests.ChecksumExt, manifests.FormatChecksum(sums[name], name))); err != nil {
			return err
		}
	}
	data := manifests.FormatChecksums(sums)
	w.signed[manifests.ChecksumsFile] = data
	return w.statement(manifests.ChecksumsFile, data)
}

// signatures prepares a signature of each signer over each file.
func (w *writer) signatures(ctx context.Context) error {
	at := w.opts.Time
	if at.IsZero() {
		at = time.Now()
	}
	seen := map[string]bool{}
	for _, s := range w.opts.Signers {
		ext := s.Keyring().Ext()
		if seen[ext] {
			return fmt.Errorf("two keys would write signatures called *%s: give one", ext)
		}
		seen[ext] = true
		for name, data := range w.signed {
			if err := w.signature(ctx, s, sign.Message{Name: name, Data: data, Time: at}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) signature(ctx context.Context, s sign.Signer, m sign.Message) error {
	name := m.Name + s.Keyring().Ext()
	old, err := dist.ReadOwn(w.root, name, sign.MaxSignature)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		if made, err := s.Keyring().Check(m.Data, old); err == nil && (w.opts.Time.IsZero() || made.Time.Equal(w.opts.Time)) {
			w.files = append(w.files, File{name, kept, &made})
			return nil
		}
	}
	text, made, err := sign.MakeSignature(ctx, s, m)
	if err != nil {
		return err
	}
	if _, err := w.write(name, text, &w.sigs); err != nil {
		return err
	}
	w.files = append(w.files, File{name, written, &made})
	return nil
}
