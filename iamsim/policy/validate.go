package policy

import (
	"errors"
	"strings"
)

// ValidationError is AWS's refusal to store a policy: the service's error code,
// its exact message, and the place of the fault, which AWS does not tell.
type ValidationError struct {
	Code    string
	Message string
	// Line and Column count from 1; 0 when the fault has no place, such as a document that is too long.
	Line, Column int
}

func (e *ValidationError) Error() string { return e.Code + ": " + e.Message }

// Resolver knows the users and roles that live.
type Resolver interface {
	// PrincipalID returns the unique id behind a user's or role's ARN, or the id
	// itself for an "AIDA…" or "AROA…" id of a living entity. ok is false when
	// nothing lives there. An empty id with ok accepts the principal without a
	// pin, for accounts the resolver knows nothing about (P11).
	PrincipalID(arn string) (id string, ok bool)
}

// draft is a policy text on its way through the checks of a service.
type draft struct {
	code       string // the service's error code
	text       string
	root       *node
	statements []*node
}

func (d *draft) fail(p Pos, message string) error {
	return &ValidationError{Code: d.code, Message: message, Line: p.Line, Column: p.Column}
}

// failSyntax gives a syntax error the service's message and keeps its place.
func (d *draft) failSyntax(err error, message string) error {
	var at *SyntaxError
	if errors.As(err, &at) {
		return d.fail(Pos{at.Line, at.Column}, message)
	}
	return d.fail(Pos{}, message)
}

// finish compiles the document after all checks passed.
func (d *draft) finish(message string) (*Document, error) {
	doc, err := build(d.root, d.text)
	if err != nil {
		return nil, d.failSyntax(err, message)
	}
	return doc, nil
}

// each runs a check over every statement, in order.
func (d *draft) each(check func(s *node) error) error {
	for _, s := range d.statements {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

// run runs checks in order until one fails.
func run(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// values are the strings of a statement's element; a missing element has none.
func values(s *node, key string) []Value {
	n := s.get(key)
	if n == nil {
		return nil
	}
	list, err := stringsOf(member{key: key, value: n})
	if err != nil {
		return nil
	}
	return list
}

// both returns the strings of an element and of its negation.
func both(s *node, key string) []Value { return append(values(s, key), values(s, "Not"+key)...) }

func documentElement(key string) bool {
	return key == "Version" || key == "Id" || key == "Statement"
}

func statementElement(key string) bool {
	switch key {
	case "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition":
		return true
	}
	return false
}

// unknownElement finds the first name that is not part of the grammar.
func (d *draft) unknownElement() (member, bool) {
	for _, m := range d.root.members {
		if !documentElement(m.key) {
			return m, true
		}
	}
	for _, s := range d.statements {
		for _, m := range s.members {
			if !statementElement(m.key) {
				return m, true
			}
		}
	}
	return member{}, false
}

// badVersion reports a Version that is not one of the two; an absent one is fine.
func (d *draft) badVersion() *node {
	v := d.root.get("Version")
	if v != nil && (v.kind != kindString || v.text != version2008 && v.text != version2012) {
		return v
	}
	return nil
}

// repeatedSid finds a Sid that an earlier statement has.
func (d *draft) repeatedSid() *node {
	seen := make(map[string]bool)
	for _, s := range d.statements {
		sid := s.get("Sid")
		if sid == nil || sid.text == "" {
			continue
		}
		if seen[sid.text] {
			return sid
		}
		seen[sid.text] = true
	}
	return nil
}

// principalFault reports whether a principal may not be stored. All
// services check the same things and word them differently (P11, P70).
func principalFault(p PrincipalValue, r Resolver) bool {
	switch p.Kind {
	case PrincipalAny:
		return false
	case PrincipalAWS:
		return awsPrincipalFault(p.Text, r)
	case PrincipalService:
		return !knownService(p.Text)
	case PrincipalFederated:
		return !federated(p.Text)
	case PrincipalCanonical:
		return len(p.Text) != 64 || strings.Trim(p.Text, "0123456789abcdef") != ""
	}
	return true
}

func awsPrincipalFault(text string, r Resolver) bool {
	if text == "*" {
		return false
	}
	if hasWildcard(text) {
		return true
	}
	p := compileAWSPrincipal(text)
	if p.form != formAccount && p.form != formID && !knownPartition(field(text, 1)) {
		return true
	}
	switch p.form {
	case formUser, formRole, formID:
		if p.form != formID && baseName(text) == "" {
			return true
		}
		if r == nil {
			return false
		}
		_, ok := r.PrincipalID(text)
		return !ok
	case formSession:
		n := strings.Count(text, "/")
		return strings.HasSuffix(text, "/") || strings.Contains(text, "assumed-role/") && n != 2 || n < 1
	case formAccount:
		return strings.Contains(text, ":") && !knownPartition(field(text, 1))
	}
	return true
}

// field is the i-th colon-separated field of text.
func field(text string, i int) string {
	for ; i > 0; i-- {
		_, text, _ = strings.Cut(text, ":")
	}
	text, _, _ = strings.Cut(text, ":")
	return text
}

func knownPartition(p string) bool {
	switch p {
	case "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc":
		return true
	}
	return false
}

// federated accepts identity provider ARNs and the built-in web providers.
func federated(text string) bool {
	switch text {
	case "*", "cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com":
		return true
	}
	f, ok := arnFields(text)
	return ok && f[2] == "iam" && isAccountID(f[4]) &&
		(strings.HasPrefix(f[5], "saml-provider/") || strings.HasPrefix(f[5], "oidc-provider/"))
}

// services are the AWS service principals that real policies name, without
// ".amazonaws.com" (P71).
const services = " s3 batchoperations.s3 logging.s3 storage-lens.s3 access-grants.s3 s3-outposts s3-object-lambda maintenance.s3tables metadata.s3tables" +
	" access-analyzer acm acm-pca airflow airflow-env amplify apigateway appflow application-autoscaling appsync athena autoscaling" +
	" backup batch bedrock billing billingreports braket budgets cassandra chatbot cloud9 cloudformation cloudfront cloudhsm cloudtrail cloudwatch" +
	" codeartifact codebuild codecommit codedeploy codepipeline codestar-notifications cognito-idp comprehend config config-multiaccountsetup connect costalerts" +
	" databrew datapipeline datasync dax delivery.logs detective devops-guru directconnect dlm dms ds dynamodb ec2 ec2scheduled ec2fleet ecr ecs ecs-tasks edgelambda eks" +
	" eks-fargate-pods eks-nodegroup elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce elastictranscoder emr-containers emr-serverless es events" +
	" export.rds rds fargate firehose fis fms forecast fsx gamelift glacier globalaccelerator glue grafana greengrass guardduty health imagebuilder importexport inspector inspector2 iot" +
	" iotanalytics iotevents iotsitewise ivs kafka kafkaconnect kinesis kinesisanalytics kms lakeformation lambda lex lexv2 license-manager logdelivery.elasticloadbalancing" +
	" logs lookoutmetrics m2 macie macie2 mediaconvert medialive mediapackage mediastore mgn mobilehub monitoring mq network-firewall notifications opensearchservice opsworks" +
	" organizations osis personalize pinpoint pipes pods.eks polly quicksight ram rds-data redshift redshift-serverless rekognition replication.dynamodb replicator.lambda" +
	" resource-groups robomaker rolesanywhere route53 route53resolver sagemaker scheduler secretsmanager securityhub securitylake serverlessrepo servicecatalog" +
	" servicediscovery ses shield signer sms sns sqs ssm ssm-incidents sso states storagegateway streams.metrics.cloudwatch sts support swf synthetics tagging textract" +
	" timestream transcribe transfer translate trustedadvisor verifiedpermissions vmie voiceid vpc-flow-logs vpc-lattice waf waf-regional wafv2 workdocs workmail workspaces workspaces-web xray "

// knownService reports whether text is a service principal, plain
// ("logs.amazonaws.com") or regional ("logs.eu-west-1.amazonaws.com").
func knownService(text string) bool {
	name, ok := strings.CutSuffix(strings.TrimSuffix(text, ".cn"), ".amazonaws.com")
	if !ok || name == "" || strings.Contains(name, " ") {
		return false
	}
	if strings.Contains(services, " "+name+" ") {
		return true
	}
	i := strings.LastIndexByte(name, '.')
	return i > 0 && isRegion(name[i+1:]) && strings.Contains(services, " "+name[:i]+" ")
}

// isRegion recognises the shape of a Region name.
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	n := len(parts)
	return n >= 3 && len(parts[0]) == 2 && len(parts[n-1]) == 1 && parts[n-1][0] >= '1' && parts[n-1][0] <= '9'
}
