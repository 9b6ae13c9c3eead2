package verify

import (
	"encoding/binary"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist/archive"
	"x.go/dist/linkage"
	"x.go/dist/loader"
)

// maxELFHead bounds what is kept of an ELF file while it streams past, in bytes. The
// names of what libLLVM of 1.95.0 needs end at 4 MiB; those of all others before.
const maxELFHead = 6 << 20

// maxDynamicTable bounds the dynamic table, in bytes.
const maxDynamicTable = 64 << 10

// elfSink returns a sink that passes all on to next, which may be nil, and puts what
// the ELF files among the members need into found, by their paths in the archive
// below the top directory.
func elfSink(next archive.Sink, found map[string]linkage.Info) archive.Sink {
	return func(m archive.Member) (io.WriteCloser, error) {
		var to io.WriteCloser
		if next != nil {
			var err error
			if to, err = next(m); err != nil {
				return nil, err
			}
		}
		rel := archive.Below(m.Name)
		if rel == "" || !m.IsFile() || strings.Contains(rel, "/share/") {
			return to, nil
		}
		return &elfHead{next: to, done: func(info linkage.Info) { found[rel] = info }}, nil
	}
}

// elfHead keeps of a file what tells its needed libraries: the start, with the header
// and the names, and the dynamic table, which is near the end.
type elfHead struct {
	next     io.WriteCloser // may be nil
	done     func(linkage.Info)
	head     []byte
	off      int64 // bytes seen
	dynamic  []byte
	dynStart int64
	other    bool // it is no ELF file
}

// Write implements [io.Writer].
func (h *elfHead) Write(p []byte) (int, error) {
	if !h.other {
		h.keep(p)
	}
	h.off += int64(len(p))
	if h.next == nil {
		return len(p), nil
	}
	return h.next.Write(p)
}

func (h *elfHead) keep(p []byte) {
	if room := maxELFHead - len(h.head); room > 0 {
		h.head = append(h.head, p[:min(room, len(p))]...)
	}
	if len(h.head) >= 4 && string(h.head[:4]) != "\x7fELF" {
		h.other, h.head = true, nil
		return
	}
	if h.dynStart == 0 {
		h.dynStart = dynamicTable(h.head)
	}
	if h.dynStart <= 0 {
		return
	}
	// The part of p that belongs to the table.
	from := max(h.dynStart+int64(len(h.dynamic))-h.off, 0)
	if room := maxDynamicTable - len(h.dynamic); from < int64(len(p)) && room > 0 && h.off+from == h.dynStart+int64(len(h.dynamic)) {
		part := p[from:]
		h.dynamic = append(h.dynamic, part[:min(room, len(part))]...)
	}
}

// Close implements [io.Closer].
func (h *elfHead) Close() error {
	if !h.other && len(h.head) > 0 {
		forgetSections(h.head)
		// BOLT moves the program headers behind what they lead to, out of what was
		// kept. Such a file is there, and what it needs is left to the tests of the
		// unpacked tree.
		info, err := linkage.ReadLoaded(h)
		if err != nil {
			info = linkage.Info{}
		}
		h.done(info)
	}
	h.head, h.dynamic = nil, nil
	if h.next == nil {
		return nil
	}
	return h.next.Close()
}

// ReadAt implements [io.ReaderAt] for what was kept.
func (h *elfHead) ReadAt(b []byte, off int64) (int, error) {
	for _, part := range []struct {
		data  []byte
		start int64
	}{{h.head, 0}, {h.dynamic, h.dynStart}} {
		if off >= part.start && off < part.start+int64(len(part.data)) {
			n := copy(b, part.data[off-part.start:])
			if n < len(b) {
				return n, io.EOF
			}
			return n, nil
		}
	}
	return 0, io.EOF // this part was not kept
}

// elfLayout returns where a header has the offsets of its tables, or false for a file
// that is none.
func elfLayout(head []byte) (order binary.ByteOrder, wide, ok bool) {
	if len(head) < 64 {
		return nil, false, false
	}
	order = binary.LittleEndian
	if head[5] == 2 {
		order = binary.BigEndian
	}
	return order, head[4] == 2, true
}

// dynamicTable returns the offset of the dynamic table, 0 if more of the file is
// needed to know it, or -1 if there is none.
func dynamicTable(head []byte) int64 {
	order, wide, ok := elfLayout(head)
	if !ok {
		return 0
	}
	const dynamic = 2 // PT_DYNAMIC
	start, size, count, at := uint64(order.Uint32(head[28:])), uint64(order.Uint16(head[42:])), uint64(order.Uint16(head[44:])), uint64(4)
	if wide {
		start, size, count, at = order.Uint64(head[32:]), uint64(order.Uint16(head[54:])), uint64(order.Uint16(head[56:])), 8
	}
	if start > 1<<20 || size < 32 || count == 0 {
		return -1
	}
	if start+size*count > uint64(len(head)) {
		return 0
	}
	for i := range count {
		entry := head[start+i*size:]
		if order.Uint32(entry) != dynamic {
			continue
		}
		if wide {
			return int64(order.Uint64(entry[at:]) & (1<<62 - 1))
		}
		return int64(order.Uint32(entry[at:]))
	}
	return -1
}

// forgetSections takes the section headers, which were not kept, out of a header.
func forgetSections(head []byte) {
	switch _, wide, ok := elfLayout(head); {
	case !ok:
	case wide:
		clear(head[40:48])
	default:
		clear(head[32:36])
	}
}

// checkOwnLibraries requires that what the programs of a toolchain need of Rust's own
// libraries is in its archives. Where a compiler is installed, one that lacks them may
// run with the host's.
func checkOwnLibraries(packs []pack, p plan) *subject {
	s := newSubject(p.release+" "+p.host.String(), setOwnLibraries)
	infos := map[string]linkage.Info{}
	there := map[string]bool{} // names of files, wherever they are
	for _, f := range p.files {
		i := slices.IndexFunc(packs, func(q pack) bool { return q.path == f.path })
		if i < 0 || !packs[i].Complete {
			s.skipf(setOwnLibraries, "%s could not be read to its end", f.file)
			return s
		}
		for name, info := range packs[i].elf {
			_, below, _ := strings.Cut(name, "/") // the component's directory
			infos[below] = info
			there[path.Base(below)] = true
		}
	}
	tree := elfTree("", infos)
	system, seen := map[string]bool{}, map[loader.Need]bool{}
	for _, name := range slices.Sorted(maps.Keys(infos)) {
		if rest, ok := strings.CutPrefix(name, "lib/rustlib/"); ok && !strings.HasPrefix(rest, p.host.String()+"/") {
			continue
		}
		for _, n := range tree.Needs(name) {
			switch {
			case seen[n] || loader.OfficialDefect(n) != "" || n.How == loader.Moves || n.How == loader.Fixed || there[n.Library]:
			case loader.Own(n.Library):
				s.failf(setOwnLibraries, "%s needs %s, which is in none of the archives", n.File, n.Library)
			case !loader.Common(n.Library):
				system[n.Library] = true
			}
			seen[n] = true
		}
	}
	if len(system) > 0 {
		s.notef(setOwnLibraries, "the system has to bring %s", strings.Join(slices.Sorted(maps.Keys(system)), " "))
	}
	return s
}
