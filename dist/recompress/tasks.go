package recompress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"x.go/dist/archive"
	"x.go/dist/xz"
	"x.go/manifests"
)

// Tasks is the work of a release in tasks for many machines: the content of a plan
// file. It is the same wherever it is made from the same archives, named by the same
// words, with the same options: nothing in it depends on the machine.
type Tasks struct {
	Version int `json:"version"`
	// Sources are the directories and stores of the inputs, as the user named them.
	Sources  []string `json:"sources"`
	Settings Settings `json:"settings"`
	// Tasks are the tasks by number, the longest first: an engine that starts them in
	// this order ends soonest.
	Tasks []Task `json:"tasks"`
}

// Settings are the options that decide the bytes of the outputs, and Jobs.
type Settings struct {
	Formats   []archive.Format `json:"formats"`
	Profile   archive.Profile  `json:"profile"`
	BCJ       string           `json:"bcj"`                  // see [xz.ParseBCJ]
	MaxMemory int64            `json:"max_memory,omitempty"` // bytes; 0 sets no limit
	BlockSize int64            `json:"block_size,omitempty"` // bytes of a block of xz; 0 means the profile's
	Jobs      int              `json:"jobs"`                 // processors that a task is planned for
}

// Task is what one machine does at a time: the archives of one tar stream, or a part
// of one archive.
type Task struct {
	Name    string         `json:"name"` // of the archives, without extension
	Input   TaskInput      `json:"input"`
	TarSize int64          `json:"tar_size"` // bytes
	Tar     manifests.Hash `json:"tar_sha256"`
	Outputs []TaskOutput   `json:"outputs"`
	// Part is nil for whole archives.
	Part *Part `json:"part,omitempty"`
	// Memory is what the task takes at most, in bytes, about.
	Memory int64 `json:"memory"`
	// Seconds is the estimated time of one processor; see [estimate].
	Seconds int64 `json:"processor_seconds"`
}

// TaskInput is the file that a task reads.
type TaskInput struct {
	Source int            `json:"source"` // index in Sources
	Name   string         `json:"name"`   // file name
	Size   int64          `json:"size"`   // bytes
	SHA256 manifests.Hash `json:"sha256"`
}

// TaskOutput is an archive, or a part of one.
type TaskOutput struct {
	Name   string         `json:"name"` // file name of the archive
	Format archive.Format `json:"format"`
	// Settings is the digest of the compressor's settings.
	Settings manifests.Hash `json:"settings_sha256"`
	// Key is the name in a store: what the bytes depend on.
	Key string `json:"key"`
}

// Part is a range of the tar stream that becomes xz blocks of its own.
type Part struct {
	Index  int   `json:"index"`  // from 0
	Count  int   `json:"count"`  // parts of the archive
	Offset int64 `json:"offset"` // bytes in the tar stream
	Size   int64 `json:"size"`   // bytes of the tar stream
}

const (
	tasksVersion = 1
	maxTasks     = 1 << 16
	// maxTasksFile bounds a plan file in bytes; a task takes 1.2 KB.
	maxTasksFile = 128 << 20
)

// keyOf returns the name of an output in a store. Equal keys mean equal bytes.
func keyOf(tar manifests.Hash, f archive.Format, settings manifests.Hash, p *Part) string {
	name := settings.String()
	if p != nil {
		name += fmt.Sprintf(".part-%05d", p.Index)
	}
	return path.Join("recompressed", archive.Coder(f), tar.String(), name+f.Ext())
}

// settingsDigest returns the digest of what the bytes of an archive depend on besides
// its content and the coder.
func settingsDigest(s archive.Settings) manifests.Hash {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers
	}
	return manifests.HashOf(data)
}

// Encode returns the content of a plan file.
func (t *Tasks) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(t, "", " ")
	return append(data, '\n'), err
}

// parseTasks reads a plan file, which may be of a stranger: every number has its
// bounds, and every name is that of a file in a directory. Keys follow from digests.
func parseTasks(data []byte) (*Tasks, error) {
	if len(data) > maxTasksFile {
		return nil, fmt.Errorf("got %d bytes, want at most %d", len(data), maxTasksFile)
	}
	var head struct{ Version *int } // first: another one may have other fields
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if head.Version == nil || *head.Version != tasksVersion {
		return nil, fmt.Errorf("got no version %d: make the plan with this x", tasksVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	t := &Tasks{}
	if err := dec.Decode(t); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the end")
	}
	return t, t.check()
}

// writer returns the Writer of the outputs.
func (s Settings) writer() (archive.Writer, error) {
	bcj, err := xz.ParseBCJ(s.BCJ)
	if err != nil {
		return archive.Writer{}, err
	}
	return Options{Formats: s.Formats, Profile: s.Profile, BCJ: bcj, MaxMemory: s.MaxMemory, BlockSize: s.BlockSize, Jobs: s.Jobs}.writer()
}

// maxTaskJobs bounds the processors of a task, maxSeconds its time, and maxMemory the
// bytes that it takes: sums of them do not overflow.
const (
	maxTaskJobs = 1 << 10
	maxSeconds  = 1 << 30
	maxMemory   = 1 << 50
)

func (t *Tasks) check() error {
	if len(t.Tasks) == 0 || len(t.Tasks) > maxTasks {
		return fmt.Errorf("got %d tasks, want 1 to %d", len(t.Tasks), maxTasks)
	}
	if len(t.Sources) == 0 || len(t.Sources) > maxTasks {
		return fmt.Errorf("got %d sources, want 1 to %d", len(t.Sources), maxTasks)
	}
	for _, s := range t.Sources {
		if s == "" || strings.ContainsRune(s, 0) {
			return fmt.Errorf("got source %.200q, want a directory or a store", s)
		}
	}
	s := t.Settings
	if len(s.Formats) == 0 || s.Profile == "" || s.Jobs < 1 || s.Jobs > maxTaskJobs || s.BlockSize < 0 || s.MaxMemory < 0 {
		return errors.New("the settings are not complete")
	}
	if _, err := s.writer(); err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	parts := map[slot]piece{}
	for i, task := range t.Tasks {
		if err := t.checkTask(task, parts); err != nil {
			return fmt.Errorf("task %d: %w", i, err)
		}
	}
	return checkParts(parts)
}

func (t *Tasks) checkTask(task Task, parts map[slot]piece) error {
	stem, f, ok := splitArchiveName(task.Input.Name)
	if err := manifests.CheckMemberName(task.Input.Name); err != nil {
		return err
	}
	switch in := task.Input; {
	case !ok || stem != task.Name || strings.ContainsAny(in.Name, `/\`):
		return fmt.Errorf("got input %.200q, want the name of an archive of %.200q", in.Name, task.Name)
	case in.Source < 0 || in.Source >= len(t.Sources):
		return fmt.Errorf("got source %d of %d", in.Source, len(t.Sources))
	case in.Size <= 0 || f == "" && in.Size != task.TarSize || in.SHA256.IsZero():
		return fmt.Errorf("input %.200q is not complete", in.Name)
	case task.TarSize <= 0 || task.TarSize > inputLimits.Unpacked || task.Tar.IsZero():
		return fmt.Errorf("got a tar stream of %d bytes, want 1 to %d", task.TarSize, inputLimits.Unpacked)
	case task.Memory <= 0 || task.Memory > maxMemory || task.Seconds <= 0 || task.Seconds > maxSeconds:
		return fmt.Errorf("got %d bytes of memory and %d seconds, want 1 to %d and 1 to %d", task.Memory, task.Seconds, int64(maxMemory), maxSeconds)
	case len(task.Outputs) == 0:
		return errors.New("it has no outputs")
	}
	if err := task.checkPart(t.Settings.BlockSize); err != nil {
		return err
	}
	for _, o := range task.Outputs {
		if _, err := manifests.ParseFormat(string(o.Format)); err != nil {
			return err
		}
		if o.Name != task.Name+o.Format.Ext() || o.Settings.IsZero() || o.Key != keyOf(task.Tar, o.Format, o.Settings, task.Part) {
			return fmt.Errorf("output %.200q does not fit its key %.200q", o.Name, o.Key)
		}
		part := Part{Count: 1, Size: task.TarSize}
		if task.Part != nil {
			part = *task.Part
		}
		if err := addPart(parts, o.Name, piece{part, task.TarSize, task.Tar, o.Settings}); err != nil {
			return err
		}
	}
	return nil
}

// checkSettings returns an error unless this x compresses a task as the plan says: a
// release of several settings, or of several versions of x, would not be what one
// machine makes.
func (t *Tasks) checkSettings(task Task) error {
	w, err := t.Settings.writer()
	if err != nil {
		return err
	}
	j, err := w.PlanStreams([]archive.Stream{task.stream()})
	if err != nil {
		return err
	}
	planned := j.Plans()[0].Archives
	for _, o := range task.Outputs {
		i := slices.IndexFunc(planned, func(a archive.FormatPlan) bool { return a.Format == o.Format })
		if i < 0 {
			return fmt.Errorf("planning %q: the settings of the plan have no format %s", o.Name, o.Format)
		}
		if got := settingsDigest(planned[i].Settings); got != o.Settings {
			return fmt.Errorf("planning %q: got settings of digest %s, want %s as in the plan: use the x that made it", o.Name, got, o.Settings)
		}
	}
	return nil
}

// checkPart checks the part of a task by itself. Parts are made of whole blocks: only
// the last one may be shorter.
func (task Task) checkPart(block int64) error {
	p := task.Part
	if p == nil {
		return nil
	}
	switch {
	case block <= 0 || len(task.Outputs) != 1 || task.Outputs[0].Format != archive.XZ:
		return errors.New("it is a part, which only an xz archive of blocks has")
	case p.Count < 2 || p.Count > maxTasks || p.Index < 0 || p.Index >= p.Count:
		return fmt.Errorf("got part %d of %d", p.Index, p.Count)
	case p.Offset < 0 || p.Size <= 0 || p.Offset > task.TarSize-p.Size || p.Offset%block != 0,
		p.Index < p.Count-1 && p.Size%block != 0, (p.Index == p.Count-1) != (p.Offset+p.Size == task.TarSize):
		return fmt.Errorf("got part of %d bytes at %d of a tar stream of %d bytes in blocks of %d", p.Size, p.Offset, task.TarSize, block)
	}
	return nil
}
