package channel

import "testing"

func FuzzNetrc(f *testing.F) {
	for _, text := range []string{"machine h login a password b", `machine h login "a b" password "c\"`, "default login a", "macdef x\nmachine h\n\nmachine h", "machine", `"`, "#"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		user, password, ok := netrcLogin(text, "h")
		if !ok && user+password != "" {
			t.Errorf("%q: got %q, %q without an entry", text, user, password)
		}
		// What is in front counts, whatever comes behind.
		user, password, ok = netrcLogin("machine h login u password p\n"+text, "h")
		if !ok || user == "" && password == "" {
			t.Errorf("%q behind an entry: got %q, %q, %t", text, user, password, ok)
		}
	})
}
