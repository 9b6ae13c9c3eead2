//go:build !unix

package testenv

func plainUmask() {}
