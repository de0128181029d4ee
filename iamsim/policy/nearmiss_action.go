package policy

import "strings"

// actionMiss picks the action of the statement that comes closest to the one asked for.
func (x *explainer) actionMiss(s *Statement) []suspect {
	want := x.in.Action
	if s.NotAction {
		return []suspect{{NearMiss: NearMiss{
			FailedOn: "action", Expected: "any action but " + join(texts(s.Actions)), Got: want,
			Hint: "NotAction leaves this action out",
		}, rank: likely}}
	}
	var best *suspect
	for _, a := range s.Actions {
		rank, hint := actionHint(a.Text, want)
		if hint == "" || best != nil && best.rank <= rank {
			continue
		}
		best = &suspect{NearMiss: NearMiss{FailedOn: "action", Expected: a.Text, Got: want, Hint: hint, Fix: want}, rank: rank}
		best.at(a.Pos)
	}
	if best == nil {
		return nil
	}
	if best.rank >= remote {
		best.Expected = join(texts(s.Actions))
	}
	return []suspect{*best}
}

// actionHint tells how the written action relates to the wanted one; no hint means not at all.
func actionHint(written, want string) (rank int, hint string) {
	service, name, _ := strings.Cut(want, ":")
	if why := confused(written, want); why != "" {
		return surely, why
	}
	ws, wn, colon := strings.Cut(written, ":")
	if !colon {
		if strings.EqualFold(letters(written), letters(want)) {
			return surely, quote(written) + " is not an action: write a colon after the service, " + quote(want)
		}
		if strings.EqualFold(written, name) {
			return surely, quote(written) + " lacks the service: write " + quote(want)
		}
		return 0, ""
	}
	if !strings.EqualFold(ws, service) {
		if strings.EqualFold(wn, name) {
			return likely, "the service is " + service + ", not " + ws
		}
		return 0, ""
	}
	known := hasWildcard(wn) || ActionKnown(written)
	switch d := distance(strings.ToLower(wn), strings.ToLower(name), 3); {
	case d <= 3 && !known:
		return surely + d, quote(written) + " does not exist: did you mean " + quote(want) + "?"
	case strings.HasPrefix(strings.ToLower(name), strings.ToLower(wn)) && len(wn) > 2 && !hasWildcard(wn):
		return likely, written + " does not include " + want + ": an action without a wildcard covers exactly one name"
	case d <= 3 && !hasWildcard(wn):
		return likely + d, written + " is another action"
	case !known:
		return possible, quote(written) + " does not exist; this request needs " + quote(want)
	}
	return remote, "the statement covers this resource for other actions; add " + quote(want)
}

// confused explains the pairs that look alike and are separate permissions (P20, P21).
func confused(written, want string) string {
	type pair struct{ written, want string }
	switch (pair{strings.ToLower(written), want}) {
	case pair{"s3:getobjectversion", "s3:GetObjectVersionForReplication"},
		pair{"s3:getobject", "s3:GetObjectVersionForReplication"}:
		return "replication reads with s3:GetObjectVersionForReplication; " + written + " does not include it"
	case pair{"s3:getobject", "s3:GetObjectVersion"}:
		return "a request with a version id needs s3:GetObjectVersion; s3:GetObject covers requests without one"
	case pair{"s3:getobjectversion", "s3:GetObject"}:
		return "a request without a version id needs s3:GetObject; s3:GetObjectVersion covers requests with one"
	case pair{"s3:deleteobject", "s3:DeleteObjectVersion"}:
		return "deleting a version needs s3:DeleteObjectVersion; s3:DeleteObject only adds a delete marker"
	case pair{"s3:putobject", "s3:ReplicateObject"}:
		return "a replica is written with s3:ReplicateObject; s3:PutObject is neither enough nor needed"
	case pair{"s3:deleteobject", "s3:ReplicateDelete"}:
		return "delete markers are replicated with s3:ReplicateDelete, not s3:DeleteObject"
	case pair{"s3:putobjecttagging", "s3:ReplicateTags"}, pair{"s3:putobjectversiontagging", "s3:ReplicateTags"}:
		return "tags are replicated with s3:ReplicateTags, not " + written
	case pair{"kms:generatedatakey", "kms:Encrypt"}, pair{"kms:generatedatakey*", "kms:Encrypt"}:
		return "replication wraps the data key with kms:Encrypt; " + written + " does not include it"
	case pair{"kms:encrypt", "kms:GenerateDataKey"}:
		return "writing an SSE-KMS object needs kms:GenerateDataKey; kms:Encrypt does not include it"
	}
	return ""
}

// letters drops everything but letters and digits.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func quote(s string) string { return `"` + s + `"` }
