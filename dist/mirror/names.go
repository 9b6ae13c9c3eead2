package mirror

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"x.go/dist/channel"
	"x.go/dist/store"
	"x.go/manifests"
)

const (
	distDir      = "dist/"
	manifestStem = "channel-rust-"
	manifestExt  = ".toml"
	// manifestsList names all dated manifests.
	manifestsList = channel.ListingFile
)

// dayName matches the directories of dist that have the files of a day.
var dayName = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// isDay reports whether text is a day as the directories of dist have it: 2026-04-16.
func isDay(text string) bool { return dayName.MatchString(text) }

// manifestName returns the name of a channel's manifest in a store: that of a day, or
// the undated one if day is "".
func manifestName(day, channel string) string {
	return distDir + path.Join(day, manifestStem+channel+manifestExt)
}

// parseManifestName splits the name of a manifest in a store. day is "" for an undated
// one.
func parseManifestName(name string) (day, channel string, ok bool) {
	rest, ok := strings.CutPrefix(name, distDir)
	if !ok {
		return "", "", false
	}
	if before, base, dated := strings.Cut(rest, "/"); dated {
		if !isDay(before) {
			return "", "", false
		}
		day, rest = before, base
	}
	channel, isToml := strings.CutSuffix(rest, manifestExt)
	channel, isChannel := strings.CutPrefix(channel, manifestStem)
	if !isToml || !isChannel || channel == "" || strings.Contains(channel, "/") {
		return "", "", false
	}
	return day, channel, true
}

// fileName returns the name in a store of the file that a manifest names by a URL below
// [manifests.OfficialServer]. A manifest is a stranger's text: the name is that of a file
// in dist or in a directory of a day, and of no manifest or checksum.
func fileName(address string) (string, error) {
	rest, ok := strings.CutPrefix(address, manifests.OfficialServer+"/dist/")
	if !ok {
		return "", fmt.Errorf("got URL %.200q, want it below %s/dist", manifests.Redact(address), manifests.OfficialServer)
	}
	refuse := func(why string) (string, error) {
		return "", fmt.Errorf("got URL %.200q, want the plain address of a file: %s", manifests.Redact(address), why)
	}
	if strings.ContainsAny(rest, "?#\\") {
		return refuse("it has a query, a fragment or a backslash")
	}
	name, err := url.PathUnescape(rest)
	if err != nil || strings.Count(name, "/") != strings.Count(rest, "/") {
		return refuse("it hides characters behind a %")
	}
	if day, base, dated := strings.Cut(name, "/"); dated && (!channel.IsDated(day) || strings.Contains(base, "/")) {
		return refuse("it is neither in dist nor in a directory of a day")
	}
	base := path.Base(name)
	if strings.HasPrefix(base, manifestStem) || strings.HasPrefix(base, ".") || isSide(base) {
		return refuse("it is the name of a manifest, a checksum or a hidden file")
	}
	if err := store.CheckName(distDir + name); err != nil {
		return refuse(err.Error())
	}
	return distDir + name, nil
}

// sideExts end the names of files that belong to the one of the same name without.
var sideExts = []string{manifests.ChecksumExt, ".asc", ".sig", ".minisig"}

// isSide reports whether a file says something of another one.
func isSide(base string) bool {
	_, ok := cutSide(base)
	return ok
}

// cutSide returns the name of the file that a checksum or a signature belongs to.
func cutSide(name string) (of string, ok bool) {
	for _, ext := range sideExts {
		if of, ok := strings.CutSuffix(name, ext); ok {
			return of, true
		}
	}
	return name, false
}

// isManifestFile reports whether a file of dist belongs to a channel's manifest, such as
// channel-rust-stable-date.txt.sha256.
func isManifestFile(base string) bool { return strings.HasPrefix(base, manifestStem) }
