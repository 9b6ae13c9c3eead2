package measure

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine is what a comparison was made on.
type Machine struct {
	CPU    string    `json:"cpu"`    // model, "" where the system does not tell
	Cores  int       `json:"cores"`  // that this process may use
	Memory int64     `json:"memory"` // bytes, 0 where the system does not tell
	OS     string    `json:"os"`     // in Go's words, as Arch
	Arch   string    `json:"arch"`
	Go     string    `json:"go"`             // version that built our own coders
	Load   []float64 `json:"load,omitempty"` // load averages of 1, 5 and 15 minutes at the start
}

// ThisMachine describes the machine that it runs on. What only Linux tells, in
// /proc, is left out elsewhere.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()}
	m.CPU = procField("/proc/cpuinfo", "model name")
	m.Memory = kilobytes(procField("/proc/meminfo", "MemTotal"))
	load, _ := os.ReadFile("/proc/loadavg")
	for i, word := range strings.Fields(string(load)) {
		if v, err := strconv.ParseFloat(word, 64); err == nil && i < 3 {
			m.Load = append(m.Load, v)
		}
	}
	return m
}

// Facts are what a reader wants to know of m; extra facts come before the load.
func (m Machine) Facts(extra ...string) []string {
	var facts []string
	if m.CPU != "" {
		facts = append(facts, m.CPU)
	}
	facts = append(facts, fmt.Sprintf("%d cores", m.Cores))
	if m.Memory > 0 {
		facts = append(facts, fmt.Sprintf("%.3g GiB", float64(m.Memory)/(1<<30)))
	}
	facts = append(append(facts, m.OS+"/"+m.Arch), extra...)
	if len(m.Load) > 0 {
		facts = append(facts, fmt.Sprintf("load %.2f at the start", m.Load[0]))
	}
	return facts
}

// procField returns the first value of a key in a file of lines "key: value".
func procField(path, key string) string {
	data, _ := os.ReadFile(path) // not there on other systems
	for line := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// kilobytes reads a value such as "24689756 kB" as bytes, 0 if it is none.
func kilobytes(value string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64)
	if err != nil || n < 0 || n > MaxBytes>>10 {
		return 0
	}
	return n << 10
}

// ownMemory returns the most memory that this process had resident, in bytes,
// or 0 where the system does not tell. A child's count starts with it: until it
// becomes another program it shares the memory of the process that started it.
func ownMemory() int64 { return kilobytes(procField("/proc/self/status", "VmHWM")) }

// Said returns what a program prints when it is run with arg, whatever its status is. env
// is as in [exec.Cmd].
func Said(ctx context.Context, path, arg string, env []string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, arg)
	out := &head{limit: 64 << 10}
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = env, out, out, time.Second
	_ = cmd.Run() // the text is all there is
	return string(out.data)
}

// head keeps the first bytes written to it.
type head struct {
	data  []byte
	limit int
}

// Write implements [io.Writer].
func (h *head) Write(p []byte) (int, error) {
	h.data = append(h.data, p[:min(len(p), h.limit-len(h.data))]...)
	return len(p), nil
}
