package policy

import (
	"strings"
)

// Messages of S3 for bucket policies (P6).
const (
	msgFirstByte      = "Policies must be valid JSON and the first byte must be '{'"
	msgBucketTooLarge = "Policy exceeds the maximum allowed document size."
	msgBadPrincipal   = "Invalid principal in policy"
	msgBadAction      = "Policy has invalid action"
	msgBadResource    = "Policy has invalid resource"
	msgNoFit          = "Action does not apply to any resource(s) in statement"
	msgBadCondition   = "Conditions do not apply to combination of actions and resources in statement"
	msgBucketSyntax   = "Invalid policy syntax."
)

// maxBucketPolicy is the largest bucket policy in bytes (P6).
const maxBucketPolicy = 20480

// ValidateBucket checks a bucket policy as PutBucketPolicy does: S3 knows its
// actions, their resource types and condition keys, and looks every principal up (P6).
// r resolves the principals; nil accepts every well-formed one.
func ValidateBucket(text, bucketName string, r Resolver) (*Document, error) {
	d := &draft{code: "MalformedPolicy", text: text}
	if len(text) > maxBucketPolicy {
		return nil, &ValidationError{Code: "PolicyTooLarge", Message: msgBucketTooLarge}
	}
	if err := d.readBucket(); err != nil {
		return nil, err
	}
	err := run(
		func() error { return d.each(d.bucketFields) },
		func() error { return d.each(func(s *node) error { return d.bucketPrincipals(s, r) }) },
		func() error { return d.each(d.bucketActions) },
		func() error { return d.each(func(s *node) error { return d.bucketResources(s, bucketName) }) },
		func() error { return d.each(func(s *node) error { return d.bucketFit(s, bucketName) }) },
		func() error { return d.each(d.bucketOperators) },
		func() error { return d.each(d.bucketKeys) },
		d.bucketSids,
	)
	if err != nil {
		return nil, err
	}
	return d.finish(msgBucketSyntax)
}

func (d *draft) readBucket() error {
	if !strings.HasPrefix(d.text, "{") {
		return d.fail(Pos{1, 1}, msgFirstByte)
	}
	root, err := readJSON(d.text)
	if err != nil {
		return d.failSyntax(err, msgInvalidJSON)
	}
	d.root = root
	n := root.get("Statement")
	if n == nil || n.kind == kindNull {
		return d.fail(root.start, "Missing required field Statement")
	}
	d.statements = statementNodes(n)
	if len(d.statements) == 0 {
		return d.fail(n.start, msgEmptyStatement)
	}
	if v := d.badVersion(); v != nil {
		return d.fail(v.start, msgTrustVersion)
	}
	if id := root.get("Id"); id != nil && id.kind != kindString {
		return d.fail(id.start, msgBucketSyntax)
	}
	for _, s := range d.statements {
		if s.kind != kindObject {
			return d.fail(s.start, msgBucketSyntax)
		}
	}
	if m, found := d.unknownElement(); found {
		return d.fail(m.pos, "Unknown field "+m.key)
	}
	return nil
}

// bucketFields asks for the required elements and their types.
func (d *draft) bucketFields(s *node) error {
	if s.get("Effect") == nil {
		return d.fail(s.start, "Missing required field Effect")
	}
	if err := d.trustEffect(s); err != nil {
		return err
	}
	if s.get("Principal") == nil && s.get("NotPrincipal") == nil {
		return d.fail(s.start, msgMissingPrincipal)
	}
	for _, key := range [...]string{"Action", "Resource"} {
		n, not := s.get(key), s.get("Not"+key)
		if n != nil && not != nil {
			return d.fail(not.start, msgBucketSyntax)
		}
		if n == nil {
			n = not
		}
		if n == nil {
			return d.fail(s.start, "Missing required field "+key)
		}
		list, err := stringsOf(member{key: key, value: n})
		if err != nil {
			return d.failSyntax(err, msgBucketSyntax)
		}
		if len(list) == 0 {
			return d.fail(n.start, "Missing required field "+key)
		}
	}
	if sid := s.get("Sid"); sid != nil && sid.kind != kindString {
		return d.fail(sid.start, msgBucketSyntax)
	}
	return nil
}

func (d *draft) bucketPrincipals(s *node, r Resolver) error {
	if s.get("Principal") != nil && s.get("NotPrincipal") != nil {
		return d.fail(s.get("NotPrincipal").start, msgBucketSyntax)
	}
	for _, key := range [...]string{"Principal", "NotPrincipal"} {
		n := s.get(key)
		if n == nil {
			continue
		}
		if n.kind == kindObject && len(n.members) == 0 {
			return d.fail(n.start, msgEmptyPrincipal)
		}
		list, err := principals(member{key: key, value: n})
		if err != nil {
			return d.failSyntax(err, msgBadPrincipal)
		}
		if len(list) == 0 {
			return d.fail(n.start, msgEmptyPrincipal)
		}
		for _, p := range list {
			if principalFault(p, r) {
				return d.fail(p.Pos, msgBadPrincipal)
			}
		}
	}
	return nil
}

// bucketActions accepts S3 actions and patterns that cover at least one.
func (d *draft) bucketActions(s *node) error {
	for _, a := range both(s, "Action") {
		if len(bucketActionsOf(a.Text)) == 0 {
			return d.fail(a.Pos, msgBadAction)
		}
	}
	return nil
}

// bucketActionsOf returns the S3 actions that a name or pattern covers.
func bucketActionsOf(text string) []*actionInfo {
	ref := reference()
	if !hasWildcard(text) {
		if info := ref.actions[strings.ToLower(text)]; info != nil && strings.HasPrefix(info.name, "s3:") {
			return []*actionInfo{info}
		}
		return nil
	}
	p := compileAction(text)
	var list []*actionInfo
	for _, info := range ref.byName {
		if strings.HasPrefix(info.name, "s3:") && p.glob.matchFold(info.name) {
			list = append(list, info)
		}
	}
	return list
}

// target is the kind of S3 resource a pattern can name.
type target struct{ bucket, object bool }

// bucketTarget reads a resource of a policy on bucketName: the bucket, its
// objects, or both for a pattern such as arn:aws:s3:::name*.
func bucketTarget(text, bucketName string) (target, bool) {
	f, ok := arnFields(text)
	if !ok || !knownPartition(f[1]) || f[2] != "s3" || f[3] != "" || f[4] != "" {
		return target{}, false
	}
	bucket, _, object := strings.Cut(f[5], "/")
	wild := hasWildcard(bucket)
	if bucket != bucketName {
		g := compileGlob(encode(bucket))
		if !wild || !strings.HasPrefix(bucket, bucketName) || !g.match(bucketName) {
			return target{}, false
		}
	}
	return target{bucket: !object, object: object || wild}, true
}

func (d *draft) bucketResources(s *node, bucketName string) error {
	for _, r := range both(s, "Resource") {
		if _, ok := bucketTarget(r.Text, bucketName); !ok {
			return d.fail(r.Pos, msgBadResource)
		}
	}
	return nil
}

// bucketFit asks every named action to fit a resource of the statement; a
// pattern needs one action that does (P6). Negated elements fit anything.
func (d *draft) bucketFit(s *node, bucketName string) error {
	if s.get("NotAction") != nil || s.get("NotResource") != nil {
		return nil
	}
	var has target
	for _, r := range values(s, "Resource") {
		t, _ := bucketTarget(r.Text, bucketName)
		has.bucket = has.bucket || t.bucket
		has.object = has.object || t.object
	}
	for _, a := range values(s, "Action") {
		if !fits(bucketActionsOf(a.Text), has) {
			return d.fail(a.Pos, msgNoFit)
		}
	}
	return nil
}

func fits(actions []*actionInfo, has target) bool {
	for _, a := range actions {
		if a.bucket && has.bucket || a.object && has.object {
			return true
		}
	}
	return false
}

// bucketOperators checks operators and the values S3 reads: addresses and booleans.
func (d *draft) bucketOperators(s *node) error {
	n := s.get("Condition")
	if n == nil {
		return nil
	}
	if n.kind == kindObject {
		for _, m := range n.members {
			if _, ok := parseOperator(m.key); !ok {
				return d.fail(m.pos, "Invalid Condition type : "+m.key)
			}
		}
	}
	list, err := conditions(n, false)
	if err != nil {
		return d.failSyntax(err, msgBucketSyntax)
	}
	for _, c := range list {
		for _, v := range c.Values {
			bad := false
			switch c.op.family {
			case ipFamily:
				_, ok := parsePrefix(v.Text)
				bad = !ok
			case boolFamily, nullFamily:
				bad = !isBool(v.Text) && !strings.Contains(v.Text, "${")
			}
			if bad {
				return d.fail(v.Pos, msgBucketSyntax)
			}
		}
	}
	return nil
}

// bucketKeys asks every action of the statement to support every condition key (P6).
func (d *draft) bucketKeys(s *node) error {
	n := s.get("Condition")
	if n == nil {
		return nil
	}
	list, _ := conditions(n, false)
	for _, c := range list {
		if globalKey(c.key) {
			continue
		}
		if s.get("NotAction") != nil {
			if !supported(bucketActionsOf("s3:*"), c.key) {
				return d.fail(c.Pos, msgBadCondition)
			}
			continue
		}
		for _, a := range values(s, "Action") {
			if !supported(bucketActionsOf(a.Text), c.key) {
				return d.fail(c.Pos, msgBadCondition)
			}
		}
	}
	return nil
}

func supported(actions []*actionInfo, key string) bool {
	for _, a := range actions {
		if a.supports(key) {
			return true
		}
	}
	return false
}

func (d *draft) bucketSids() error {
	if sid := d.repeatedSid(); sid != nil {
		return d.fail(sid.start, msgSidUnique)
	}
	return nil
}

// globalKey reports whether a key (lower case) is a global one that every action
// has. Tags of the resource and of the request are not: they stand in the action table.
func globalKey(key string) bool {
	name, ok := strings.CutPrefix(key, "aws:")
	if !ok {
		return false
	}
	switch name {
	case "currenttime", "epochtime", "securetransport", "sourceip", "useragent", "referer", "requestedregion",
		"principalarn", "principalaccount", "principaltype", "principalisawsservice", "principalservicename",
		"principalservicenameslist", "principalorgid", "principalorgpaths", "userid", "username",
		"resourceaccount", "resourceorgid", "resourceorgpaths",
		"tokenissuetime", "multifactorauthpresent", "multifactorauthage", "sourceidentity", "federatedprovider",
		"viaawsservice", "calledvia", "calledviafirst", "calledvialast",
		"sourcearn", "sourceaccount", "sourceowner", "sourceorgid", "sourceorgpaths",
		"sourcevpc", "sourcevpcarn", "sourcevpce", "vpcsourceip", "vpceaccount", "vpceorgid", "vpceorgpaths",
		"ec2instancesourcevpc", "ec2instancesourceprivateipv4", "assumedroot", "chatbotsourcearn":
		return true
	}
	return strings.HasPrefix(name, "principaltag/")
}
