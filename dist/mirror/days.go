package mirror

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"x.go/manifests"
)

// nightlyDays yields the days that may have a nightly, the newest first. The error is the
// last that it yields.
func (m *mirror) nightlyDays(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		days, err := m.listedDays(ctx)
		if err != nil {
			yield("", err)
			return
		}
		if days == nil {
			m.stepDays(ctx, yield)
			return
		}
		for _, day := range days {
			if !yield(day, nil) {
				return
			}
		}
	}
}

// within reports whether a day is in the range that was asked for.
func (m *mirror) within(day string) bool {
	return (m.Since == "" || day >= m.Since) && (m.Until == "" || day <= m.Until)
}

// listedDays returns the days of all nightlies of a source that lists them: by
// manifests.txt, or because it is a store. It is nil for another source.
func (m *mirror) listedDays(ctx context.Context) ([]string, error) {
	days, ok, err := m.up.days(ctx, nightly)
	if err != nil {
		return nil, err
	}
	if !ok {
		text, err := m.up.fetch(ctx, manifestsList, manifests.MaxListing)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if day, of, ok := parseListLine(line); ok && of == nightly {
				days = append(days, day)
			}
		}
	}
	// The list of a mirror may be older than its channel.
	newest, err := m.newestNightly(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	days = slices.DeleteFunc(append(days, newest), func(day string) bool { return day == "" || !m.within(day) })
	slices.Sort(days)
	days = slices.Compact(days)
	slices.Reverse(days)
	return days, nil
}

// parseListLine reads a line of manifests.txt.
func parseListLine(line string) (day, channel string, ok bool) {
	line = strings.TrimSpace(line)
	i := strings.LastIndex(line, "/"+distDir)
	if i < 0 {
		return "", "", false
	}
	day, channel, ok = parseManifestName(line[i+1:])
	return day, channel, ok && day != ""
}

// newestNightly returns the day of the channel nightly.
func (m *mirror) newestNightly(ctx context.Context) (string, error) {
	data, err := m.manifest(ctx, manifestName("", nightly))
	if err != nil {
		return "", err
	}
	c, err := manifests.ParseChannel(data)
	if err != nil {
		return "", err
	}
	if !isDay(c.Date) {
		return "", errors.New("the manifest of nightly has no day")
	}
	return c.Date, nil
}

// stepDays yields each day from the newest nightly back, as rustup does, as far as there
// are nightlies.
func (m *mirror) stepDays(ctx context.Context, yield func(string, error) bool) {
	newest, err := m.newestNightly(ctx)
	if err != nil {
		yield("", err)
		return
	}
	day, err := time.Parse(time.DateOnly, newest)
	if err != nil {
		yield("", err)
		return
	}
	if until, err := time.Parse(time.DateOnly, m.Until); err == nil && until.Before(day) {
		day = until
	}
	for gap := 0; gap < maxGap; day = day.AddDate(0, 0, -1) {
		text := day.Format(time.DateOnly)
		if m.Since != "" && text < m.Since {
			return
		}
		sum, err := readOptional(ctx, m.up, manifestName(text, nightly)+manifests.ChecksumExt)
		if err != nil {
			yield("", err)
			return
		}
		if gap++; sum == nil {
			continue
		}
		gap = 0
		if !yield(text, nil) {
			return
		}
	}
}
