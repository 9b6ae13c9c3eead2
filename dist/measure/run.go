package measure

import (
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Run runs a program to its end. Processor time is that of all its children, too, as far
// as their parents waited for them, and memory that of the largest of them.
func Run(cmd *exec.Cmd) (Figures, error) {
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	state := cmd.ProcessState
	if state == nil {
		return Figures{}, err
	}
	peak, floor := peakMemory(state), ownMemory()+countSlack
	return Figures{
		Wall: wall.Seconds(), CPU: (state.UserTime() + state.SystemTime()).Seconds(),
		Peak: Memory{Bytes: peak, Bound: peak > 0 && peak <= floor},
	}, err
}

// countSlack is how far the kernel's counts of memory may lag behind, in bytes: it
// collects them from processors in batches.
const countSlack = 1 << 20

// Tail keeps the last Limit bytes written to it: what a program complained of before it
// ended.
type Tail struct {
	Limit int
	data  []byte
	cut   bool
}

// Write implements [io.Writer].
func (t *Tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if more := len(t.data) - t.Limit; more > 0 {
		t.data, t.cut = append(t.data[:0], t.data[more:]...), true
	}
	return len(p), nil
}

// Text returns what was kept, without blanks around it. It starts with "… " if there
// was more.
func (t *Tail) Text() string {
	text := strings.TrimSpace(string(t.data))
	if t.cut && text != "" {
		text = "… " + text
	}
	return text
}

// Add puts the text behind err, in one line.
func (t *Tail) Add(err error) error {
	var lines []string
	for line := range strings.Lines(t.Text()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, strings.Join(lines, " | "))
}
