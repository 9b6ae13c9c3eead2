package install

import (
	"errors"
	"io/fs"

	"x.go/dist"
	"x.go/manifests"
)

// Components returns the names of the components that are installed in the directories
// of opts, in their order. What is not there has none.
func Components(opts Options) ([]string, error) {
	l, err := opts.layout()
	if err != nil {
		return nil, err
	}
	data, err := dist.ReadFile(l.at(l.libdir, dist.RecordsDir).join(manifests.ComponentsFile).path(), maxText)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return manifests.ParseComponentNames(data)
}
