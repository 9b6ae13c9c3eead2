package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"x.go/dist"
	"x.go/manifests"
)

// ReadBuildRecord returns the build record of an archive, which
// [manifests.ParseBuildRecord] reads, or nil if the archive has none. It reads the
// archive no further than to the record.
func ReadBuildRecord(ctx context.Context, path string) ([]byte, error) {
	r, err := Open(path, Limits{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		m, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !m.IsFile() || Below(m.Name) != manifests.BuildRecordFile {
			continue
		}
		data, err := dist.ReadAll(r, m.Name, manifests.MaxBuildRecord)
		if err != nil {
			return nil, fmt.Errorf("reading archive %q: %w", path, err)
		}
		return data, nil
	}
}
