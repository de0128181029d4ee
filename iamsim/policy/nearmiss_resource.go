package policy

import "strings"

// resourceMiss picks the resource of the statement that comes closest to the one asked for.
func (x *explainer) resourceMiss(s *Statement) suspect {
	want := x.in.Resource
	miss := suspect{NearMiss: NearMiss{FailedOn: "resource", Got: want}, rank: remote}
	if s.NotResource {
		miss.Expected, miss.rank = "any resource but "+join(texts(s.Resources)), likely
		miss.Hint = "NotResource leaves this resource out"
		return miss
	}
	if len(s.Resources) == 0 {
		miss.Expected, miss.rank = "a Resource element", surely
		miss.Hint = "a statement without Resource has no effect; write \"Resource\": \"*\""
		miss.Fix = "*"
		return miss
	}
	for i, r := range s.Resources {
		rank, hint, fix := resourceHint(r.Text, want)
		if _, resolved := s.resources[i].match(want, x.in.Action, x.in.Context); !resolved {
			rank, hint, fix = likely, "a policy variable in it has no value in this request", ""
		}
		if i > 0 && rank >= miss.rank {
			continue
		}
		miss.rank, miss.Hint, miss.Fix, miss.Expected = rank, hint, fix, r.Text
		miss.at(r.Pos)
	}
	return miss
}

// resourceHint tells how the written pattern misses the wanted ARN and what to write instead.
func resourceHint(written, want string) (rank int, hint, fix string) {
	switch {
	case want == "*":
		return likely, "this action has no resource: it is allowed on \"*\" only", "*"
	case isPlaceholder(written):
		return likely, "a placeholder was left in", ""
	case !strings.HasPrefix(written, "arn:"):
		return likely, "it is not an ARN, so it matches nothing", want
	case strings.EqualFold(written, want):
		return surely, "ARNs compare with case", want
	}
	if fixed := addColon(written); fixed != "" {
		if covers(fixed, want) {
			return surely, "a colon is missing: an S3 ARN has three before the bucket name", fixed
		}
		return likely, "a colon is missing: an S3 ARN has three before the bucket name", fixed
	}
	w, okW := arnFields(written)
	q, okQ := arnFields(want)
	switch {
	case !okW || !okQ || w[2] != q[2]:
		return remote, "it names another resource", ""
	case q[2] == "s3":
		return bucketHint(written, want, w[5], q[5])
	case q[2] == "kms":
		return keyHint(w, q, want)
	case covers(written+"*", want):
		return surely, "it matches only the exact name; a \"*\" at the end is missing", written + "*"
	case w[5] == q[5]:
		return likely, "the same name in another account or Region", want
	}
	return remote, "it names another resource", ""
}

// bucketHint compares the last fields of two S3 ARNs.
func bucketHint(written, want, w, q string) (rank int, hint, fix string) {
	wb, wk, wObject := strings.Cut(w, "/")
	qb, qk, qObject := strings.Cut(q, "/")
	switch {
	case wb != qb && !covers("arn:aws:s3:::"+wb, "arn:aws:s3:::"+qb):
		if d := distance(wb, qb, 3); d <= 3 {
			return likely + d, "the bucket is " + quote(qb) + ", the statement says " + quote(wb), want
		}
		return remote, "it names another bucket", ""
	case !wObject && qObject:
		return surely, "it names the bucket, not its objects", written + "/*"
	case wObject && !qObject:
		return surely, "it names objects, but this action works on the bucket itself", "arn:aws:s3:::" + qb
	case wk == "":
		return surely, "it matches no object: a \"*\" at the end is missing", written + "*"
	case !hasWildcard(wk) && strings.HasPrefix(qk, wk):
		return surely, "it matches only an object whose key is exactly " + quote(wk) + "; yours is " + quote(qk), written + "*"
	}
	return possible, "it covers other keys of the bucket; yours is " + quote(qk), ""
}

func keyHint(w, q [6]string, want string) (rank int, hint, fix string) {
	switch {
	case strings.HasPrefix(w[5], "alias/"):
		return surely, "KMS decides on the key's ARN, never on an alias", want
	case w[5] == q[5] && w[3] != q[3]:
		return likely, "the key is in Region " + q[3] + ", the statement says " + w[3], want
	case w[5] == q[5]:
		return likely, "the key is in account " + q[4] + ", the statement says " + w[4], want
	case !strings.HasPrefix(w[5], "key/"):
		return likely, "a key's ARN ends in key/ and its id", want
	}
	return possible, "it names another key", ""
}

// covers reports whether the pattern, without variables, matches the ARN.
func covers(pattern, arn string) bool {
	r := compileResource(pattern, false)
	ok, _ := r.match(arn, "", nil)
	return ok
}

// addColon repairs arn:aws:s3::bucket; "" when that is not the fault.
func addColon(text string) string {
	if rest, ok := strings.CutPrefix(text, "arn:aws:s3::"); ok && !strings.HasPrefix(rest, ":") && !strings.Contains(rest, ":") {
		return "arn:aws:s3:::" + rest
	}
	return ""
}

// isPlaceholder recognises <name> and the walk-through prose that people forget to replace.
func isPlaceholder(text string) bool {
	open := strings.IndexByte(text, '<')
	return open >= 0 && strings.IndexByte(text[open:], '>') > 0
}
