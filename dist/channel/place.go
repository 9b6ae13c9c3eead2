package channel

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// An AbsentError says that a file of a manifest on disk is not on disk.
type AbsentError struct {
	// Name is the file's name.
	Name string
	// Missing says that it should be: the manifest lies in a mirror, which has the
	// directory of the file or was given as a URL. Otherwise other servers may have
	// it, and are not asked.
	Missing bool
}

// Error returns what was looked for.
func (e *AbsentError) Error() string {
	if e.Missing {
		return fmt.Sprintf("%q is missing: it is neither where its URL says, below the directory of the manifest, nor beside the manifest", e.Name)
	}
	return fmt.Sprintf("%q is not beside the manifest, and other servers are asked only for a manifest given by URL", e.Name)
}

// Locate returns the place of the file that a manifest names by a URL. manifest is
// the place of the manifest.
//
// For a manifest on a server, that is the URL, with [manifests.OfficialServer]
// replaced by the manifest's own server, as rustup does. For a manifest on disk it
// is the file at the same path below the directory that has dist, if the manifest
// is in the layout of static.rust-lang.org, or else a file beside the manifest:
// before publication its URLs do not answer yet. No server is asked on behalf of a
// manifest on disk: the error is an [*AbsentError] if there is no such file.
func Locate(manifest, url string) (string, error) {
	if p, ok := dist.FilePath(url); ok {
		return p, nil
	}
	local, ok := LocalPath(manifest)
	if !ok {
		return rewrite(manifest, url), nil
	}
	dir, err := filepath.Abs(filepath.Dir(local))
	if err != nil {
		return "", err
	}
	name := path.Base(url)
	missing := false
	for _, rel := range BelowDist(url) {
		for _, root := range []string{distOf(filepath.ToSlash(dir)), filepath.ToSlash(dir)} {
			file := filepath.FromSlash(path.Join(root, rel))
			if isFile(file) {
				return file, nil
			}
			if dated := path.Dir(rel); root != "" && dated != "/" {
				info, err := os.Stat(filepath.FromSlash(path.Join(root, dated)))
				missing = missing || err == nil && info.IsDir()
			}
		}
	}
	if beside := filepath.Join(filepath.Dir(local), name); isFile(beside) {
		return beside, nil
	}
	official := strings.HasPrefix(url, manifests.OfficialServer+"/")
	return "", &AbsentError{name, missing || IsURL(manifest) && official}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// BelowDist returns the path of a URL below a directory dist, from "/", as far as it
// has one: that of rustup's own server first.
func BelowDist(url string) []string {
	if rest, ok := strings.CutPrefix(url, manifests.OfficialServer+"/dist/"); ok {
		return []string{path.Clean("/" + rest)}
	}
	if i := strings.LastIndex(url, "/dist/"); i >= 0 {
		return []string{path.Clean("/" + url[i+len("/dist/"):])}
	}
	return nil
}

// datedName matches the directories of dist that have the files of a day.
var datedName = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// IsDated reports whether dist has a directory of that name for the files of a day
// (2026-04-16) or for those before a release (staging).
func IsDated(name string) bool { return datedName.MatchString(name) || name == "staging" }

// distOf returns the directory dist that a manifest in dir belongs to, or "": dir
// itself or, for a dated directory, the one above.
func distOf(dir string) string {
	dir = strings.TrimSuffix(dir, "/")
	if IsDated(path.Base(dir)) {
		dir = path.Dir(dir)
	}
	if path.Base(dir) != "dist" {
		return ""
	}
	return dir
}

// rewrite does what rustup does with a URL of a manifest from another server.
func rewrite(manifest, url string) string {
	rest, ok := strings.CutPrefix(url, manifests.OfficialServer+"/")
	if !ok || strings.HasPrefix(manifest, manifests.OfficialServer+"/") {
		return url
	}
	scheme, at, _ := strings.Cut(manifest, "://")
	i := strings.LastIndex(at, "/")
	if i < 0 {
		return url
	}
	dist := distOf(at[:i])
	if dist == "" {
		return url
	}
	return scheme + "://" + strings.TrimSuffix(dist, "dist") + rest
}
