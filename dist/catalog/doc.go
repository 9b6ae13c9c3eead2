// Package catalog writes the pages by which people look at a channel: what it offers to
// whom, since when and how large, and the list of a directory. They are HTML that needs
// neither a script nor another file.
package catalog
