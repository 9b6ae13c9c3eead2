package match

// Found is what the finder knows of a position: the longest match and, where
// there is one, a shorter and nearer match. It is packed:
//
//	bits 0-29   distance of the longest match, 0 for none
//	bits 30-35  its length minus foundBase; Cap means "or more"
//	bits 36-58  distance of the nearer match, 0 for none
//	bit  59     the longest match may go on after one other byte
//	bits 60-63  its length minus foundBase
type Found uint64

const (
	foundBase    = 2
	Cap          = foundBase + 1<<6 - 1
	nearMaxDist  = 1<<23 - 1
	foundTail    = 1 << 59
	nearMaxLen   = foundBase + 1<<4 - 1
	foundMinLen  = 3 // shorter matches are not worth a place
	foundMaxDist = 1<<30 - 1
)

func makeFound(length, dist int) Found {
	return Found(dist) | Found(length-foundBase)<<30 | foundTail
}

// cutTail clears the tail bit if the two bytes after the first that differs are
// known to differ too. differ has the bytes that follow the longest match, the
// first on top, exclusive or'ed with those that follow its copy; avail of them
// are known, the others are zero.
func (f Found) cutTail(differ uint64, avail int) Found {
	if differ<<8>>48 != 0 && avail > 1 {
		return f &^ foundTail
	}
	return f
}

// tail reports whether it may.
func (f Found) tail() bool { return f&foundTail != 0 }

// withNear adds a nearer match.
func (f Found) withNear(length, dist int) Found {
	if dist > nearMaxDist {
		return f
	}
	return f | Found(dist)<<36 | Found(min(length, nearMaxLen)-foundBase)<<60
}

func (f Found) longest() (length, dist int) {
	return int(f>>30&63) + foundBase, int(f & (1<<30 - 1))
}

func (f Found) nearer() (length, dist int) {
	return int(f>>60) + foundBase, int(f >> 36 & nearMaxDist)
}
