package policy

import "strings"

// Messages of IAM for identity policies (P3).
const (
	msgSyntax       = "Syntax errors in policy."
	msgLegacy       = "The policy failed legacy parsing"
	msgVersion      = "Policy document must be version 2012-10-17 or greater."
	msgSidUnique    = "Statement IDs (SID) in a single policy must be unique."
	msgSidText      = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	msgPrincipal    = "Policy document should not specify a principal."
	msgNoActions    = "Policy statement must contain actions."
	msgNoResources  = "Policy statement must contain resources."
	msgVendorPrefix = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	msgOneColon     = "Actions/Condition can contain only one colon."
	msgVendorWild   = "Resource vendor must be fully qualified and cannot contain regexes."
	msgIAMRegion    = "IAM resource ARN cannot contain region information."
	msgRegion       = "Resource ARN can not contain region information."
	msgIAMPath      = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
)

const codeMalformedDocument = "MalformedPolicyDocument"

// ValidateIdentity checks an identity policy as IAM does when it is stored:
// managed policies by CreatePolicy and CreatePolicyVersion, inline ones by
// Put{User,Role,Group}Policy. IAM checks the form and little else: unknown
// actions, foreign resources and unknown condition keys pass (P3, P4).
func ValidateIdentity(text string, managed bool) (*Document, error) {
	d := &draft{code: codeMalformedDocument, text: text}
	if err := d.readIdentity(); err != nil {
		return nil, err
	}
	err := run(
		func() error { return d.managedVersion(managed) },
		func() error { return d.each(d.legacy) },
		d.identitySids,
		func() error { return d.each(d.noPrincipal) },
		func() error { return d.each(d.hasActions) },
		func() error { return d.each(d.resourceForms) },
		func() error { return d.each(d.actionForms) },
		func() error { return d.each(d.hasResources) },
	)
	if err != nil {
		return nil, err
	}
	return d.finish(msgSyntax)
}

// readIdentity is the first check: JSON, known elements, types, operators.
func (d *draft) readIdentity() error {
	root, err := readJSON(d.text)
	if err != nil {
		return d.failSyntax(err, msgSyntax)
	}
	d.root, d.statements = root, statementNodes(root.get("Statement"))
	if root.kind != kindObject || len(d.statements) == 0 {
		return d.fail(root.start, msgSyntax)
	}
	if n := d.badVersion(); n != nil {
		return d.fail(n.start, msgSyntax)
	}
	if id := root.get("Id"); id != nil && id.kind != kindString {
		return d.fail(id.start, msgSyntax)
	}
	for _, s := range d.statements {
		if s.kind != kindObject {
			return d.fail(s.start, msgSyntax)
		}
	}
	if m, found := d.unknownElement(); found {
		return d.fail(m.pos, msgSyntax)
	}
	return d.each(d.identityTypes)
}

func (d *draft) identityTypes(s *node) error {
	effect := s.get("Effect")
	if effect == nil || !strings.EqualFold(effect.text, "Allow") && !strings.EqualFold(effect.text, "Deny") {
		return d.fail(s.start, msgSyntax)
	}
	if sid := s.get("Sid"); sid != nil && sid.kind != kindString {
		return d.fail(sid.start, msgSyntax)
	}
	for _, key := range [...]string{"Action", "Resource"} {
		plain, not := s.get(key), s.get("Not"+key)
		if plain != nil && not != nil {
			return d.fail(not.start, msgSyntax)
		}
		for _, n := range [...]*node{plain, not} {
			if n == nil {
				continue
			}
			if _, err := stringsOf(member{key: key, value: n}); err != nil {
				return d.failSyntax(err, msgSyntax)
			}
		}
	}
	if c := s.get("Condition"); c != nil {
		if _, err := conditions(c, false); err != nil {
			return d.failSyntax(err, msgSyntax)
		}
	}
	return nil
}

func (d *draft) managedVersion(managed bool) error {
	v := d.root.get("Version")
	switch {
	case !managed || v != nil && v.text == version2012:
		return nil
	case v == nil:
		return d.fail(d.root.start, msgVersion)
	}
	return d.fail(v.start, msgVersion)
}

// legacy applies what IAM's older parser insists on.
func (d *draft) legacy(s *node) error {
	if e := s.get("Effect"); e.text != string(Allow) && e.text != string(Deny) {
		return d.fail(e.start, msgLegacy)
	}
	if c := s.get("Condition"); c != nil {
		list, _ := conditions(c, false)
		for _, cond := range list {
			if cond.op.family != dateFamily {
				continue
			}
			for _, v := range cond.Values {
				if _, ok := parseDate(v.Text); !ok {
					return d.fail(v.Pos, msgLegacy)
				}
			}
		}
	}
	for _, r := range both(s, "Resource") {
		if failsLegacy(r.Text) {
			return d.fail(r.Pos, msgLegacy)
		}
	}
	return nil
}

// failsLegacy: a short ARN is completed with "*" unless it has an empty field (P24).
func failsLegacy(resource string) bool {
	return strings.HasPrefix(resource, "arn:") && strings.Count(resource, ":") < 5 && strings.Contains(resource, "::") &&
		knownPartition(field(resource, 1))
}

func (d *draft) identitySids() error {
	if sid := d.repeatedSid(); sid != nil {
		return d.fail(sid.start, msgSidUnique)
	}
	return d.each(func(s *node) error {
		if sid := s.get("Sid"); sid != nil && letters(sid.text) != sid.text {
			return d.fail(sid.start, msgSidText)
		}
		return nil
	})
}

func (d *draft) noPrincipal(s *node) error {
	for _, key := range [...]string{"Principal", "NotPrincipal"} {
		if n := s.get(key); n != nil {
			return d.fail(n.start, msgPrincipal)
		}
	}
	return nil
}

func (d *draft) hasActions(s *node) error {
	if len(both(s, "Action")) == 0 {
		return d.fail(s.start, msgNoActions)
	}
	return nil
}

func (d *draft) hasResources(s *node) error {
	if len(both(s, "Resource")) == 0 {
		return d.fail(s.start, msgNoResources)
	}
	return nil
}

func (d *draft) actionForms(s *node) error {
	for _, a := range both(s, "Action") {
		if msg := actionFault(a.Text); msg != "" {
			return d.fail(a.Pos, msg)
		}
	}
	return nil
}

func actionFault(action string) string {
	vendor, name, found := strings.Cut(action, ":")
	switch {
	case action == "*":
		return ""
	case !found:
		return msgVendorPrefix
	case strings.Contains(name, ":"):
		return msgOneColon
	case vendor == "*":
		return ""
	case vendor == "" || letters(strings.ReplaceAll(vendor, "-", "")) != strings.ReplaceAll(vendor, "-", ""):
		return "Vendor " + vendor + " is not valid"
	}
	return ""
}

func (d *draft) resourceForms(s *node) error {
	for _, r := range both(s, "Resource") {
		if msg := resourceFault(r.Text); msg != "" {
			return d.fail(r.Pos, msg)
		}
	}
	return nil
}

func resourceFault(resource string) string {
	if resource == "*" {
		return ""
	}
	prefix, rest, found := strings.Cut(resource, ":")
	if !found {
		return "Resource " + resource + ` must be in ARN format or "*".`
	}
	partition, rest, _ := strings.Cut(rest, ":")
	if !knownPartition(partition) && !strings.Contains(partition, "*") {
		// IAM prints the ARN as it understood it, with "*" for what is missing.
		var fields []string
		if rest != "" {
			fields = strings.SplitN(rest, ":", 4)
		}
		for len(fields) < 4 {
			fields = append(fields, "*")
		}
		return `Partition "` + partition + `" is not valid for resource "arn:` + partition + ":" + strings.Join(fields, ":") + `".`
	}
	if prefix != "arn" {
		return "Resource " + resource + ` must be in ARN format or "*".`
	}
	return vendorFault(rest)
}

// vendorFault checks the fields from the service on; missing ones stand for "*" (P24).
func vendorFault(rest string) string {
	service, rest, _ := strings.Cut(rest, ":")
	if service == "" || hasWildcard(service) {
		return msgVendorWild
	}
	region, rest, _ := strings.Cut(rest, ":")
	_, name, named := strings.Cut(rest, ":")
	regional := region != "" && region != "*"
	switch {
	case service == "iam" && regional:
		return msgIAMRegion
	case service == "s3" && regional && !regionalS3(name):
		return msgRegion
	case service == "iam" && named && !iamPath(name):
		return msgIAMPath
	}
	return ""
}

// regionalS3 reports whether S3 has resources of that name in a Region, as jobs and access
// points are and buckets and objects are not (B56).
func regionalS3(name string) bool {
	kind, _, ok := strings.Cut(name, "/")
	switch kind {
	case "job", "accesspoint", "storage-lens", "storage-lens-group", "access-grants", "async-request":
		return ok
	}
	return false
}

func iamPath(name string) bool {
	if name == "*" {
		return true
	}
	for _, p := range [...]string{
		"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
		"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
	} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
