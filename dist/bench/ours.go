package bench

import "strconv"

// What x's own coders are called on the command line of `x bench coder`.
var (
	ourFormats  = []string{"xz", "zst", "gz"}
	ourProfiles = []string{"fast", "balanced", "best"}
)

// The branch filters of `x bench coder --bcj`, by the machine code that they are
// for.
const (
	noFilter    = ""
	filterX86   = "x86"
	filterARM64 = "arm64"
)

// encoders returns x's coders and the other programs. A filter adds one.
func (s *session) encoders(filter string) []coder {
	var out []coder
	for _, format := range ourFormats {
		for _, profile := range ourProfiles {
			out = append(out, s.ours(format, profile, noFilter))
			if format == "xz" && profile == "best" && filter != noFilter {
				out = append(out, s.ours(format, profile, filter))
			}
		}
	}
	return append(out, s.peers...)
}

// ours is one of x's own encoders.
func (s *session) ours(format, profile, filter string) coder {
	c := coder{
		Tool: "x " + format, Level: profile, Format: format, Ours: true, Program: s.X,
		Args: []string{"bench", "coder", "--jobs", strconv.Itoa(s.Jobs), "--format", format, "--profile", profile},
	}
	if filter != noFilter {
		c.Level += "+bcj"
		c.Args = append(c.Args, "--bcj", filter)
	}
	c.Args = append(c.Args, argIn)
	return c
}

// decoder is x's own decoder.
func (s *session) decoder(format string) coder {
	return coder{
		Tool: "x", Level: "decoder", Format: format, Ours: true, Program: s.X,
		Args: []string{"bench", "coder", "--jobs", strconv.Itoa(s.Jobs), "--decode", argIn},
	}
}
