//go:build !linux

package xz

// adviseHugePages does nothing: only Linux has to be asked.
func adviseHugePages([]byte) {}
