// Command mirror copies a part of a channel from one directory to another, and
// puts the channel of an own target on top of it:
//
//	mirror -from https://static.rust-lang.org/dist -to https://mirror.example.org/dist \
//		-hosts x86_64-unknown-linux-gnu -packages rustc,cargo,rust-std UPSTREAM OWN OUT
//
// UPSTREAM and OWN hold the files of a channel and its archives, as below -from;
// OUT gets both. It is the program of somebody who runs a mirror, written on
// package manifests alone.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"x.go/manifests"
	"x.go/targets"
)

func main() {
	m := mirror{}
	flag.StringVar(&m.from, "from", "", "`URL` of the directories in their channels")
	flag.StringVar(&m.to, "to", "", "`URL` of OUT")
	flag.StringVar(&m.name, "channel", "stable", "`name` of the channel")
	hosts := flag.String("hosts", "", "comma-separated `triples` of hosts to keep")
	packages := flag.String("packages", "", "comma-separated `names` of packages to keep")
	flag.Parse()
	if err := m.run(*hosts, *packages, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mirror:", err)
		os.Exit(1)
	}
}

// mirror is where channels come from, and where they go.
type mirror struct{ from, to, name, out string }

func (m mirror) run(hosts, packages string, dirs []string) error {
	if len(dirs) != 3 {
		return fmt.Errorf("got %d directories, want UPSTREAM OWN OUT", len(dirs))
	}
	m.out = dirs[2]
	part := manifests.Selection{Packages: strings.Split(packages, ","), Artifacts: []string{}}
	for _, name := range strings.Split(hosts, ",") {
		host, err := targets.ParseTriple(name)
		if err != nil {
			return err
		}
		part.Hosts = append(part.Hosts, host)
	}
	upstream, err := m.copy(dirs[0], part)
	if err != nil {
		return err
	}
	own, err := m.copy(dirs[1], manifests.Selection{})
	if err != nil {
		return err
	}
	channel, err := upstream.Merge(own, manifests.MergeOptions{AnyRelease: true})
	if err != nil {
		return err
	}
	if findings := channel.Validate(); findings != nil {
		return findings
	}
	return m.write(channel)
}

// copy copies a part of the channel in dir, and returns it as it is in its new
// place.
func (m mirror) copy(dir string, part manifests.Selection) (*manifests.Channel, error) {
	channel, err := m.read(dir)
	if err != nil {
		return nil, err
	}
	if channel, err = channel.Subset(part); err != nil {
		return nil, err
	}
	for _, file := range channel.Downloads() {
		name, err := filepath.Localize(strings.TrimPrefix(file.URL, m.from+"/")) // stays below OUT
		if err != nil {
			return nil, fmt.Errorf("copying %q: %w", file.URL, err)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if sum := manifests.HashOf(data); sum != file.Hash {
			return nil, fmt.Errorf("copying %q: got sha256 %s, want %s", name, sum, file.Hash)
		}
		if err := m.writeFile(name, data); err != nil {
			return nil, err
		}
	}
	return channel.Rebase(m.from, m.to)
}

// read reads the channel in dir, and holds it against its checksum.
func (m mirror) read(dir string) (*manifests.Channel, error) {
	file := filepath.Join(dir, "channel-rust-"+m.name+".toml")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	line, err := os.ReadFile(file + ".sha256")
	if err != nil {
		return nil, err
	}
	want, _, err := manifests.ParseChecksum(line)
	if err != nil {
		return nil, err
	}
	if got := manifests.HashOf(text); got != want {
		return nil, fmt.Errorf("reading %q: got sha256 %s, want %s", file, got, want)
	}
	return manifests.ParseChannel(text)
}

// write writes the channel under all of its names.
func (m mirror) write(channel *manifests.Channel) error {
	version, err := channel.Version()
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range manifests.ChannelFiles(version.Names(), version.CommitHash, channel, manifests.DialectDist) {
		errs = append(errs, m.writeFile(file.Name, file.Data))
		if path.Ext(file.Name) == ".toml" {
			fmt.Println(file.Name)
		}
	}
	return errors.Join(errs...)
}

func (m mirror) writeFile(name string, data []byte) error {
	file := filepath.Join(m.out, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o666)
}
