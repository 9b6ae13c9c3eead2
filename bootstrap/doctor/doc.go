// Package doctor says why a link failed, or succeeded and went wrong in silence.
//
// [Diagnose] reads the output of a build: it knows what LLD has printed since its
// version 5, what GNU ld, gold, mold and Wild print, the frames that gcc, clang, rustc
// and cargo put around that, and what a CI service adds to each line. A message is a
// symptom. A rule is a row that leads from symptoms, from the command of the link and
// from the files named in it to a [Cause], and from there to remedies.
//
// The package speaks about what differs between LLD and other linkers. Of an ordinary
// mistake, which every linker refuses, it says nothing: a library that is not
// installed, a symbol that nobody defines. It runs no program.
package doctor
