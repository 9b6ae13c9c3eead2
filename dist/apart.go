package dist

import (
	"path"
	"strings"
)

// Apart returns c with bulk directories that hold no path of the other components: one
// that does is listed by what c has in it, directories as far as they are c's alone. A
// removal of either component then leaves the other's files, since neither owns a
// directory that the other is in.
//
// apart is false if there was nothing to change. A path that both have stays as it is:
// see [CheckOwners].
func (c Component) Apart(others ...Component) (_ Component, apart bool) {
	shared := map[string]bool{} // what is above a line of the others
	for _, o := range others {
		for _, d := range o.Manifest() {
			for dir := range Parents(d.Path) {
				shared[dir] = true
			}
		}
	}
	var dirs []string
	for _, dir := range c.BulkDirs {
		if !shared[dir] {
			dirs = append(dirs, dir)
			continue
		}
		apart = true
		dirs = append(dirs, c.Image.unsharedDirs(dir, shared)...)
	}
	c.BulkDirs = dirs
	return c, apart
}

// unsharedDirs returns the directories below dir that are not shared, and lie in shared
// ones only, sorted.
func (m Image) unsharedDirs(dir string, shared map[string]bool) []string {
	var out []string
	for _, d := range m.Dirs() {
		if strings.HasPrefix(d, dir+"/") && shared[path.Dir(d)] && !shared[d] {
			out = append(out, d)
		}
	}
	return out
}
