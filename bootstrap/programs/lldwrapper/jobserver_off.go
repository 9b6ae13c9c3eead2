//go:build !jobserver || !linux

package main

// runUnderJobserver does nothing in a wrapper that knows no jobserver.
func runUnderJobserver(command) {}
