package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"sort"
	"strings"

	"twinbucket/server"
)

// explain prints why a version did or did not arrive: the verdict first, then the
// steps of the last attempt with the statement that decided each.
func (c *cli) explain(ctx context.Context, args []string) error {
	fs := c.flags("explain", "s3://BUCKET/KEY")
	op := c.operatorFlags(fs)
	asJSON := fs.Bool("json", false, "print the explanation as JSON")
	withContext := fs.Bool("context", false, "print all condition keys of each step")
	versionID := fs.String("version-id", "", "explain this version instead of the current one")
	rest, err := c.parse(fs, args, 1)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return hint(usagef("explain what?"), "twinbucket explain s3://bucket/key")
	}
	bucket, key, err := splitS3URL(rest[0])
	if err != nil {
		return err
	}
	if key == "" {
		return hint(usagef("%s names no key", rest[0]), "twinbucket explain s3://%s/KEY; twinbucket status shows what waits", bucket)
	}
	q := url.Values{"bucket": {bucket}, "key": {key}}
	if *versionID != "" {
		q.Set("versionId", *versionID)
	}
	var e server.Explanation
	if err := op.call(ctx, "GET", "replication/explain", q, nil, &e); err != nil {
		return err
	}
	if *asJSON {
		return c.printJSON(e)
	}
	writeExplanation(c.stdout, &e, *withContext)
	return nil
}

// verdict says in one sentence what a failure reason means.
var verdict = map[string]string{
	"AssumeRoleNotPermitted":            "S3 may not assume the replication role: it is gone, or its trust policy does not name s3.amazonaws.com.",
	"DstBucketNotFound":                 "The destination bucket does not exist.",
	"DstBucketObjectLockConfigMissing":  "The version has Object Lock state, and the destination bucket has no Object Lock.",
	"DstBucketUnversioned":              "Versioning is not enabled on the destination bucket.",
	"DstDelObjNotPermitted":             "The replication role may not write delete markers to the destination.",
	"DstKmsKeyInvalidState":             "The replica key is disabled or waits for deletion.",
	"DstKmsKeyNotFound":                 "The replica key does not exist in the destination bucket's Region.",
	"DstMultipartCompleteNotPermitted":  "The replication role may not write the replica any more: it was stopped before its multipart upload was complete.",
	"DstMultipartInitNotPermitted":      "The replication role may not write the replica, whose parts need a multipart upload.",
	"DstMultipartUploadNotPermitted":    "The replication role may not write the replica any more: it was stopped between two parts.",
	"DstObjectHardDeleted":              "The replica was deleted by its version id, and that id can't be written again.",
	"DstPutAclNotPermitted":             "The ACL may not be written to the replica.",
	"DstPutLegalHoldNotPermitted":       "The replication role may not write the replica's legal hold.",
	"DstPutObjectNotPermitted":          "The replication role may not write the replica.",
	"DstPutRetentionNotPermitted":       "The replication role may not write the replica's retention.",
	"DstPutTaggingNotPermitted":         "The replication role may not write the replica's tags: it stands without them.",
	"DstVersionNotFound":                "The replica version is not there to be updated.",
	"SrcBucketNotFound":                 "The source bucket is gone.",
	"SrcBucketReplicationConfigMissing": "The source bucket has no replication configuration.",
	"SrcGetAclNotPermitted":             "The replication role may not read the version's ACL.",
	"SrcGetLegalHoldNotPermitted":       "The replication role may not read the version's legal hold.",
	"SrcGetObjectNotPermitted":          "The replication role may not read this version.",
	"SrcGetRetentionNotPermitted":       "The replication role may not read the version's retention.",
	"SrcGetTaggingNotPermitted":         "The replication role may not read the tags: the replica stands without them.",
	"SrcHeadObjectNotPermitted":         "The replication role may not read this version.",
	"SrcKmsKeyInvalidState":             "The source key is disabled or waits for deletion.",
	"SrcObjectNotEligible":              "No rule selects this version.",
}

func writeExplanation(w io.Writer, e *server.Explanation, withContext bool) {
	if len(e.Destinations) == 0 {
		fmt.Fprintf(w, "NO STATUS   s3://%s/%s   version %s   %s\n\n%s.\n", e.Bucket, e.Key, e.VersionID, e.Encryption, capital(e.Note))
		for _, r := range e.Rules {
			fmt.Fprintf(w, "  rule %q: %s\n", r.RuleID, r.Why)
		}
		return
	}
	for i, d := range e.Destinations {
		if i > 0 {
			fmt.Fprintln(w)
		}
		writeDestination(w, e, &d, withContext)
	}
	fmt.Fprintln(w, "More: --json · --context (all condition keys)")
}

func writeDestination(w io.Writer, e *server.Explanation, d *server.DestinationTrace, withContext bool) {
	fmt.Fprintf(w, "%s   %s → %s   rule %q (prefix %q%s)", d.Status, e.Bucket, d.Destination, d.RuleID, d.Prefix, priority(d.Priority))
	if d.FailureReason != "" {
		fmt.Fprintf(w, "   reason %s", d.FailureReason)
	}
	if n := len(d.Attempts); n > 0 {
		fmt.Fprintf(w, "   attempt %d, %s", n, d.Attempts[n-1].At.Format(clockFormat))
	}
	fmt.Fprintf(w, "\n        version %s   %d bytes   %s\n", e.VersionID, e.Size, e.Encryption)
	switch {
	case verdict[d.FailureReason] != "":
		fmt.Fprintf(w, "\n%s\n", verdict[d.FailureReason])
	case d.Status == "PENDING" && len(d.Attempts) == 0:
		fmt.Fprintln(w, "\nNo attempt was made yet: twinbucket status shows whether the workers are held.")
	case d.Status == "PENDING":
		last := d.Attempts[len(d.Attempts)-1]
		fmt.Fprintf(w, "\n%s\nIt is tried again at %s.\n", last.Message, last.RetryAfter.Format(clockFormat))
	}
	if len(d.Steps) > 0 {
		fmt.Fprintln(w)
	}
	var unreached []server.ExplainStep
	shown := 0
	for _, s := range d.Steps {
		switch {
		case s.Outcome == "not reached":
			unreached = append(unreached, s)
		case s.Outcome != "not needed" || withContext:
			shown++
			writeStep(w, shown, &s, withContext)
		}
	}
	writeUnreached(w, unreached)
	if d.Status == "FAILED" {
		fmt.Fprintf(w, "\nFAILED versions are not retried, as on AWS. After the fix: twinbucket retry s3://%s/%s, or a new upload.\n", e.Bucket, e.Key)
	}
}

// writeUnreached lists the steps behind the one that failed by what a preflight says of them.
func writeUnreached(w io.Writer, steps []server.ExplainStep) {
	var pass, unknown []string
	for _, s := range steps {
		switch s.Foreseen {
		case "allowed", "not needed", "denied but not enforced":
			pass = append(pass, s.Action)
		case "":
			unknown = append(unknown, s.Action)
		default:
			fmt.Fprintf(w, "  · %s   not reached; preflight says it would end in %s\n", s.Action, s.Foreseen)
		}
	}
	if len(pass) > 0 {
		they := "they"
		if len(pass) == 1 {
			they = "it"
		}
		fmt.Fprintf(w, "  · %s   not reached; preflight says %s would pass\n", strings.Join(pass, ", "), they)
	}
	if len(unknown) > 0 {
		fmt.Fprintf(w, "  · %s   not reached\n", strings.Join(unknown, ", "))
	}
}

// clockFormat is how times of day are printed; they are domain time in UTC.
const clockFormat = "15:04:05Z"

// priority is empty for rules of the first schema version, which have none.
func priority(p int) string {
	if p == 0 {
		return ""
	}
	return fmt.Sprintf(", priority %d", p)
}

var marks = map[string]string{"allowed": "✓", "denied": "✗", "denied but not enforced": "!", "throttled": "!", "error": "✗", "not reached": "·", "not needed": "·"}

func writeStep(w io.Writer, n int, s *server.ExplainStep, withContext bool) {
	fmt.Fprintf(w, " %2d %s %-38s", n, marks[s.Outcome], s.Action)
	switch s.Outcome {
	case "allowed":
		fmt.Fprintf(w, " %s\n", reference(s))
	case "not reached", "not needed":
		fmt.Fprintf(w, " %s\n", s.Outcome)
	default:
		if s.Resource != "" {
			fmt.Fprintf(w, " on %s", s.Resource)
		}
		if s.Outcome == "denied but not enforced" {
			fmt.Fprint(w, "   denied, and let through: enforcement is soft")
		}
		fmt.Fprintln(w)
		writeWhy(w, s)
	}
	if withContext && s.Context != nil {
		keys := make([]string, 0, len(s.Context))
		for k := range s.Context {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(w, "        %s = %s\n", k, strings.Join(s.Context[k], ", "))
		}
	}
}

// reference names the statement that allowed a step.
func reference(s *server.ExplainStep) string {
	by := s.DecidedBy
	if by == nil || by.Policy == "" {
		if by != nil {
			return string(by.Type)
		}
		return ""
	}
	text := fmt.Sprintf("%s, statement %d", by.Policy, by.Statement)
	if by.Sid != "" {
		text += fmt.Sprintf(" %q", by.Sid)
	}
	return text + fmt.Sprintf(", line %d", by.Line)
}

// writeWhy prints what stopped a step: the layers, the closest statement, the fix.
func writeWhy(w io.Writer, s *server.ExplainStep) {
	if s.Message != "" {
		fmt.Fprintf(w, "      %s\n", s.Message)
	}
	for _, l := range s.Layers {
		if l.Verdict != "allowed" && l.Statements > 0 {
			fmt.Fprintf(w, "      %s: %s (looked at %d statements)\n", l.Type, l.Verdict, l.Statements)
		} else {
			fmt.Fprintf(w, "      %s: %s\n", l.Type, l.Verdict)
		}
	}
	for i, n := range s.NearMiss {
		label := "      also:    "
		if i == 0 {
			label = "      closest: "
		}
		fmt.Fprintf(w, "%s%s, statement %d, line %d: %s says %s", label, n.Policy, n.Statement, n.Line, n.FailedOn, n.Expected)
		if n.Got != "" {
			fmt.Fprintf(w, "\n               this request: %s", n.Got)
		} else {
			fmt.Fprint(w, "\n               this request has no such key")
		}
		if n.Hint != "" {
			fmt.Fprintf(w, "\n               %s", n.Hint)
		}
		fmt.Fprintln(w)
	}
	writeFix(w, s)
}

// writeFix prints the smallest repair: the changed value where a statement was
// close, else the statement to add. A principal is never replaced: that would take the
// permission from whoever has it, the key's own account included.
func writeFix(w io.Writer, s *server.ExplainStep) {
	switch f := s.Fix; {
	case len(s.NearMiss) > 0 && s.NearMiss[0].Fix != "" && s.NearMiss[0].FailedOn != "principal":
		n := s.NearMiss[0]
		fmt.Fprintf(w, "      fix:     write %s in %s, statement %d, line %d\n", n.Fix, n.Policy, n.Statement, n.Line)
	case f == nil:
	case f.Statement == nil:
		fmt.Fprintf(w, "      fix:     %s\n", f.Advice)
	default:
		var statement bytes.Buffer
		if json.Compact(&statement, f.Statement) != nil {
			return
		}
		fmt.Fprintf(w, "      fix:     add to the %s:\n               %s\n", f.Document, &statement)
	}
	for _, f := range s.AlsoFix {
		fmt.Fprintf(w, "      and:     add to the %s:\n               %s\n", f.Document, f.Statement)
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
