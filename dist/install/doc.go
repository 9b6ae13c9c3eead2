// Package install puts the components of a package into a prefix, as install.sh
// does: the same files, the same lists in lib/rustlib, the same uninstaller.
package install
