// Package cli is the command line of x: commands, flags, printing and exit
// statuses. It is the only package that reads the environment, prints, or
// decides an exit status.
//
// Standard output is the answer (paths, tables, JSON); standard error is
// progress and messages that start with "x: ".
package cli
