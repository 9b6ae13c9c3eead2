package xz

// found is what the finder knows of a position: the longest match and, where
// there is one, a shorter and nearer match. It is packed:
//
//	bits 0-29   distance of the longest match, 0 for none
//	bits 30-35  its length minus foundBase; foundCap means "or more"
//	bits 36-59  distance of the nearer match, 0 for none
//	bits 60-63  its length minus foundBase
type found uint64

const (
	foundBase    = 2
	foundCap     = foundBase + 1<<6 - 1
	nearMaxDist  = 1<<24 - 1
	nearMaxLen   = foundBase + 1<<4 - 1
	foundMinLen  = 3 // shorter matches are not worth a place
	foundMaxDist = 1<<30 - 1
)

func makeFound(length, dist int) found {
	return found(dist) | found(length-foundBase)<<30
}

// withNear adds a nearer match.
func (f found) withNear(length, dist int) found {
	if dist > nearMaxDist {
		return f
	}
	return f | found(dist)<<36 | found(min(length, nearMaxLen)-foundBase)<<60
}

func (f found) longest() (length, dist int) {
	return int(f>>30&63) + foundBase, int(f & (1<<30 - 1))
}

func (f found) nearer() (length, dist int) {
	return int(f>>60) + foundBase, int(f >> 36 & nearMaxDist)
}
