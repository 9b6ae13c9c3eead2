package linkbench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"x.go/dist"
)

// The helper is this program, started once more under one of these names while the
// variable leads to a [job]. It never reaches main.
const (
	jobVariable   = "X_LINKBENCH"
	crateVariable = "X_LINKBENCH_CRATE"

	wrapperName = "x-linkbench-rustc" // as RUSTC_WRAPPER
	rustcName   = "rustc"             // on PATH, before the real one
	linkerName  = "ld.bfd"            // in a directory for the C compiler
)

func init() {
	if len(os.Args) == 0 || os.Getenv(jobVariable) == "" {
		return
	}
	roles := map[string]func(job) error{wrapperName: wrapRustc, rustcName: beRustc, linkerName: beLinker}
	role := roles[filepath.Base(os.Args[0])]
	if role == nil {
		return
	}
	j, err := readJob(os.Getenv(jobVariable))
	if err == nil {
		err = role(j)
	}
	status := 0
	if err != nil {
		status = 1
		if e, ok := err.(exitStatus); ok {
			status = int(e)
		} else {
			fmt.Fprintln(os.Stderr, "x:", err)
		}
	}
	os.Exit(status)
}

// exitStatus is that of a linker that has told its own errors.
type exitStatus int

// Error implements [error].
func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// job is what the helper is told.
type job struct {
	Program string   // the linker
	Argv0   string   // its name for itself
	Args    []string // behind those that it gets
	Driver  string   // name to look for in the C compiler's own directories first; "" for none
	Tools   string   // directory in which the C compiler finds the helper
	Bin     string   // directory on PATH that holds the helper as rustc
	Wrapper []string // that the user has around rustc
	Target  string   // directory that outputs have to be below; "" for any
	Log     string   // file that records are added to
}

// maxJob and maxLog bound what is read back: a build of 100,000 links writes less.
const (
	maxJob = 1 << 20
	maxLog = 64 << 20
)

func readJob(path string) (job, error) {
	var j job
	data, err := dist.ReadFile(path, maxJob)
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil {
		return j, fmt.Errorf("reading the order of a comparison of linkers %q: %w", path, err)
	}
	return j, nil
}

// record is a crate that rustc was to make or a link, as one line of the log.
type record struct {
	Crate  string `json:"crate"`
	Helper bool   `json:"helper,omitempty"` // runs only during the build
	Links  bool   `json:"links,omitempty"`  // rustc was to make something that is linked
	Link   *link  `json:"link,omitempty"`
}

// add writes a record in one piece: several helpers run at a time.
func (j job) add(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(j.Log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("adding a record: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("adding a record: %w", err)
	}
	return nil
}
