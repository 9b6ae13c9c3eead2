//go:build !unix

package optouts

// noFollow is what systems without such a flag have.
const noFollow = 0
