package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	watchEvery = 50 * time.Millisecond
	diskEvery  = 10 // watches
	// grace is how long children may take to end after the program itself.
	grace = 500 * time.Millisecond
	// threadsEach is how many threads a process may have, on average. A kernel from 6.14
	// on bounds those of a namespace.
	threadsEach = 8
	minPIDs     = 400 // the kernel wants more than 300
	// ownThreads is more than the supervisor ever uses at once.
	ownThreads = 24
)

// supervisor starts the program, watches it and ends what it leaves. It is outside of
// the program's bounds, and the first process of its namespace: the kernel ends all
// others with it.
type supervisor struct {
	job
	mu   sync.Mutex
	out  outcome
	main int // process number of the program
}

// superviseMain is the helper's first half. Its exit status is the program's.
func superviseMain() int {
	unix.CloseOnExec(3)
	told := os.NewFile(3, "outcome")
	s := &supervisor{}
	if err := json.Unmarshal([]byte(os.Args[1]), &s.job); err != nil {
		return s.failed("reading what to run", err)
	}
	status := s.run()
	if err := json.NewEncoder(told).Encode(s.out); err != nil {
		return s.failed("telling the outcome", err)
	}
	return status
}

// failed tells of trouble with the sandbox itself.
func (s *supervisor) failed(what string, err error) int {
	fmt.Fprintf(os.Stderr, "error: sandbox: %s: %v\n", what, err)
	return 125
}

func (s *supervisor) broke(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	for _, b := range s.out.Broken {
		if b == text {
			return
		}
	}
	if len(s.out.Broken) < 20 {
		s.out.Broken = append(s.out.Broken, text)
	}
}

func (s *supervisor) run() int {
	reserveThreads(ownThreads)
	if s.Namespaces {
		if err := s.mounts(); err != nil {
			return s.failed("mounting", err)
		}
	}
	// Orphans become this process's children, without namespaces too.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return s.failed("adopting processes", err)
	}
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM)
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{enterName}, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// A signal to the program's own group, which is number 0 to it, ends no more than that.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return s.failed("starting the program", err)
	}
	report := os.NewFile(uintptr(pair[1]), "report")
	cmd.ExtraFiles = []*os.File{report} // its number is reportTo
	err = cmd.Start()
	report.Close()
	if err != nil {
		return s.failed("starting the program", err)
	}
	s.main = cmd.Process.Pid
	done, silent := make(chan struct{}), make(chan struct{})
	var watching, answering sync.WaitGroup
	watching.Go(func() { s.watch(done, ends) })
	answering.Go(func() { s.answer(pair[0], silent) })
	status := s.wait()
	close(done)
	watching.Wait()
	s.leftovers() // they may still ask
	s.filledDisk()
	close(silent)
	answering.Wait()
	if status.Signaled() {
		s.out.Signal = status.Signal()
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// reserveThreads has Go's runtime start n threads, which it then keeps for later. It ends
// the process if it needs one and gets none, as when a program has taken all numbers of
// the namespace.
func reserveThreads(n int) {
	var started, done sync.WaitGroup
	all := make(chan struct{})
	started.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread() // so that each has a thread of its own
			defer runtime.UnlockOSThread()
			started.Done()
			<-all
		})
	}
	started.Wait()
	close(all)
	done.Wait()
}

// mounts hides files, and shows the processes of the namespace only.
func (s *supervisor) mounts() error {
	if err := privateMounts(); err != nil {
		return err
	}
	for _, path := range s.Hide {
		// /dev/null is nothing that can be run, so that a search goes on.
		if err := unix.Mount("/dev/null", path, "", unix.MS_BIND, ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("hiding %q: %w", path, err)
		}
	}
	if err := s.readOnly(); err != nil {
		return err
	}
	// In some containers the kernel refuses both. Then the numbers in /proc are those of
	// outside, and nothing else limits the number of processes but the watch.
	if unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") == nil {
		_ = os.WriteFile("/proc/sys/kernel/pid_max", []byte(strconv.Itoa(max(minPIDs, threadsEach*s.Limits.Processes))), 0)
	}
	return nil
}

// readOnly makes all mounts read-only but those of the directories to write to. Landlock
// knows no right to change modes or times.
func (s *supervisor) readOnly() error {
	for _, dir := range s.Write {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("keeping %q writable: %w", dir, err)
		}
	}
	set := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, set); err != nil {
		if errors.Is(err, unix.ENOSYS) {
			return nil // before Linux 5.12
		}
		return fmt.Errorf("making the system read-only: %w", err)
	}
	for _, dir := range s.Write {
		clr := &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(unix.AT_FDCWD, dir, unix.AT_RECURSIVE, clr); err != nil {
			return fmt.Errorf("keeping %q writable: %w", dir, err)
		}
	}
	wd, err := os.Getwd()
	if err == nil {
		err = os.Chdir(wd) // it may lie below what was mounted over it
	}
	return err
}

// wait reaps children until the program itself has ended.
func (s *supervisor) wait() syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil && !errors.Is(err, syscall.EINTR) || pid == s.main {
			return status
		}
	}
}

// watch holds the program to its limits, and ends everything if it is told to.
func (s *supervisor) watch(done <-chan struct{}, ends <-chan os.Signal) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		case <-ends:
			s.kill()
		case <-ticker.C:
			s.measure(n%diskEvery == 0)
		}
	}
}

func (s *supervisor) measure(disk bool) {
	numbers := processNumbers()
	if self, err := os.Readlink("/proc/self"); err == nil && self == "1" && len(numbers) > s.Limits.Processes+1 {
		// All are the program's. To look at each takes long where many keep the machine busy.
		s.broke("it ran more than %d processes at once", s.Limits.Processes)
		s.kill()
		return
	}
	all := descendants(numbers)
	var memory int64
	for _, p := range all {
		memory += p.memory
	}
	switch {
	case len(all) > s.Limits.Processes:
		s.broke("it ran more than %d processes at once", s.Limits.Processes)
	case memory > s.Limits.Memory:
		s.broke("it used more than %d MiB of memory", s.Limits.Memory>>20)
	case disk && s.filledDisk():
	default:
		return
	}
	s.kill()
}

// filledDisk notes how much the program wrote, if it was too much.
func (s *supervisor) filledDisk() bool {
	sum, largest := diskUsage(s.Write)
	switch {
	case largest >= s.Limits.File: // it cannot grow: see RLIMIT_FSIZE in getrlimit(2)
		s.broke("it wrote a file of %d MiB, the most that it may", s.Limits.File>>20)
	case sum > s.Limits.Disk:
		s.broke("it wrote more than %d MiB", s.Limits.Disk>>20)
	default:
		return false
	}
	return true
}

// kill ends all processes but this one.
func (s *supervisor) kill() {
	if os.Getpid() == 1 {
		_ = syscall.Kill(-1, syscall.SIGKILL) // all of the namespace
		return
	}
	for _, p := range descendants(processNumbers()) {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// leftovers ends what is left when the program itself has ended.
func (s *supervisor) leftovers() {
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if !reap() {
			return
		}
	}
	names := map[string]bool{}
	for _, p := range descendants(processNumbers()) {
		if !names[p.name] {
			names[p.name] = true
			s.broke("it left a process behind: %q", p.name)
		}
	}
	for range 1000 { // a process that forks may escape one round, not all
		s.kill()
		if !reap() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// reap collects children that have ended, and reports whether others are left.
func reap() bool {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return err == nil
		}
	}
}

// process is a row of /proc.
type process struct {
	pid, parent int
	name        string
	memory      int64 // bytes resident
}

// processNumbers are the names in /proc that are numbers.
func processNumbers() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var out []int
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// descendants are those of some processes that this one, or a descendant of it, started.
func descendants(numbers []int) []process {
	self, err := os.Readlink("/proc/self") // numbered as the rest of /proc
	if err != nil {
		return nil
	}
	me, err := strconv.Atoi(self)
	if err != nil {
		return nil
	}
	children := map[int][]process{}
	for _, n := range numbers {
		if p, ok := readProcess(n); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var out []process
	for todo := []int{me}; len(todo) > 0; todo = todo[1:] {
		for _, p := range children[todo[0]] {
			out = append(out, p)
			todo = append(todo, p.pid)
		}
		delete(children, todo[0])
	}
	return out
}

// readProcess reads /proc/NUMBER/stat: "12 (name) S 1 ...", with the resident pages as
// field 24.
func readProcess(pid int) (process, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	text := string(b)
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return process{}, false
	}
	fields := strings.Fields(text[end+1:]) // from the third on
	if len(fields) < 22 {
		return process{}, false
	}
	parent, _ := strconv.Atoi(fields[1])
	pages, _ := strconv.ParseInt(fields[21], 10, 64)
	return process{pid, parent, text[open+1 : end], pages * int64(os.Getpagesize())}, true
}

// diskUsage is the bytes that the files below some directories take, and the size of the
// largest.
func diskUsage(dirs []string) (sum, largest int64) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // it is being removed
			}
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				largest = max(largest, info.Size())
				if st, ok := info.Sys().(*syscall.Stat_t); ok {
					sum += st.Blocks * 512 // a file with holes takes no more
				}
			}
			return nil
		})
	}
	return sum, largest
}
