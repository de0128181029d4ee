package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"twinbucket/server"
)

// fileFindings is the JSON form of a lint.
type fileFindings struct {
	File     string                 `json:"file"`
	Findings []server.PolicyFinding `json:"findings"`
}

// policyLint reports what AWS would refuse about policy files, and what could never match.
func (c *cli) policyLint(args []string) error {
	fs := c.flags("policy lint", "FILE…")
	kind := fs.String("type", "identity", "`what` the policy is: identity, trust, bucket, key, session, scp or rcp")
	bucket := fs.String("bucket", "", "`name` of the bucket that a bucket policy is for; default: the first it names")
	managed := fs.Bool("managed", false, "the identity policy is a managed one, not inline")
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	files, err := c.parse(fs, args, 100)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return hint(usagef("lint which policy?"), "twinbucket policy lint --type bucket FILE")
	}
	found, all := 0, []fileFindings{}
	for _, file := range files {
		text, err := readPolicy(file)
		if err != nil {
			return err
		}
		findings, err := server.LintPolicy(text, *kind, *bucket, *managed)
		if err != nil {
			return fmt.Errorf("%w: %v", errUsage, err)
		}
		if findings == nil {
			findings = []server.PolicyFinding{}
		}
		found += len(findings)
		all = append(all, fileFindings{file, findings})
		if !*asJSON {
			writeFindings(c.stdout, file, text, findings)
		}
	}
	if *asJSON {
		if err := c.printJSON(all); err != nil {
			return err
		}
	}
	if found > 0 {
		return errSaid
	}
	return nil
}

// writeFindings prints each finding with its line of the text and a caret below the place.
func writeFindings(w io.Writer, file, text string, findings []server.PolicyFinding) {
	if len(findings) == 0 {
		fmt.Fprintf(w, "%s: nothing to say\n", file)
	}
	lines := strings.Split(text, "\n")
	for _, f := range findings {
		what := string(f.Severity) + ": " + f.Message
		if f.Code != "" {
			what = fmt.Sprintf("%s: %s: %s", f.Severity, f.Code, f.Message)
		}
		if f.Line == 0 {
			fmt.Fprintf(w, "%s: %s\n", file, what)
		} else {
			fmt.Fprintf(w, "%s:%d:%d: %s\n", file, f.Line, f.Column, what)
			writeCaret(w, lines[min(f.Line, len(lines))-1], f.Column)
		}
		if f.Why != "" {
			fmt.Fprintf(w, "    why: %s\n", f.Why)
		}
		if f.Fix != "" {
			fmt.Fprintf(w, "    fix: %s\n", f.Fix)
		}
	}
}

// longestLine is how much of a line is shown around the place.
const longestLine = 100

// writeCaret prints a line and points at a column, counted in characters from 1. Of a
// long line only the surroundings are shown.
func writeCaret(w io.Writer, line string, column int) {
	line = strings.ReplaceAll(strings.ToValidUTF8(line, "\uFFFD"), "\r", "")
	runes := []rune(line)
	at := min(column-1, len(runes))
	from := 0
	for from < at && (runes[from] == ' ' || runes[from] == '\t') {
		from++
	}
	prefix := ""
	if at-from > longestLine/2 {
		from, prefix = at-longestLine/2, "…"
	}
	shown, suffix := runes[from:], ""
	if len(shown) > longestLine {
		shown, suffix = shown[:longestLine], "…"
	}
	fmt.Fprintf(w, "    %s%s%s\n", prefix, strings.ReplaceAll(string(shown), "\t", " "), suffix)
	fmt.Fprintf(w, "    %s^\n", strings.Repeat(" ", utf8.RuneCountInString(prefix)+at-from))
}
