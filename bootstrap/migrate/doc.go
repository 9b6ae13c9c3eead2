// Package migrate rewrites a bootstrap.toml of one release for another. Comments
// and layout stay, and a key whose meaning cannot be kept is left for a person to change.
package migrate
