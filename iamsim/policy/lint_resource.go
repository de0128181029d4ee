package policy

import "strings"

// resources reports resource texts that match nothing, or less than was meant.
func (l *linter) resources(s *Statement) {
	for i, r := range s.Resources {
		why, fix := brokenResource(r.Text, s)
		if why != "" && s.NotResource {
			why += ", so it excludes nothing"
		}
		if l.value(resourceElement, r, fix, why); why != "" {
			continue
		}
		if why, fix := doubtfulResource(r.Text, s); why != "" {
			l.find(Doubtful, r.Pos, fix, why)
		}
		l.variables(r, s)
		for j, other := range s.Resources {
			if j < i && other.Text == r.Text {
				l.find(Doubtful, r.Pos, "remove one of the two", quote(r.Text)+" is written twice")
				break
			}
			if j != i && other.Text != r.Text && hasWildcard(other.Text) && strings.Count(other.Text, ":") >= 5 && patternCovers(other.Text, r.Text) {
				l.find(Doubtful, r.Pos, "remove it", quote(r.Text)+" adds nothing: "+quote(other.Text)+" covers it")
				break
			}
		}
	}
}

// brokenResource says why a resource can match nothing; "" when it can.
func brokenResource(text string, s *Statement) (why, fix string) {
	if strings.Trim(text, "*") == "" && text != "" {
		return "", ""
	}
	if why := resourceForm(text); why != "" {
		fix := write(repairARN(text))
		if fix != "" && isPlaceholder(text) {
			fix += " with the real name"
		}
		return why, fix
	}
	if isPlaceholder(text) {
		return quote(text) + " still holds a placeholder", "put the real name in"
	}
	fields := splitFields(text)
	if len(fields) < 6 {
		return "", "" // completed with "*"
	}
	switch fields[2] {
	case "s3":
		return brokenBucket(text, fields)
	case "kms":
		return brokenKey(text, fields, s)
	case "iam", "sts":
		return brokenAccount(text, fields[4], fields[2] == "iam")
	}
	return "", ""
}

// resourceForm says why a text is no ARN that a request's could equal.
func resourceForm(text string) string {
	switch {
	case strings.Trim(text, "*") == "" && text != "":
		return ""
	case !strings.HasPrefix(text, "arn:"):
		return quote(text) + " is not an ARN, so it matches nothing"
	case addColon(text) != "":
		return "a colon is missing: an S3 ARN has three before the bucket name"
	case strings.HasPrefix(text, "arn:aws:s3::::"):
		return "a colon too many: an S3 ARN has three before the bucket name"
	case strings.Count(text, ":") < 5 && strings.Contains(text, "::"):
		return quote(text) + " is too short: an ARN has six fields"
	case strings.HasPrefix(text, "arn:aws:s3:") && strings.Count(text, ":") == 3 && !strings.HasSuffix(text, ":*") && !strings.HasSuffix(text, ":"):
		return "colons are missing: an S3 ARN has three before the bucket name"
	}
	return ""
}

// repairARN is the ARN that was probably meant; "" if that can't be told.
func repairARN(text string) string {
	if fixed := addColon(text); fixed != "" {
		return fixed
	}
	for _, prefix := range [...]string{"arn:aws:s3::::", "arn:aws:s3:", "s3:::", "s3::", "s3://"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok && rest != "" {
			return "arn:aws:s3:::" + strings.Trim(rest, ":")
		}
	}
	return ""
}

func brokenBucket(text string, f []string) (why, fix string) {
	bucket, key, object := strings.Cut(f[5], "/")
	special := strings.HasPrefix(f[5], "accesspoint") || bucket == "job" || bucket == "storage-lens" || bucket == "access-grants"
	switch {
	case special:
		return "", ""
	case f[3] != "" && f[3] != "*" || f[4] != "" && f[4] != "*":
		return "the ARN of a bucket or object has neither Region nor account", write("arn:aws:s3:::" + f[5])
	case f[5] == "":
		return quote(text) + " names no bucket", `write "arn:aws:s3:::BUCKET" or "arn:aws:s3:::BUCKET/*"`
	case !strings.ContainsAny(bucket, "*?$") && !possibleBucket(bucket):
		return quote(bucket) + " can't be the name of a bucket", ""
	case object && key == "":
		return quote(text) + ` matches no object: a "*" at the end is missing`, write(text + "*")
	}
	return "", ""
}

// possibleBucket reports whether a bucket may have the name; old ones may be unusual.
func possibleBucket(name string) bool {
	return len(name) >= 3 && len(name) <= 255 &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == ""
}

func brokenKey(text string, f []string, s *Statement) (why, fix string) {
	switch {
	case strings.HasPrefix(f[5], "alias/") && !namesAliases(s):
		return "KMS decides on the key's ARN, never on an alias", "write the ARN of the key, or condition kms:ResourceAliases on " + quote(f[5])
	case f[3] == "" || !hasWildcard(f[3]) && !strings.Contains(f[3], "${") && !isRegion(f[3]):
		return quote(f[3]) + " is not a Region", "write the Region of the key as the fourth field"
	case !strings.ContainsAny(f[5], "*?$") && !strings.HasPrefix(f[5], "key/") && !strings.HasPrefix(f[5], "alias/"):
		return "the ARN of a key ends in key/ and its id", write(strings.Join(f[:5], ":") + ":key/" + f[5])
	}
	return brokenAccount(text, f[4], false)
}

// namesAliases reports whether an action of the statement works on aliases.
func namesAliases(s *Statement) bool {
	for _, a := range s.Actions {
		if patternCovers(strings.ToLower(a.Text), "kms:createalias") || strings.HasSuffix(strings.ToLower(a.Text), "alias") {
			return true
		}
	}
	return false
}

func brokenAccount(text, account string, iam bool) (why, fix string) {
	if isAccountID(account) || hasWildcard(account) || strings.Contains(account, "${") || iam && account == "aws" {
		return "", ""
	}
	return quote(account) + " in " + quote(text) + " is not an account id", "write the twelve digits of the account"
}

// principals reports principals that name nobody.
func (l *linter) principals(s *Statement) {
	for _, p := range s.Principals {
		why, fix := brokenPrincipal(p)
		l.principal = p
		l.value(principalElement, p.Value, fix, why)
	}
}

// brokenPrincipal says why a principal can be nobody; "" when it may be somebody.
func brokenPrincipal(p PrincipalValue) (why, fix string) {
	switch p.Kind {
	case PrincipalService:
		switch {
		case knownService(p.Text):
		case knownService(p.Text + ".amazonaws.com"):
			return quote(p.Text) + " is not a service principal", write(p.Text + ".amazonaws.com")
		default:
			return quote(p.Text) + " is not a service principal that we know", ""
		}
	case PrincipalAWS:
		pattern := compileAWSPrincipal(p.Text)
		f, arn := arnFields(p.Text)
		switch {
		case p.Text == "*" || pattern.form != formOther:
		case isPlaceholder(p.Text):
			return quote(p.Text) + " still holds a placeholder", "put the real name in"
		case hasWildcard(p.Text):
			return "a principal has no wildcards inside", "name the account and condition aws:PrincipalArn with ArnLike"
		case knownService(p.Text):
			return quote(p.Text) + " is a service, not an AWS principal", `write {"Service": ` + quote(p.Text) + "}"
		case !arn:
			return quote(p.Text) + " is neither an ARN nor an account id", ""
		case !isAccountID(f[4]):
			return quote(f[4]) + " in " + quote(p.Text) + " is not an account id", "write the twelve digits of the account"
		case strings.HasPrefix(f[5], "group/"):
			return "a group is not a principal", "name its users, or the account"
		default:
			return quote(p.Text) + " is not a user, role, session or account", ""
		}
	}
	return "", ""
}

// doubtfulResource finds object keys that look like a prefix without its wildcard.
func doubtfulResource(text string, s *Statement) (why, fix string) {
	f, ok := arnFields(text)
	if !ok || f[2] != "s3" || strings.ContainsAny(f[5], "*?$") || s.NotResource {
		return "", ""
	}
	_, key, object := strings.Cut(f[5], "/")
	switch last := key[strings.LastIndexByte(key, '/')+1:]; {
	case !object || strings.HasPrefix(f[5], "accesspoint") || strings.Contains(last, "."):
		return "", ""
	case last == "":
		return quote(text) + " matches only the object named exactly " + quote(key) + ", not those below it", write(text + "*")
	}
	return quote(text) + " matches only the object named exactly " + quote(key), write(text+"*") + " if it is a prefix"
}

// variables reports policy variables that can have no value.
func (l *linter) variables(v Value, s *Statement) {
	if !strings.Contains(v.Text, "${") {
		return
	}
	if l.doc.Version != version2012 {
		l.find(Dead, v.Pos, `write "Version": "2012-10-17" in the policy`, "policy variables are plain text in a policy of version "+version2008+" or without a version")
		return
	}
	parts, _ := splitVariables(v.Text, false)
	for _, p := range parts {
		if p.key == "" || p.hasDef {
			continue
		}
		if why, fix := l.noSuchKey(p.key, p.written); why != "" {
			l.find(Dead, v.Pos, fix, "the variable ${"+p.written+"} has no value: "+why)
		}
	}
}
