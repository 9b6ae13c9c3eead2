package publish

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"x.go/dist/compose"
	"x.go/dist/sign"
	"x.go/manifests"
)

// undatedFile returns the name of the file at a URL directly below the official dist: a
// name that each release of a day takes over from the last, so that no manifest may
// refer to it for good.
func undatedFile(url string) (name string, ok bool) {
	name, ok = strings.CutPrefix(url, manifests.OfficialServer+"/dist/")
	return name, ok && !strings.Contains(name, "/")
}

// date gives the channel the day of publication, and its URLs the directory of the day.
// x dist leaves URLs without one, which fit a flat directory. anew says that the manifest
// is another than before; one that is signed cannot be.
func (p *Plan) date() (anew bool, err error) {
	from := p.source.Channel
	day := from.Date
	if p.options.Date != "" {
		if _, err := time.Parse(time.DateOnly, p.options.Date); err != nil {
			return false, fmt.Errorf("reading the day of publication: got %q, want YYYY-MM-DD", p.options.Date)
		}
		day = p.options.Date
	}
	base := manifests.OfficialServer + "/dist/" + day + "/"
	moved := 0
	c := from.WithURLs(func(url string) string {
		if _, elsewhere := p.redirected(url); elsewhere {
			return url // where the other server has it
		}
		name, ok := undatedFile(url)
		if !ok && day != from.Date {
			name, ok = strings.CutPrefix(url, manifests.OfficialServer+"/dist/"+from.Date+"/")
		}
		if !ok {
			return url
		}
		moved++
		return base + name
	})
	if moved == 0 && day == from.Date {
		return false, nil
	}
	if name := signedBy(p.source); name != "" {
		return false, &DateError{signature: name, day: day}
	}
	c.Date = day
	p.source.Channel, p.source.Text = c, c.Encode(manifests.DialectDist)
	p.Notes = append(p.Notes, fmt.Sprintf("the manifests that are published are of %s, with URLs below %s", day, strings.TrimSuffix(base, "/")))
	return true, nil
}

// DateError says that a channel cannot get the URLs of its day, since it is signed.
type DateError struct {
	signature string // the file that would no longer fit
	day       string
}

// Error says what to do.
func (e *DateError) Error() string {
	return fmt.Sprintf("its URLs must be those of the day %s, and with %q it can no longer be changed: make the channel with them, and sign that", e.day, e.signature)
}

// signedBy returns the name of a file that says something of the bytes of the manifests:
// "" if there is none.
func signedBy(s *compose.Source) string {
	dir := filepath.Dir(s.Place)
	names := []string{manifests.ChecksumsFile}
	for _, name := range s.Names {
		file := path.Base(channelFile(name))
		names = append(names, file+sign.OpenPGPExt, file+sign.MinisignExt, strings.TrimSuffix(file, ".toml")+manifests.ProvenanceExt)
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return name
		}
	}
	return ""
}

// remade returns what says in public what files on disk do not say, by their names there.
func (p *Plan) remade() map[string][]byte {
	r := reader{src: p.source, anew: p.anew}
	out := map[string][]byte{}
	for _, name := range p.source.Names {
		for _, suffix := range movingSuffixes {
			for _, ext := range []string{"", manifests.ChecksumExt} {
				base := channelPrefix + name + suffix + ext
				if data, ok := r.remade(base); ok {
					out[base] = data
				}
			}
		}
	}
	return out
}

// remade returns the content of a file of the channel that says what the one on disk no
// longer says, if the manifests are not those on disk.
func (r *reader) remade(base string) (data []byte, ok bool) {
	of, isSum := strings.CutSuffix(base, manifests.ChecksumExt)
	name := nameOf(of, r.src.Names)
	if !r.anew || name == "" {
		return nil, false
	}
	switch strings.TrimPrefix(of, channelPrefix+name) {
	case ".toml":
		data = r.src.Text
	case "-date.txt":
		data = []byte(r.src.Channel.Date)
	default:
		return nil, false
	}
	if isSum {
		return manifests.FormatChecksum(manifests.HashOf(data), of), true
	}
	return data, true
}
