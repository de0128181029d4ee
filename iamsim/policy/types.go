package policy

// Type says what kind of policy a document acts as. The text is what AWS's
// denial messages call it ("because no identity-based policy allows …").
type Type string

const (
	Identity   Type = "identity-based policy"
	Resource   Type = "resource-based policy" // bucket policy, key policy
	Boundary   Type = "permissions boundary"
	Session    Type = "session policy"
	SCP        Type = "service control policy"
	RCP        Type = "resource control policy"
	Trust      Type = "role trust policy"
	Grant      Type = "KMS grant"
	ACL        Type = "access control list" // of a bucket or object, as a resource policy (S150)
	RootUser   Type = "account root user"   // no document: the account's root needs no identity policy
	OwnerRight Type = "service rule"        // no document: the service itself decides (S3 lockout protection, GetCallerIdentity)
	Unenforced Type = "nothing"             // no document: enforcement is off and no policy was asked
)

// PrincipalType is the value of aws:PrincipalType.
type PrincipalType string

const (
	Account       PrincipalType = "Account" // the root user of an account
	User          PrincipalType = "User"
	AssumedRole   PrincipalType = "AssumedRole"
	FederatedUser PrincipalType = "FederatedUser"
	Service       PrincipalType = "AWSService"
	// WebIdentity is a token's bearer who assumes a role: the Principal's ARN is the identity provider's.
	WebIdentity PrincipalType = "WebIdentityUser"
	Anonymous   PrincipalType = "Anonymous"
)

// Principal is who makes a request, as policies see it.
type Principal struct {
	Type PrincipalType
	// Account is the 12-digit account; "" for services, "anonymous" is never stored here.
	Account string
	// ARN is the identity that messages show: the root, user or session ARN;
	// for a service principal its name, such as "s3.amazonaws.com".
	ARN string
	// RoleARN is the role's ARN with its path; assumed roles only.
	RoleARN string
	// UserARN is the user behind a federated session; federated users only.
	UserARN string
	// UniqueID is the entity's id (AIDA…, AROA…); for an assumed role the role's id, without the session name.
	UniqueID string
}

// Source is one policy that takes part in a decision.
type Source struct {
	Type  Type
	Owner string // account that owns the policy; "aws" for AWS managed policies
	// Name is how people call it: a managed policy's ARN, "role policy crr/p", "bucket policy of tax-replica", "key policy of arn:…".
	Name string
	Doc  *Document
	// Pins maps a principal ARN written in Doc to the unique id of the entity it
	// named when the policy was saved; an ARN without a pin matches by text.
	Pins map[string]string
	// DenyOnly: the policy's allows do not count here. S3 takes a bucket policy so for
	// objects that another account than the bucket's owns (S151).
	DenyOnly bool
}

// GrantMatch is a KMS grant that covers the request (operation, grantee and
// constraints were already checked by the KMS core).
type GrantMatch struct {
	ID    string
	Owner string // account of the key
	// Session is true when the grant names exactly this role session, whose
	// implicit session-policy and boundary denies it then overrides.
	Session bool
}

// Rule selects how a resource policy combines with identity policies.
type Rule int

const (
	// Standard: within one account either side may allow; across accounts both must.
	Standard Rule = iota
	// KeyRule: the key policy must open the door to the caller or to the
	// caller's account before identity policies count, for root too.
	KeyRule
	// TrustRule: as KeyRule, for sts:AssumeRole on a role's trust policy.
	TrustRule
)

// Input is everything one decision is made from. It is read only.
type Input struct {
	Principal Principal
	// Action in canonical case, "s3:PutObject".
	Action string
	// Resource is the ARN acted on, or "*" for actions without a resource type.
	Resource string
	// ResourceAccount owns the resource.
	ResourceAccount string
	Context         Context

	Rule     Rule
	Identity []Source
	Boundary []Source // empty: no boundary
	// Session holds the session policies. HasSession is false when none were
	// passed at AssumeRole; a federated user with none has no permissions.
	Session    []Source
	HasSession bool
	Resources  []Source   // bucket, key or trust policy; empty: none attached
	SCP        [][]Source // one slice a level of the caller's organization path; nil: not in an organization
	RCP        [][]Source
	Grant      *GrantMatch
	// RestrictPublic applies S3's RestrictPublicBuckets: an allow of a public
	// resource policy counts only for the owner's account and AWS services.
	RestrictPublic bool
}

// Outcome is the result of a whole decision.
type Outcome string

const (
	Allowed      Outcome = "allowed"
	ExplicitDeny Outcome = "explicitDeny"
	ImplicitDeny Outcome = "implicitDeny"
)

// Reference names a statement in a stored policy text. Statement counts from 1,
// Line and Column from 1 in the stored text; all three are 0 when no document decided.
type Reference struct {
	Type      Type   `json:"type"`
	Owner     string `json:"owner,omitempty"`
	Policy    string `json:"policy,omitempty"`
	Sid       string `json:"sid,omitempty"`
	Statement int    `json:"statement,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
}

// Layer is the verdict of all policies of one type together.
type Layer struct {
	Type    Type      `json:"type"`
	Verdict Outcome   `json:"verdict"`
	By      Reference `json:"by,omitzero"`
	// Statements is how many were looked at.
	Statements int `json:"statements,omitempty"`
}

// NearMiss is an Allow statement that matched all but one element. Line and
// Column are those of the offending value in the stored text.
type NearMiss struct {
	Policy    string `json:"policy"`
	Type      Type   `json:"type"`
	Sid       string `json:"sid,omitempty"`
	Statement int    `json:"statement"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	FailedOn  string `json:"failedOn"` // "action", "resource", "principal" or "condition kms:ViaService"
	Expected  string `json:"expected"` // what the statement says
	Got       string `json:"got"`      // what the request had; "" when the key was absent
	Hint      string `json:"hint,omitempty"`
	// Fix is the value to write instead of (or beside) Expected, when one is known.
	Fix string `json:"fix,omitempty"`
}

// Decision is the answer to one request and the reasons for it.
type Decision struct {
	Outcome   Outcome   `json:"outcome"`
	Principal Principal `json:"principal"`
	Action    string    `json:"action"`
	Resource  string    `json:"resource"`
	// ResourceAccount differs from Principal.Account in a cross-account request.
	ResourceAccount string `json:"resourceAccount,omitempty"`
	// DecidedBy is the deciding statement. On an implicit deny only its Type is
	// set: the layer whose allow is missing.
	DecidedBy  Reference  `json:"decidedBy"`
	Layers     []Layer    `json:"layers,omitempty"`
	NearMisses []NearMiss `json:"nearMisses,omitempty"`
	Context    Context    `json:"context,omitempty"`
	// NotEnforced: the policies deny, and the request proceeds all the same because
	// denials are only noted.
	NotEnforced bool `json:"notEnforced,omitempty"`
}

// Allowed reports whether the policies allow the request.
func (d *Decision) Allowed() bool { return d.Outcome == Allowed }

// Permitted reports whether the request may proceed: the policies allow it, or
// their denial is not enforced. It is what services ask before they act.
func (d *Decision) Permitted() bool { return d.Outcome == Allowed || d.NotEnforced }
