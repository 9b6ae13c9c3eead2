package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The names by which the helper is started; init compares them with os.Args[0].
const (
	superviseName = "x-sandbox-supervise"
	enterName     = "x-sandbox-enter"
	probeName     = "x-sandbox-probe"
)

func init() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case superviseName:
		os.Exit(superviseMain())
	case enterName:
		os.Exit(enterMain())
	case probeName:
		os.Exit(probeMain())
	}
}

// job is what the helper is told.
type job struct {
	Policy
	Path       string // of the program
	Landlock   int
	Namespaces bool
}

// maxOutcome is more than the bytes of an outcome: 20 names of maxPath bytes, each
// written as six at most.
const maxOutcome = 1 << 20

// outcome is what the helper tells.
type outcome struct {
	Broken []string       // how the program broke its bounds
	Signal syscall.Signal // that ended it; 0 if it exited
}

// namespaces are those that a program gets.
const namespaces = syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET

// attributes start the helper.
func attributes(ns bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if !ns {
		return a
	}
	a.Cloneflags = namespaces
	uid, gid := os.Geteuid(), os.Getegid()
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	return a
}

var support = sync.OnceValue(func() Support {
	s := Support{Landlock: landlockVersion()}
	if s.Landlock == 0 {
		s.Missing = append(s.Missing, "the kernel offers no Landlock, so that files are not protected")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args, cmd.SysProcAttr = []string{probeName}, attributes(true)
	cmd.Env = []string{}
	if err := cmd.Run(); err != nil {
		s.Missing = append(s.Missing, "this user gets no namespaces from the kernel, so that processes and the network are less protected")
	} else {
		s.Namespaces = true
	}
	return s
})

// Probe finds out what this machine offers. It does so once.
func Probe(context.Context) Support { return support() }

// probeMain runs in fresh namespaces: it needs to mount there.
func probeMain() int {
	if err := privateMounts(); err != nil {
		return 1
	}
	return 0
}

// Run runs a program to its end, in place of [exec.Cmd.Run]. It takes Path, Args, Dir,
// Env, Stdout and Stderr of cmd. broken says how the program broke its bounds; it was
// ended then. err is that of the program as [exec.Cmd.Run] returns it, or says why there
// is no sandbox. When Run returns, no process that the program started is left.
func (p Policy) Run(ctx context.Context, cmd *exec.Cmd) (broken []string, err error) {
	s := Probe(ctx)
	p.Read = append(slices.Clone(systemPaths()), realPaths(p.Read)...)
	p.Write = realPaths(p.Write)
	p.Limits = p.Limits.withDefaults().within(p.Write)
	text, err := json.Marshal(job{p, cmd.Path, s.Landlock, s.Namespaces})
	if err != nil {
		return nil, fmt.Errorf("describing a sandbox: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting a sandbox: %w", err)
	}
	defer r.Close()
	// The helper dies with this thread: see Pdeathsig in prctl(2).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Args = append([]string{superviseName, string(text)}, cmd.Args...)
	c.Dir, c.Env, c.Stdout, c.Stderr = cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr
	c.ExtraFiles, c.SysProcAttr = []*os.File{w}, attributes(s.Namespaces)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } // it ends the others first
	c.WaitDelay = 10 * time.Second
	err = c.Start()
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("starting a sandbox: %w", err)
	}
	// Before Wait: the helper does not end while the pipe is full.
	told, readErr := io.ReadAll(io.LimitReader(r, maxOutcome))
	err = c.Wait()
	var out outcome
	if readErr != nil || json.Unmarshal(told, &out) != nil {
		if ctx.Err() == nil {
			out.Broken = append(out.Broken, "it ended its supervisor")
		}
	}
	if out.Signal != 0 {
		err = fmt.Errorf("signal: %v", out.Signal)
	}
	return out.Broken, err
}

// within bounds limits by what this machine has: no program is to take all of it.
func (l Limits) within(dirs []string) Limits {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		l.Memory = min(l.Memory, int64(uint64(info.Totalram)*uint64(info.Unit)/4*3))
	}
	for _, dir := range dirs {
		var fs unix.Statfs_t
		if err := unix.Statfs(dir, &fs); err == nil {
			l.Disk = min(l.Disk, int64(fs.Bavail/2)*int64(fs.Bsize))
		}
	}
	l.File = min(l.File, l.Disk)
	return l
}

// private are the directories of a system that hold what is nobody else's business, or
// what others write to.
var private = []string{"home", "root", "tmp", "mnt", "media", "srv", "run", "var", "boot", "lost+found", "proc", "dev", "sys", "data", "workspace", "workspaces", "builds", "work"}

// privateEtc are patterns of files in /etc that only root should read.
var privateEtc = []string{"*shadow*", "ssh", "ssl", "sudo*", "krb5.keytab", "*secret*", "*password*", "*credential*", "NetworkManager", "wireguard", "openvpn", "docker", "kubernetes", "machine-id"}

// systemPaths are what every program may read: the system's programs, libraries and
// configuration, and not the files of its users.
var systemPaths = sync.OnceValue(func() []string {
	out := []string{"/proc", "/dev/shm", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/sys/kernel/mm", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/var/lib/sss/mc", "/run/systemd/resolve", "/run/current-system", "/run/booted-system"}
	list := func(dir string, not []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !slices.ContainsFunc(not, func(glob string) bool { ok, _ := filepath.Match(glob, e.Name()); return ok }) {
				out = append(out, filepath.Join(dir, e.Name()))
			}
		}
	}
	list("/", append(slices.Clone(private), "etc", ".*"))
	list("/etc", privateEtc)
	return out
})

// ReadBeside returns what a program of a search path needs to read: the directories
// themselves, the programs that their links lead to, and the libraries beside a bin.
func ReadBeside(searchPath string) []string {
	var out []string
	for _, dir := range filepath.SplitList(searchPath) {
		if !filepath.IsAbs(dir) {
			continue
		}
		out = append(out, dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.Type()&os.ModeSymlink == 0 {
				continue
			}
			if real, err := filepath.EvalSymlinks(filepath.Join(dir, e.Name())); err == nil && real != dir {
				out = append(out, real)
			}
		}
		if prefix, base := filepath.Split(filepath.Clean(dir)); base == "bin" {
			for _, name := range []string{"lib", "lib32", "lib64", "libexec", "include"} {
				out = append(out, filepath.Join(prefix, name))
			}
		}
	}
	return out
}

// realPaths resolves links, as the supervisor sees what is opened. What is not there is
// left as it is.
func realPaths(paths []string) []string {
	var out []string
	for _, p := range paths {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			out = append(out, real)
		} else {
			out = append(out, p)
		}
	}
	return out
}

// privateMounts lets this process mount without anybody else seeing it.
func privateMounts() error {
	return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

// under reports whether a path is one of roots or lies below it.
func under(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool {
		return path == r || strings.HasPrefix(path, strings.TrimSuffix(r, "/")+"/")
	})
}
