package recompress

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// RecordName is the file in which [Job.Run] records what it wrote to a directory.
// The next run skips what is done. The file may be removed at any time: then
// everything is done again.
const RecordName = ".x-recompress.json"

const (
	recordVersion = 1
	maxRecord     = 64 << 20 // bytes; an archive takes 0.6 KB
)

// recordFile is the content of a record. It is written before its archives get
// their names, so an entry counts only if the file has the digest in it.
type recordFile struct {
	Version int `json:"version"`
	// Inputs were read and Archives written; both by file name.
	Inputs   map[string]recordedFile    `json:"inputs"`
	Archives map[string]recordedArchive `json:"archives"`
}

// recordedFile says which tar stream a file holds.
type recordedFile struct {
	Size    int64          `json:"size"` // bytes
	SHA256  manifests.Hash `json:"sha256"`
	TarSize int64          `json:"tar_size"`
	Tar     manifests.Hash `json:"tar_sha256"`
}

// recordedArchive also says how the file was compressed.
type recordedArchive struct {
	recordedFile
	Settings archive.Settings `json:"settings"`
	// Files is that of [archive.Content], if the archive was made of files.
	Files manifests.Hash `json:"files_sha256,omitzero"`
	// Coder is that of [archive.Coder]. Records of before have none: then it is the
	// first of its format.
	Coder string `json:"coder,omitempty"`
}

// firstCoders are the coders of entries without one.
var firstCoders = map[archive.Format]string{archive.GZ: "gz-1", archive.XZ: "xz-1", archive.Zst: "zst-1"}

// entryOf returns the entry of an archive.
func entryOf(f recordedFile, p archive.FormatPlan) recordedArchive {
	return recordedArchive{recordedFile: f, Settings: p.Settings, Coder: archive.Coder(p.Format)}
}

// written returns the entry of an archive that was written as it is planned now.
func (r *openRecord) written(p archive.FormatPlan) (recordedArchive, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.Archives[p.Name]
	return a, ok && a.Settings == p.Settings && cmp.Or(a.Coder, firstCoders[p.Format]) == archive.Coder(p.Format)
}

// openRecord is the record of a directory while a run adds to it.
type openRecord struct {
	dir string
	mu  sync.Mutex
	recordFile
}

// readRecord reads the record of dir; there may be none yet. A killed run leaves no
// half record, so one that cannot be read was changed by others. Whether to do
// hours of work again is for the user to decide: it is an error.
func readRecord(dir string) (*openRecord, error) {
	r, err := loadRecord(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: remove it to do everything again", err)
	}
	return r, nil
}

// loadRecord is readRecord without a remedy.
func loadRecord(dir string) (*openRecord, error) {
	r := &openRecord{dir: dir, recordFile: recordFile{Version: recordVersion}}
	root, err := os.OpenRoot(dir)
	var data []byte
	if err == nil {
		defer root.Close()
		data, err = dist.ReadOwn(root, RecordName, maxRecord)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = r.parse(data)
	}
	if err != nil {
		return nil, fmt.Errorf("reading record %q: %w", filepath.Join(dir, RecordName), dist.WithoutPath(err))
	}
	return r, nil
}

// parse reads data into r.
func (r *recordFile) parse(data []byte) error {
	// The version first: another one may have other fields.
	var head struct{ Version int }
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.Version != recordVersion {
		return fmt.Errorf("got version %d, want %d", head.Version, recordVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return err
	}
	for name, f := range r.Inputs {
		if err := f.check(name); err != nil {
			return err
		}
	}
	for name, a := range r.Archives {
		if err := a.check(name); err != nil {
			return err
		}
	}
	return nil
}

func (f recordedFile) check(name string) error {
	if name == "" || strings.ContainsAny(name, `/\`) || f.Size <= 0 || f.TarSize <= 0 || f.SHA256.IsZero() || f.Tar.IsZero() {
		return fmt.Errorf("entry %.200q is not complete", name)
	}
	return nil
}

// find returns the entry for a file of size bytes. It calls sum for the digest of
// the file only if an entry has that size.
func (r *openRecord) find(size int64, sum func() (manifests.Hash, error)) (recordedFile, bool, error) {
	var digest manifests.Hash
	matches := func(f recordedFile) (bool, error) {
		if f.Size != size {
			return false, nil
		}
		var err error
		if digest.IsZero() {
			digest, err = sum()
		}
		return err == nil && digest == f.SHA256, err
	}
	for _, f := range r.Inputs {
		if ok, err := matches(f); ok || err != nil {
			return f, ok, err
		}
	}
	for _, a := range r.Archives {
		if ok, err := matches(a.recordedFile); ok || err != nil {
			return a.recordedFile, ok, err
		}
	}
	return recordedFile{}, false, nil
}

// add adds entries and writes the record.
func (r *openRecord) add(inputs map[string]recordedFile, archives map[string]recordedArchive) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Inputs == nil {
		r.Inputs = map[string]recordedFile{}
	}
	if r.Archives == nil {
		r.Archives = map[string]recordedArchive{}
	}
	maps.Copy(r.Inputs, inputs)
	maps.Copy(r.Archives, archives)
	data, err := json.MarshalIndent(r.recordFile, "", " ")
	if err == nil {
		err = dist.WriteFile(filepath.Join(r.dir, RecordName), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing record %q: %w", filepath.Join(r.dir, RecordName), err)
	}
	return nil
}
