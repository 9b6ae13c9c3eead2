//go:build !unix

package dist

// readable returns the error of opening a file for reading, if there is one.
func readable(path string) error {
	f, err := OpenFile(path)
	if err != nil {
		return err
	}
	return f.Close()
}
