// Package recompress compresses archives once more, as a release does with what CI
// compressed quickly. The tar stream inside is proven to stay the same, an input is
// only replaced by an archive that was read back, and a run that was killed is
// resumed from its record.
package recompress
