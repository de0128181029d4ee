package policy

import (
	"slices"
	"strings"
)

// actions reports actions that don't exist and values that repeat one another.
func (l *linter) actions(s *Statement) {
	for i, a := range s.Actions {
		why, fix := l.brokenAction(a.Text)
		l.value(actionElement, a, fix, why)
		for _, other := range s.Actions[:i] {
			if strings.EqualFold(other.Text, a.Text) {
				l.find(Doubtful, a.Pos, "remove one of the two", quote(a.Text)+" is written twice")
				break
			}
		}
		for _, other := range s.Actions {
			if hasWildcard(other.Text) && !strings.EqualFold(other.Text, a.Text) && patternCovers(strings.ToLower(other.Text), strings.ToLower(a.Text)) {
				l.find(Doubtful, a.Pos, "remove it", quote(a.Text)+" adds nothing: "+quote(other.Text)+" covers it")
				break
			}
		}
	}
}

// brokenAction says why an action or pattern covers nothing; "" when it may.
func (l *linter) brokenAction(text string) (why, fix string) {
	service, name, colon := strings.Cut(text, ":")
	service = strings.ToLower(service)
	switch {
	case text == "*":
		return "", ""
	case strings.Contains(text, "${"):
		return "policy variables have no meaning in actions", "name the actions"
	case !colon:
		return quote(text) + " is not an action: actions are written service:Name", write(l.reference.withoutColon(text))
	case !knownVendor(service) || len(l.expand(text)) > 0:
		return "", ""
	case hasWildcard(name):
		return "no action of " + service + " fits " + quote(text), ""
	}
	return quote(text) + " is not an action that exists", write(l.reference.nearest(service, name))
}

// write is the fix that puts a value in place of what is there.
func write(value string) string {
	if value == "" {
		return ""
	}
	return "write " + quote(value)
}

// apiNames are operations of S3 and KMS whose permission has another name, by what
// people write in its place (P84).
var apiNames = map[string]string{
	"s3:listobjects": "s3:ListBucket", "s3:listobjectsv2": "s3:ListBucket", "s3:headbucket": "s3:ListBucket",
	"s3:listbuckets": "s3:ListAllMyBuckets", "s3:listobjectversions": "s3:ListBucketVersions", "s3:headobject": "s3:GetObject",
	"s3:listmultipartuploads": "s3:ListBucketMultipartUploads", "s3:listparts": "s3:ListMultipartUploadParts",
	"s3:copyobject": "s3:PutObject", "s3:createmultipartupload": "s3:PutObject", "s3:uploadpart": "s3:PutObject",
	"s3:completemultipartupload": "s3:PutObject", "s3:deleteobjects": "s3:DeleteObject",
	"s3:getbucketreplication": "s3:GetReplicationConfiguration", "s3:putbucketreplication": "s3:PutReplicationConfiguration",
	"s3:deletebucketreplication": "s3:PutReplicationConfiguration", "s3:getreplication": "s3:GetReplicationConfiguration",
	"s3:getbucketencryption": "s3:GetEncryptionConfiguration", "s3:putbucketencryption": "s3:PutEncryptionConfiguration",
	"s3:getbucketlifecycle": "s3:GetLifecycleConfiguration", "s3:putbucketlifecycle": "s3:PutLifecycleConfiguration",
	"s3:getpublicaccessblock": "s3:GetBucketPublicAccessBlock", "s3:putpublicaccessblock": "s3:PutBucketPublicAccessBlock",
	"s3:deletebuckettagging": "s3:PutBucketTagging", "s3:getobjectforreplication": "s3:GetObjectVersionForReplication",
	"s3:replicateobjecttagstobucketowner": "s3:ReplicateTags", "kms:reencrypt": "kms:ReEncrypt*",
	"sts:assume": "sts:AssumeRole",
}

// nearest is the action of the service that comes closest to a name, "" if none does.
func (c *catalog) nearest(service, name string) string {
	written := service + ":" + strings.ToLower(name)
	if known := apiNames[written]; known != "" {
		return known
	}
	best, least := "", 5
	for _, info := range c.byName {
		if !strings.HasPrefix(info.name, service+":") {
			continue
		}
		known := strings.ToLower(info.name)
		d := distance(written, known, 4)
		if d > 4 && (strings.HasPrefix(written, known) || strings.HasPrefix(known, written)) && len(written) > len(service)+4 {
			d = 4
		}
		if d < least && d <= len(name)/2 {
			best, least = info.name, d
		}
	}
	return best
}

// withoutColon guesses the action behind a text without a colon: "s3>ListBucket", "GetObject".
func (c *catalog) withoutColon(text string) string {
	plain := strings.ToLower(letters(text))
	for _, info := range c.byName {
		if strings.ToLower(letters(info.name)) == plain {
			return info.name
		}
	}
	for _, service := range [...]string{"s3", "kms", "sts", "iam"} {
		if info := c.actions[service+":"+strings.ToLower(text)]; info != nil {
			return info.name
		}
	}
	return ""
}

// patternCovers reports whether everything that the pattern inner matches outer matches
// too. It may say no when the answer is yes.
func patternCovers(outer, inner string) bool {
	if strings.Contains(outer, "?") || strings.Contains(inner, "${") || strings.Contains(outer, "${") {
		return outer == inner
	}
	// A "*" of the inner pattern is a character that only a "*" of the outer one fits.
	return globMatch(encode(outer), strings.ReplaceAll(inner, "*", "\x00"))
}

// fit reports actions that no resource of their statement suits, and resources that
// suit none of its actions.
func (l *linter) fit(s *Statement) {
	if s.NotAction || s.NotResource || len(s.Resources) == 0 || l.options.Kind == TrustDocument || l.options.Kind == KeyDocument {
		return
	}
	if slices.ContainsFunc(s.Resources, func(r Value) bool { return strings.Trim(r.Text, "*") == "" }) {
		return
	}
	suits := make([]bool, len(s.Resources))
	open := false
	for _, a := range s.Actions {
		infos := l.expand(a.Text)
		if len(infos) == 0 || coversUnknown(a.Text) {
			open = true // nothing can be said of it, nor of the resources it may want
			continue
		}
		fits := false
		for i, r := range s.Resources {
			if slices.ContainsFunc(infos, func(info *actionInfo) bool { return info.mayMeet(r.Text) }) {
				fits, suits[i] = true, true
			}
		}
		if !fits {
			fix, why := unfit(infos, s.Resources)
			l.find(Dead, a.Pos, fix, quote(a.Text)+" "+why)
		}
	}
	if open || !slices.Contains(suits, true) {
		return
	}
	for i, r := range s.Resources {
		if !suits[i] && resourceForm(r.Text) == "" {
			l.find(Dead, r.Pos, "remove it, or add an action that works on it", "no action of the statement works on "+quote(r.Text))
		}
	}
}

// mayMeet reports whether a resource pattern can match a resource of the action.
func (a *actionInfo) mayMeet(pattern string) bool {
	fields := splitFields(pattern)
	for len(fields) < 6 {
		fields = append(fields, "*")
	}
	if len(a.types) == 0 {
		// IAM decides its lists on a path, so their ARNs do match (I39).
		return strings.HasPrefix(a.name, "iam:") || strings.HasPrefix(a.name, "sts:") || pattern == "arn:aws:s3:::*" && strings.HasPrefix(a.name, "s3:")
	}
	service := strings.ToLower(a.name[:strings.IndexByte(a.name, ':')])
	for _, t := range a.types {
		owner, prefix := service, t+"/"
		switch {
		case service == "s3" && (t == "bucket" || t == "object"):
			prefix = ""
		case service == "s3" && fields[3] == "" && fields[4] == "":
			continue // access points and the like have an account
		case service == "s3":
			return true
		case service == "sts" && t != "federated-user" && t != "self-session":
			owner = "iam"
		}
		if fields[2] != owner && !hasWildcard(fields[2]) {
			continue
		}
		switch {
		case t == "object" && service == "s3":
			if strings.ContainsAny(fields[5], "/*?$") {
				return true
			}
		case t == "bucket" && service == "s3":
			if !strings.Contains(fields[5], "/") {
				return true
			}
		case t == "root-user" || t == "self-session":
			return true
		case t == "key":
			return true // what is wrong with it is said of the resource itself
		case mayBegin(fields[5], prefix):
			return true
		}
	}
	return false
}

// mayBegin reports whether a pattern can match a text that begins with prefix.
func mayBegin(pattern, prefix string) bool {
	literal := pattern
	if i := strings.IndexAny(pattern, "*?$"); i >= 0 {
		literal = pattern[:i]
		return strings.HasPrefix(prefix, literal) || strings.HasPrefix(literal, prefix)
	}
	return strings.HasPrefix(literal, prefix)
}

// unfit says why an action meets none of the resources, and what to write.
func unfit(infos []*actionInfo, resources []Value) (fix, why string) {
	info := infos[0]
	service := info.name[:strings.IndexByte(info.name, ':')]
	if len(info.types) == 0 {
		return `give it a statement of its own with "Resource": "*"`, "has no resource: it is allowed on \"*\" only"
	}
	if service == "s3" && (info.object || info.bucket) {
		for _, r := range resources {
			f, ok := arnFields(r.Text)
			if !ok || f[2] != "s3" {
				continue
			}
			bucket, _, object := strings.Cut(f[5], "/")
			switch {
			case info.object && !object:
				return "add " + quote("arn:aws:s3:::"+bucket+"/*") + " to the resources", "works on objects, and " + quote(r.Text) + " names the bucket"
			case info.bucket && object:
				return "add " + quote("arn:aws:s3:::"+bucket) + " to the resources", "works on the bucket, and " + quote(r.Text) + " names objects"
			}
		}
	}
	return "add a " + join(info.types) + " to the resources", "works on a " + strings.Join(info.types, " or ") + ", and the statement names none"
}
