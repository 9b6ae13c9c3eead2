// Package install installs components into a prefix, as install.sh does: the same
// files, the same records in lib/rustlib, the same uninstaller.
package install
