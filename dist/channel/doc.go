// Package channel reads and serves channels of rustup where they lie: in a
// directory, or on a server.
//
// A place is a path, a file:// URL or an http(s) URL. [Fetch] and [Hash] read what
// is at a place, [Locate] finds the file that a manifest names, and [Serve] serves a
// channel as rustup's distribution server. What a manifest says is the business of
// package manifests.
package channel
