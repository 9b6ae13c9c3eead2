// Package sandbox runs programs of strangers so that they can harm nothing.
//
// A program sees the system read-only, writes only where its [Policy] says, reaches no
// network, and ends within limits of memory, processes and disk. When it ends, all that
// it started is ended too. On Linux this takes Landlock, and namespaces where the kernel
// gives them to this user; [Probe] says what there is. Elsewhere programs run as they
// are.
//
// The limits of a process can only be set from within. So the program that imports this
// package starts itself once more, under a name that [init] knows: the helper never
// reaches main.
package sandbox

import (
	"fmt"
	"strings"
)

// Mode says whether a sandbox is wanted.
type Mode string

// The modes.
const (
	// Auto uses what the machine offers.
	Auto Mode = "auto"
	// Require fails where the machine offers no whole sandbox.
	Require Mode = "require"
	// Off uses none.
	Off Mode = "off"
)

// Modes returns all modes, the default first.
func Modes() []Mode { return []Mode{Auto, Require, Off} }

// Policy is what a program may do.
type Policy struct {
	// Read are files and directories that it may read and run, besides those of the
	// system: see [systemPaths].
	Read []string
	// Write are directories that it may write to.
	Write []string
	// Hide are files that it must not find. They are hidden only with namespaces.
	Hide []string
	// Limits bound what it and all that it starts may take together.
	Limits Limits
}

// Limits bound a program and its children. Zero fields mean the defaults; of a small
// machine's memory and of its free disk space, part is left to others.
type Limits struct {
	Memory    int64 // bytes in use; default 8 GiB
	Disk      int64 // bytes below the directories of Write; default 8 GiB
	File      int64 // bytes of one file; default 4 GiB
	Processes int   // default 512
}

func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = 8 << 30
	}
	if l.Disk == 0 {
		l.Disk = 8 << 30
	}
	if l.File == 0 {
		l.File = 4 << 30
	}
	if l.Processes == 0 {
		l.Processes = 512
	}
	return l
}

// Support is what a machine offers.
type Support struct {
	// Landlock is the version of its interface; 0 if there is none.
	Landlock int
	// Namespaces says that this user gets namespaces of users, processes, mounts and
	// the network.
	Namespaces bool
	// Missing says what is not there, for a reader.
	Missing []string
}

// Whole reports whether nothing is missing.
func (s Support) Whole() bool { return len(s.Missing) == 0 }

// Any reports whether there is anything to contain a program with.
func (s Support) Any() bool { return s.Landlock > 0 || s.Namespaces }

// String says how programs are contained: "in a sandbox".
func (s Support) String() string {
	switch {
	case s.Whole():
		return fmt.Sprintf("sandboxed (Landlock %d, namespaces): system read-only, no network", s.Landlock)
	case s.Any():
		return "sandboxed in part: " + strings.Join(s.Missing, "; ")
	}
	return "without a sandbox: " + strings.Join(s.Missing, "; ")
}
