package policy

import "strings"

// conditionValue reports values that can't match.
func (l *linter) conditionValue(c *Condition, v Value) {
	if strings.Contains(v.Text, "${") || c.op.family == nullFamily {
		return
	}
	why, fix := impossibleValue(c, v.Text)
	if why == "" {
		return
	}
	effect := ", so it matches no request"
	if c.op.negated {
		effect = ", so it excludes no request"
	}
	l.find(Dead, v.Pos, fix, why+effect)
}

// impossibleValue says why a value equals nothing that a request can have.
func impossibleValue(c *Condition, text string) (why, fix string) {
	switch c.op.family {
	case numericFamily:
		if _, ok := parseNumber(text); !ok {
			return quote(text) + " is not a number", ""
		}
	case dateFamily:
		if _, ok := parseDate(text); !ok {
			return quote(text) + " is not a date", "write it as 2026-01-31T00:00:00Z"
		}
	case boolFamily:
		if !isBool(text) {
			return quote(text) + " is neither true nor false", `write "true" or "false"`
		}
	case ipFamily:
		if _, ok := parsePrefix(text); !ok {
			return quote(text) + " is not an IP address or block", "write it as 203.0.113.0/24"
		}
	case arnFamily:
		if fields := splitFields(text); len(fields) != 6 || fields[0] != "arn" {
			return quote(text) + " is not an ARN, and " + c.Operator + " compares the six fields of ARNs", "write the whole ARN, or use StringLike"
		}
		return impossibleText(c, text)
	case stringFamily, stringFoldFamily, likeFamily:
		return impossibleText(c, text)
	}
	return "", ""
}

func impossibleText(c *Condition, text string) (why, fix string) {
	wild := hasWildcard(text)
	plain := c.op.family == stringFamily || c.op.family == stringFoldFamily
	switch {
	case text == "":
		return "an empty value equals no value of a request", "write the value, or remove the condition"
	case isPlaceholder(text):
		return quote(text) + " still holds a placeholder", "put the real value in"
	case plain && wild && !strings.HasPrefix(c.key, "aws:requesttag/") && !strings.HasPrefix(c.key, "aws:principaltag/"):
		return c.Operator + ` takes "*" and "?" as characters`, "use " + likeOf(c.Operator)
	}
	switch c.key {
	case "kms:viaservice":
		return impossibleService(text)
	case "aws:requestedregion", "kms:primaryregion", "kms:replicaregion":
		if !wild && !isRegion(text) {
			return quote(text) + " is not a Region", "write a Region such as us-east-1"
		}
	case "aws:principalaccount", "aws:sourceaccount", "aws:resourceaccount", "kms:calleraccount", "s3:resourceaccount", "s3:dataaccesspointaccount":
		if !wild && !isAccountID(text) {
			return quote(text) + " is not an account id", "write the twelve digits of the account"
		}
	case "aws:principalarn":
		return impossiblePrincipal(text)
	case "aws:sourcearn", "kms:granteeprincipal", "iam:policyarn", "iam:permissionsboundary":
		if !strings.HasPrefix(text, "arn:") && !strings.HasPrefix(text, "*") && !(c.key == "kms:granteeprincipal" && strings.HasSuffix(text, ".amazonaws.com")) {
			return quote(text) + " is not an ARN", "write the whole ARN"
		}
	case "s3:x-amz-server-side-encryption":
		if !wild && text != "AES256" && text != "aws:kms" && text != "aws:kms:dsse" {
			return quote(text) + " is not a kind of encryption", `write "AES256" or "aws:kms"`
		}
	case "kms:encryptioncontext:aws:s3:arn":
		if strings.HasPrefix(text, "arn:") {
			if form := resourceForm(text); form != "" {
				return form, write(repairARN(text))
			}
		}
	}
	return "", ""
}

// likeOf is the operator with wildcards in place of one without: ForAnyValue:StringEquals
// gives ForAnyValue:StringLike.
func likeOf(name string) string {
	set, base, found := strings.Cut(name, ":")
	if !found {
		set, base = "", name
	} else {
		set += ":"
	}
	like := "StringLike"
	if strings.HasPrefix(strings.ToLower(base), "stringnot") {
		like = "StringNotLike"
	}
	if strings.HasSuffix(strings.ToLower(base), "ifexists") {
		like += "IfExists"
	}
	return set + like
}

// impossibleService checks a value of kms:ViaService: service.Region.amazonaws.com.
func impossibleService(text string) (why, fix string) {
	if strings.Contains(text, "-region.") {
		return quote(text) + " still holds the placeholder of the Region", "write a Region, as in s3.us-east-1.amazonaws.com"
	}
	if hasWildcard(text) {
		return "", ""
	}
	name, ok := strings.CutSuffix(strings.TrimSuffix(text, ".cn"), ".amazonaws.com")
	service, region, dot := strings.Cut(name, ".")
	if ok && dot && service != "" && isRegion(region) {
		return "", ""
	}
	if ok && !dot {
		return quote(text) + " lacks the Region", write(name + ".REGION.amazonaws.com")
	}
	return quote(text) + " is not a service in a Region", "write it as s3.us-east-1.amazonaws.com"
}

// impossiblePrincipal: for a session aws:PrincipalArn holds the role's ARN.
func impossiblePrincipal(text string) (why, fix string) {
	switch {
	case strings.HasPrefix(text, "arn:aws:sts::") && strings.Contains(text, ":assumed-role/"):
		f, _ := arnFields(text)
		name, _, _ := strings.Cut(strings.TrimPrefix(f[5], "assumed-role/"), "/")
		return "aws:PrincipalArn of a session is the ARN of its role", write("arn:aws:iam::" + f[4] + ":role/" + name)
	case !strings.HasPrefix(text, "arn:") && !strings.HasPrefix(text, "*"):
		return quote(text) + " is not an ARN", "write the whole ARN"
	}
	return "", ""
}
