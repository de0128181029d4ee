package policy

import "strings"

// Reason is the tail of a denial message, "because no identity-based policy
// allows the s3:PutObject action" or "with an explicit deny in a permissions
// boundary" (P60); "" for an allow. An explicit deny of an organization's policy names
// the policy by its ARN (P81). Services put their own words before it.
func (d *Decision) Reason() string {
	typ := d.DecidedBy.Type
	switch d.Outcome {
	case ExplicitDeny:
		reason := "with an explicit deny in " + article(typ) + string(typ)
		if typ == SCP || typ == RCP {
			reason += ": " + d.DecidedBy.Policy
		}
		return reason
	case ImplicitDeny:
		return "because no " + string(typ) + " allows the " + d.Action + " action"
	}
	return ""
}

func article(t Type) string {
	switch {
	case t == Trust: // a role has exactly one
		return "the "
	case strings.HasPrefix(string(t), "i"):
		return "an "
	}
	return "a "
}

// Message is AWS's general denial sentence (P60); "" for an allow. Anonymous
// callers and AWS services, whom AWS answers without a sentence, are named as such.
func (d *Decision) Message() string {
	if d.Allowed() {
		return ""
	}
	who := "User: " + d.Principal.ARN
	switch {
	case d.Principal.Type == Service:
		who = "Service: " + d.Principal.ARN
	case d.Principal.Type == Anonymous || d.Principal.ARN == "":
		who = "User: anonymous"
	}
	return who + " is not authorized to perform: " + d.Action + " on resource: " + d.Resource + " " + d.Reason()
}
