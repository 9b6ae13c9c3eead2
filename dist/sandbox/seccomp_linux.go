package sandbox

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openCall is a system call that opens a file: the argument with the name, and that with
// the flags; -1 if they are elsewhere.
type openCall struct {
	number      uint32
	name, flags int
}

// reportTo is the number of the socket to the supervisor, before the program runs.
const reportTo = 3

// Offsets in struct seccomp_data, and the size of an argument there.
const (
	dataNumber, dataArch, dataArgs = 0, 4, 16
	argSize                        = 8
)

// x32 marks the system calls of the ABI of that name, which nobody uses.
const x32 = 0x40000000

// A filter program for the kernel.
type program []unix.SockFilter

func (p *program) load(offset uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
}

func (p *program) ret(action uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action})
}

// when runs body if what was loaded is value. Body ends in a ret on every way.
func (p *program) when(value uint32, body func(*program)) {
	var inner program
	body(&inner)
	*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jf: uint8(len(inner))})
	*p = append(*p, inner...)
}

func returns(action uint32) func(*program) { return func(p *program) { p.ret(action) } }

func refuse(e syscall.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// callFilter refuses sockets to other machines, and has the supervisor look at them, at
// connections, at signals and at files that are opened or changed. asked is what happens with those.
func callFilter(asked bool) program {
	network, files := refuse(unix.EACCES), uint32(unix.SECCOMP_RET_ALLOW)
	if asked {
		network, files = unix.SECCOMP_RET_USER_NOTIF, unix.SECCOMP_RET_USER_NOTIF
	}
	var p program
	p.load(dataArch)
	p.when(unix.AUDIT_ARCH_I386, func(p *program) { // 32-bit programs: socketcall, socket, io_uring_setup
		p.load(dataNumber)
		for _, number := range []uint32{102, 359, 425} {
			p.when(number, returns(refuse(unix.EACCES)))
		}
		p.ret(unix.SECCOMP_RET_ALLOW)
	})
	p.when(auditArch, func(p *program) {
		p.load(dataNumber)
		p.when(unix.SYS_IO_URING_SETUP, returns(refuse(unix.ENOSYS))) // it would open sockets unseen
		p.when(unix.SYS_SOCKET, func(p *program) {
			p.load(dataArgs)
			p.when(unix.AF_UNIX, func(p *program) {
				p.load(dataArgs + argSize)
				*p = append(*p, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf})
				p.when(unix.SOCK_STREAM, returns(unix.SECCOMP_RET_ALLOW))
				p.ret(refuse(unix.EACCES))
			})
			p.when(unix.AF_NETLINK, returns(refuse(unix.EACCES))) // C libraries ask it for addresses
			p.ret(network)
		})
		p.when(unix.SYS_CONNECT, returns(network))
		for _, c := range openCalls {
			p.when(c.number, returns(files))
		}
		for _, c := range changeCalls {
			p.when(c.number, returns(files))
		}
		p.when(unix.SYS_KILL, returns(files))
		*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: x32, Jf: 1})
		p.ret(refuse(unix.ENOSYS))
		p.ret(unix.SECCOMP_RET_ALLOW)
	})
	p.ret(refuse(unix.ENOSYS))
	return p
}

// filterCalls installs the filter in this thread, and sends the supervisor what it needs
// to answer it over a socket.
func filterCalls(socket int) error {
	defer unix.Close(socket)
	if auditArch == 0 {
		return nil
	}
	listener, err := install(callFilter(true), unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
	if err != nil { // another filter above has a listener, or the kernel is older than 5.5
		_, err = install(callFilter(false), 0)
		return err
	}
	defer unix.Close(listener)
	err = unix.Sendmsg(socket, []byte{0}, unix.UnixRights(listener), nil, 0)
	for errors.Is(err, unix.EINTR) {
		err = unix.Sendmsg(socket, []byte{0}, unix.UnixRights(listener), nil, 0)
	}
	return err
}

func install(p program, flags uintptr) (int, error) {
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// notification is struct seccomp_notif.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// reply is struct seccomp_notif_resp.
type reply struct {
	id    uint64
	value int64
	error int32
	flags uint32
}

// answer answers the questions of the filter until the program has ended.
func (s *supervisor) answer(socket int, done <-chan struct{}) {
	defer unix.Close(socket)
	listener, err := receive(socket)
	if err != nil {
		return // the filter works alone
	}
	defer unix.Close(listener)
	for {
		select {
		case <-done:
			return
		default:
		}
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 100)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n > 0 && poll[0].Revents&unix.POLLIN == 0 {
			return // nobody is left to ask
		}
		if n <= 0 {
			continue
		}
		var q notification
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&q))); errno != 0 {
			continue // who asked has ended
		}
		r := reply{id: q.id}
		if refused := s.look(q); refused {
			r.error = -int32(unix.EACCES)
		} else {
			r.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE // the kernel decides, by Landlock
		}
		for { // an error other than a signal of Go's runtime means that who asked has ended
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&r))); errno != unix.EINTR {
				break
			}
		}
	}
}

// receive takes the listener from the helper's other half.
func receive(socket int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	var b [1]byte
	_, n, _, _, err := unix.Recvmsg(socket, b[:], oob, unix.MSG_CMSG_CLOEXEC)
	for errors.Is(err, unix.EINTR) { // by a signal of Go's runtime
		_, n, _, _, err = unix.Recvmsg(socket, b[:], oob, unix.MSG_CMSG_CLOEXEC)
	}
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return 0, errors.Join(err, errors.New("no listener came"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, errors.Join(err, errors.New("no listener came"))
	}
	return fds[0], nil
}

// look judges one call, and reports whether to refuse it.
func (s *supervisor) look(q notification) (refuse bool) {
	switch q.nr {
	case unix.SYS_SOCKET:
		s.broke("it tried to reach the network: socket family %d", q.args[0])
		return true
	case unix.SYS_CONNECT:
		return s.lookConnect(q)
	case unix.SYS_KILL:
		return s.lookKill(q)
	}
	for _, c := range openCalls {
		if c.number == uint32(q.nr) {
			s.lookOpen(q, c)
		}
	}
	for _, c := range changeCalls {
		if c.number == uint32(q.nr) {
			s.lookChange(q, c)
		}
	}
	return false
}

// lookConnect judges a connection. A name service cache is what C libraries ask for
// users; they do without.
func (s *supervisor) lookConnect(q notification) bool {
	b := peek(q.pid, q.args[1], int(min(q.args[2], 110)))
	if len(b) < 3 {
		return true
	}
	switch name := string(b[2:]); {
	case b[0] != unix.AF_UNIX:
		s.broke("it tried to reach the network: address family %d", b[0])
	case b[2] == 0:
		s.broke("it tried to connect to the abstract socket %q", "@"+name[1:])
	default:
		path := cString(b[2:])
		if path != "/var/run/nscd/socket" && path != "/run/nscd/socket" {
			s.broke("it tried to connect to the socket %q", path)
		}
	}
	return true
}

// peek reads the memory of a process that waits for an answer.
func peek(pid uint32, address uint64, size int) []byte {
	if size <= 0 {
		return nil
	}
	b := make([]byte, size)
	local := []unix.Iovec{{Base: &b[0], Len: uint64(size)}}
	n, err := unix.ProcessVMReadv(int(pid), local, []unix.RemoteIovec{{Base: uintptr(address), Len: size}}, 0)
	if err != nil || n < 0 {
		return nil
	}
	return b[:n]
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
