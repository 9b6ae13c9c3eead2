package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"x.go/dist"
	"x.go/dist/mirror"
	"x.go/dist/verify"
)

// isStoreURL reports whether an argument of x verify can only be a store: the URL of a
// bucket, or of a directory.
func isStoreURL(arg string) bool {
	scheme, _, ok := strings.Cut(arg, "://")
	return ok && scheme != "http" && scheme != "https" && !strings.HasSuffix(arg, ".toml")
}

// storesAnswer is the answer of x verify of stores.
type storesAnswer struct {
	Passed bool            `json:"passed"`
	Stores []mirror.Report `json:"stores"`
}

// verifyStores checks whether stores have all that their manifests name.
func (a *app) verifyStores(ctx context.Context, places []string, f verifyFlags) error {
	keyrings, err := a.readKeyrings(f.keyrings)
	if err != nil {
		return err
	}
	answer := storesAnswer{Passed: true, Stores: []mirror.Report{}}
	for _, place := range places {
		s, err := a.openStore(ctx, place)
		if err != nil {
			return err
		}
		p := a.newInstallProgress()
		report, err := mirror.Verify(ctx, s, mirror.VerifyOptions{Listing: f.listing, Keyrings: keyrings, Jobs: a.flags.jobs, Progress: func(e mirror.Event) {
			switch {
			case e.End:
				p.end(e.Name)
			case p.bars != nil || a.flags.verbose:
				p.reading(e.Name, e.Done, e.Total)
			}
		}})
		p.close()
		if err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
		answer.Passed = answer.Passed && report.Passed
		answer.Stores = append(answer.Stores, report)
	}
	if err := errors.Join(a.writeReport(storeReport(answer, f), f), a.printStores(answer, f.listing)); err != nil {
		return err
	}
	if !answer.Passed {
		return exitError{code: exitFail}
	}
	return nil
}

// storeReport has what was found as checks, for --html and --junit.
func storeReport(answer storesAnswer, f verifyFlags) verify.Report {
	out := verify.Report{Program: "x " + buildVersion().Version, Inputs: []string{}, Checks: []verify.Check{}}
	for _, r := range answer.Stores {
		out.Inputs = append(out.Inputs, r.Store)
		for _, info := range verify.Catalogue() {
			kind, ok := strings.CutPrefix(info.Name, string(verify.Store)+"/")
			if !ok || kind == "digest" && f.listing || kind == "signature" && len(f.keyrings.files) == 0 {
				continue
			}
			c := verify.Check{Name: info.Name, Subject: r.Store, Status: verify.Pass}
			for _, p := range r.Problems {
				if p.Kind == kind {
					c.Findings = append(c.Findings, p.Name+": "+p.Text)
				}
			}
			if len(c.Findings) > 0 {
				c.Status, c.Detail = verify.Fail, c.Findings[0]
			}
			out.Checks = append(out.Checks, c)
		}
	}
	return out
}

// printStores prints what was found.
func (a *app) printStores(answer storesAnswer, listing bool) error {
	if a.flags.json {
		return a.printJSON(answer)
	}
	var b strings.Builder
	for _, r := range answer.Stores {
		for _, p := range r.Problems {
			fmt.Fprintf(&b, "FAIL %s %s: %s\n", p.Kind, dist.OneLine(p.Name), dist.OneLine(p.Text))
		}
		fmt.Fprintf(&b, "%s: %s in %s, %s name %s, ", dist.OneLine(r.Store), plural(r.Objects, "file"), dist.FormatBytes(r.Bytes), plural(r.Manifests, "manifest"), plural(r.Named, "file"))
		if listing {
			fmt.Fprintln(&b, "of which only the list was looked at")
		} else {
			fmt.Fprintf(&b, "%d read back\n", r.Read)
		}
		if r.Signed > 0 {
			fmt.Fprintf(&b, "  %s with a signature that is right\n", plural(r.Signed, "manifest"))
		}
		for _, n := range []struct {
			count int
			what  string
		}{
			{r.Redirected, "on other servers, which were not asked"}, {r.Unnamed, "that nothing names"}, {r.Foreign, "that is not of the layout"}, {r.Unsigned, "with a signature, which was not checked"},
		} {
			if n.count > 0 {
				fmt.Fprintf(&b, "  %s %s\n", plural(n.count, "file"), n.what)
			}
		}
		verdict := "PASS"
		if !r.Passed {
			verdict = "FAIL"
		}
		fmt.Fprintf(&b, "%s: %s\n", verdict, plural(len(r.Problems), "problem"))
	}
	if _, err := fmt.Fprint(a.Stdout, b.String()); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}
