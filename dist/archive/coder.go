package archive

// coders names the compressors of the formats. A name changes whenever the same
// content and the same [Settings] become other bytes, so that archives which were kept
// under it are not taken for new ones.
var coders = map[Format]string{GZ: "gz-1", XZ: "xz-2", Zst: "zst-3"}

// Coder returns the name of the compressor of a format: archives of equal content, equal
// [Settings] and equal Coder are equal, whichever x wrote them.
func Coder(f Format) string { return coders[f] }
