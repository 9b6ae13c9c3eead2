package measure

import "fmt"

// Figures are what one run of a program took.
type Figures struct {
	Wall  float64 `json:"wall_s"` // seconds from start to end
	CPU   float64 `json:"cpu_s"`  // seconds of processors, in user and system mode
	Peak  Memory  `json:"peak"`
	Bytes int64   `json:"bytes"` // of the output
}

// Memory is the most memory that a process had resident.
type Memory struct {
	Bytes int64 `json:"bytes"` // 0 if the system does not tell
	// Bound says that it may have been less: the kernel counts a process from
	// the memory of the one that starts it.
	Bound bool `json:"bound,omitempty"`
}

// Ratio is a median divided by that of the baseline; 0 where that is 0.
type Ratio struct {
	Size float64 `json:"size"`
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
	Peak float64 `json:"peak"`
}

// To returns f as parts of base.
func (f Figures) To(base Figures) *Ratio {
	return &Ratio{
		Size: divide(float64(f.Bytes), float64(base.Bytes)), Wall: divide(f.Wall, base.Wall),
		CPU: divide(f.CPU, base.CPU), Peak: divide(float64(f.Peak.Bytes), float64(base.Peak.Bytes)),
	}
}

// Limits of what a measurement can have given.
const (
	MaxRounds  = 1000
	MaxBytes   = 1 << 60
	MaxSeconds = 1e9
)

// Check finds what no measurement can have given.
func (f Figures) Check() error {
	seconds := min(f.Wall, f.CPU) >= 0 && max(f.Wall, f.CPU) <= MaxSeconds
	bytes := min(f.Bytes, f.Peak.Bytes) >= 0 && max(f.Bytes, f.Peak.Bytes) <= MaxBytes
	if !seconds || !bytes {
		return fmt.Errorf("got a run of %g s, %g s of processors, %d bytes in memory and %d of output", f.Wall, f.CPU, f.Peak.Bytes, f.Bytes)
	}
	return nil
}

// OptionError says that an option of a comparison has a wrong value. It is returned
// before any work is done.
type OptionError struct {
	Option string // name of the field
	Err    error
}

// Error returns "option NAME: " and what is wrong.
func (e *OptionError) Error() string { return "option " + e.Option + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *OptionError) Unwrap() error { return e.Err }

// OptionErrorf is an [*OptionError] with a text.
func OptionErrorf(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}
