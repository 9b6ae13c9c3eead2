package programs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"x.go/targets"
)

// guests holds the guest program for each machine, as guest/build.sh writes it with
// Debian's compilers. A test builds it again and compares.
//
//go:generate guest/build.sh
//go:embed guest/guest-x86_64 guest/guest-aarch64 guest/built
var guests embed.FS

// guestFor returns the guest program for a host, or nil if there is none. It is the
// same for all C libraries, since it uses none.
func guestFor(host *targets.Spec) []byte {
	if host.OS != "linux" || host.BigEndian {
		return nil
	}
	data, err := guests.ReadFile("guest/guest-" + host.Arch)
	if err != nil {
		return nil
	}
	return data
}

// guestMark stands before the room for settings, which starts with a NUL byte.
const (
	guestMark = "x.go guest settings:"
	guestRoom = 4096 + 512
)

// place writes the guest program with the settings of p.
func (p Build) place(guest []byte) error {
	program, err := p.withSettings(guest)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.Out), 0o755); err != nil {
		return err
	}
	// An earlier one may be running: it can be replaced, but not written to.
	if err := os.Remove(p.Out); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(p.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = f.Write(program)
	return errors.Join(err, f.Close())
}

// withSettings returns the guest program with its settings, each as "name=value" and a
// NUL byte.
func (p Build) withSettings(guest []byte) ([]byte, error) {
	at := bytes.Index(guest, []byte(guestMark))
	if at < 0 {
		return nil, errors.New("the guest program has no room for settings")
	}
	var text strings.Builder
	for _, v := range append([]Setting{{"job", p.Name}}, p.Settings...) {
		if strings.Contains(v.Value, "\x00") {
			return nil, fmt.Errorf("setting %q has a NUL byte: %q", v.Name, v.Value)
		}
		text.WriteString(v.Name + "=" + v.Value + "\x00")
	}
	if text.Len() >= guestRoom {
		return nil, fmt.Errorf("the settings have %d bytes, want less than %d: use a shorter path", text.Len(), guestRoom)
	}
	program := bytes.Clone(guest)
	copy(program[at+len(guestMark):], text.String())
	return program, nil
}

// Compiler returns what the program of a host was compiled by: a line such as "gcc
// 12.2.0" for the guest program, "" for one that Go compiles, which tells itself.
func Compiler(host *targets.Spec) string {
	if guestFor(host) == nil {
		return ""
	}
	data, err := guests.ReadFile("guest/built")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "gcc" && fields[1] == host.Arch {
			return "gcc " + fields[2]
		}
	}
	return ""
}
