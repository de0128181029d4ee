package policy

import (
	"slices"
	"strings"
)

// conditions reports keys that a request never has, values that no request has, and
// conditions that exclude each other.
func (l *linter) conditions(s *Statement) {
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if !l.conditionKey(s, c) {
			continue
		}
		for _, v := range c.Values {
			l.conditionValue(c, v)
			l.variables(v, s)
		}
		if listKeys[c.key] && c.op.set == single && c.op.family != nullFamily {
			l.find(Doubtful, c.Pos, "write ForAnyValue:"+c.Operator+" or ForAllValues:"+c.Operator,
				c.Key+" is a list, and "+c.Operator+" matches only lists of one value")
		}
		for j := range s.Conditions[:i] {
			if why := contradiction(&s.Conditions[j], c); why != "" {
				l.find(Dead, c.Pos, "remove one of the two", why+": the statement never applies")
			}
		}
	}
}

// listKeys are the keys that hold several values in one request.
var listKeys = map[string]bool{
	"aws:tagkeys": true, "aws:principalorgpaths": true, "aws:resourceorgpaths": true, "aws:sourceorgpaths": true,
	"aws:calledvia": true, "aws:principalservicenameslist": true, "kms:encryptioncontextkeys": true,
	"kms:grantoperations": true, "kms:resourcealiases": true, "s3:requestobjecttagkeys": true, "sts:transitivetagkeys": true,
}

// conditionKey reports whether the key can be in a request that the rest of the
// statement fits, and adds a finding if not.
func (l *linter) conditionKey(s *Statement, c *Condition) bool {
	if why, fix := l.noSuchKey(c.key, c.Key); why != "" {
		l.find(c.absentSeverity(), c.Pos, fix, why+c.absentEffect())
		return false
	}
	if why := l.wrongCaller(s, c); why != "" {
		l.find(c.absentSeverity(), c.Pos, "", why+c.absentEffect())
		return false
	}
	service, _, _ := strings.Cut(c.key, ":")
	if globalKey(c.key) || service != "aws" && !knownVendor(service) {
		return true
	}
	infos, all := l.concrete(s)
	if !all || len(infos) == 0 {
		return true
	}
	var without []string
	for _, a := range s.Actions {
		if !slices.ContainsFunc(l.expand(a.Text), func(info *actionInfo) bool { return info.supports(c.key) }) {
			without = append(without, a.Text)
		}
	}
	switch {
	case len(without) == 0:
		return true
	case len(without) == len(s.Actions):
		l.find(c.absentSeverity(), c.Pos, "remove the condition, or the actions it does not belong to",
			"no request for "+join(without)+" has the key "+c.Key+c.absentEffect())
		return false
	}
	l.find(c.absentSeverity(), c.Pos, "give "+join(without)+" a statement without this condition",
		"no request for "+join(without)+" has the key "+c.Key+c.absentEffect())
	return true
}

// absentTrue reports whether the condition holds without its key.
func (c *Condition) absentTrue() bool { return c.holds(nil) }

func (c *Condition) absentSeverity() Severity {
	if c.absentTrue() {
		return Doubtful
	}
	return Dead
}

// absentEffect says what a condition whose key is never there does.
func (c *Condition) absentEffect() string {
	if c.absentTrue() {
		return ", so the condition always holds"
	}
	return ", so the statement never applies"
}

// noSuchKey says why no request at all has the key (lower case), and which one was meant.
func (l *linter) noSuchKey(key, written string) (why, fix string) {
	service, name, colon := strings.Cut(key, ":")
	switch {
	case !colon:
		return quote(written) + " is not a condition key: keys are written service:name", write(l.nearestKey("aws:" + key))
	case service == "aws":
		if globalKey(key) || name == "tagkeys" || l.anySupports(key) {
			return "", ""
		}
	case knownVendor(service):
		if l.anySupports(key) {
			return "", ""
		}
	default:
		return "", "" // of another service
	}
	return "there is no condition key " + quote(written), write(l.nearestKey(key))
}

func (l *linter) anySupports(key string) bool {
	return slices.ContainsFunc(l.reference.byName, func(info *actionInfo) bool { return info.supports(key) })
}

// knownKeys are spelled as the documentation does; nearestKey suggests from them, and from
// the keys of the action table.
var knownKeys = strings.Fields("aws:CurrentTime aws:EpochTime aws:SecureTransport aws:SourceIp aws:UserAgent aws:Referer " +
	"aws:RequestedRegion aws:PrincipalArn aws:PrincipalAccount aws:PrincipalType aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalTag/ " +
	"aws:PrincipalIsAWSService aws:PrincipalServiceName aws:userid aws:username aws:ResourceAccount aws:ResourceOrgID aws:ResourceTag/ " +
	"aws:RequestTag/ aws:TagKeys aws:TokenIssueTime aws:MultiFactorAuthPresent aws:MultiFactorAuthAge aws:SourceIdentity aws:ViaAWSService " +
	"aws:SourceArn aws:SourceAccount aws:SourceVpc aws:SourceVpce aws:VpcSourceIp kms:ViaService kms:CallerAccount kms:EncryptionContextKeys " +
	"kms:ResourceAliases kms:RequestAlias kms:GranteePrincipal kms:GrantOperations kms:GrantIsForAWSResource kms:KeySpec kms:KeyUsage " +
	"s3:prefix s3:delimiter s3:max-keys s3:VersionId s3:x-amz-acl s3:x-amz-server-side-encryption s3:x-amz-server-side-encryption-aws-kms-key-id " +
	"s3:x-amz-copy-source s3:x-amz-storage-class s3:x-amz-content-sha256 s3:signatureAge s3:authType s3:TlsVersion s3:ResourceAccount " +
	"sts:ExternalId sts:RoleSessionName sts:SourceIdentity sts:TransitiveTagKeys iam:PassedToService iam:AssociatedResourceArn " +
	"iam:PermissionsBoundary iam:PolicyARN iam:AWSServiceName")

func (l *linter) nearestKey(key string) string {
	best, least := "", 4
	for _, known := range knownKeys {
		if d := distance(key, strings.ToLower(known), 3); d < least {
			best, least = known, d
		}
	}
	return best
}

// wrongCaller finds keys that the statement's callers never have.
func (l *linter) wrongCaller(s *Statement, c *Condition) string {
	users, services := s.callers(l.options.Kind)
	switch c.key {
	case "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner",
		"aws:principalservicename", "aws:principalservicenameslist":
		if users {
			return c.Key + " is only there when an AWS service calls with its own identity, which this statement is not for"
		}
	case "aws:username", "aws:principalorgid", "aws:principalorgpaths", "sts:externalid", "aws:principaltag/", "aws:sourceip", "aws:tokenissuetime":
		if services {
			return "a service that calls with its own identity has no " + c.Key
		}
	}
	if services && strings.HasPrefix(c.key, "aws:principaltag/") {
		return "a service that calls with its own identity has no " + c.Key
	}
	return ""
}

// callers reports whether only users and roles, or only services, can meet the statement.
func (s *Statement) callers(kind DocumentKind) (users, services bool) {
	if kind == IdentityDocument || kind == SessionDocument {
		return true, false
	}
	if len(s.Principals) == 0 || s.NotPrincipal {
		return false, false
	}
	users, services = true, true
	for _, p := range s.Principals {
		services = services && p.Kind == PrincipalService
		users = users && p.Kind == PrincipalAWS && p.Text != "*"
	}
	return users, services
}
