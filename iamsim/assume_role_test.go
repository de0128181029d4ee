package iamsim

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const assumeAnything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`

// Who may assume what (I27): trust by account, user and everybody; from the same and from
// another account; with and without an identity policy.
func TestAssumeRoleMatrix(t *testing.T) {
	f := newFixture(t)
	callers := map[string]creds{
		"A with policy":    f.newUser(accountA, "with", assumeAnything),
		"A without policy": f.newUser(accountA, "without", ""),
		"A denied":         f.newUser(accountA, "denied", denyAll),
		"B with policy":    f.newUser(accountB, "with", assumeAnything),
		"B without policy": f.newUser(accountB, "without", ""),
	}
	roles := map[string]string{
		"account A":   f.newRole(accountA, "by-account", trusting("AWS", "arn:aws:iam::111111111111:root"), ""),
		"account B":   f.newRole(accountA, "by-other", trusting("AWS", "222222222222"), ""),
		"user A":      f.newRole(accountA, "by-user", trusting("AWS", "arn:aws:iam::111111111111:user/without"), ""),
		"user B":      f.newRole(accountA, "by-other-user", trusting("AWS", "arn:aws:iam::222222222222:user/without"), ""),
		"everybody":   f.newRole(accountA, "by-star", trusting("AWS", "*"), ""),
		"service":     f.newRole(accountA, "by-service", trusting("Service", "s3.amazonaws.com"), ""),
		"not present": "arn:aws:iam::111111111111:role/none",
	}
	allowed := map[string]string{
		"account A":   "A with policy",
		"account B":   "B with policy",
		"user A":      "A without policy",
		"user B":      "",
		"everybody":   "A with policy, A without policy, B with policy",
		"service":     "",
		"not present": "",
	}
	arns := map[string]string{
		"A with policy": "arn:aws:iam::111111111111:user/with", "A without policy": "arn:aws:iam::111111111111:user/without",
		"A denied":      "arn:aws:iam::111111111111:user/denied",
		"B with policy": "arn:aws:iam::222222222222:user/with", "B without policy": "arn:aws:iam::222222222222:user/without",
	}
	for trust, role := range roles {
		for who, c := range callers {
			t.Run(trust+" by "+who, func(t *testing.T) {
				got := f.call(c, "AssumeRole", "RoleArn", role, "RoleSessionName", "session")
				if strings.Contains(", "+allowed[trust]+",", ", "+who+",") {
					if got.Status != 200 {
						t.Errorf("%d %s: %s, want 200", got.Status, got.Code, got.Message)
					}
					return
				}
				want := "User: " + arns[who] + " is not authorized to perform: sts:AssumeRole on resource: " + role
				if got.Status != 403 || got.Code != "AccessDenied" || got.Message != want {
					t.Errorf("%d %s: %s, want AccessDenied: %s", got.Status, got.Code, got.Message, want)
				}
			})
		}
	}
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "Roles may not be assumed by root accounts."}, rootOf(accountA),
		"AssumeRole", "RoleArn", roles["everybody"], "RoleSessionName", "session") // I26
}

func TestAssumeRoleExternalID(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountB, "u", assumeAnything)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"sts:ExternalId":"secret/1:2"},"StringLike":{"sts:RoleSessionName":"ci-*"}}}]}`
	role := f.newRole(accountA, "r", trust, "")
	denied := answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::222222222222:user/u is not authorized to perform: sts:AssumeRole on resource: " + role}
	f.refused(denied, user, "AssumeRole", "RoleArn", role, "RoleSessionName", "ci-1")
	f.refused(denied, user, "AssumeRole", "RoleArn", role, "RoleSessionName", "ci-1", "ExternalId", "wrong")
	f.refused(denied, user, "AssumeRole", "RoleArn", role, "RoleSessionName", "me", "ExternalId", "secret/1:2")
	f.must(user, "AssumeRole", "RoleArn", role, "RoleSessionName", "ci-1", "ExternalId", "secret/1:2")
}

// What AssumeRole says about its parameters (I13, I15, I28 to I31).
func TestAssumeRoleMessages(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", assumeAnything)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	role := f.newRole(accountA, "r", trust, "")
	plain := f.newRole(accountA, "plain", trusting("AWS", "111111111111"), "")
	f.must(rootOf(accountA), "UpdateRole", "RoleName", "r", "MaxSessionDuration", "7200")
	session := f.assume(f.newUser(accountA, "v", assumeAnything), role, "first")
	const one = "1 validation error detected: "
	tags := func(kv ...string) []string {
		var out []string
		for i := 0; i+1 < len(kv); i += 2 {
			at := "Tags.member." + string(rune('1'+i/2))
			out = append(out, at+".Key", kv[i], at+".Value", kv[i+1])
		}
		return out
	}
	for _, tc := range []struct {
		code, message string
		role          string
		params        []string
	}{
		{"ValidationError", "nothing-valid-in-here is invalid", "nothing-valid-in-here", nil},
		{"ValidationError", "arn::b:::something/test-role is invalid", "arn::b:::something/test-role", nil},
		{"ValidationError", "arn:a::::something/test-role is invalid", "arn:a::::something/test-role", nil},
		{"ValidationError", one + `Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`, role, []string{"RoleSessionName", "Session1:2"}},
		{"ValidationError", one + "Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", role, []string{"DurationSeconds", "60"}},
		{"ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", role, []string{"DurationSeconds", "7201"}},
		{"InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.", role, append(tags("a", "1"), "TransitiveTagKeys.member.1", "b")},
		{"InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", role, tags("a", "1", "A", "2")},
		{"MalformedPolicyDocument", "This policy contains invalid Json", role, []string{"Policy", "{"}},
		{"MalformedPolicyDocument", "Policy arn:aws:iam::111111111111:policy/none does not exist or is not attachable.", role, []string{"PolicyArns.member.1.arn", "arn:aws:iam::111111111111:policy/none"}},
		{"AccessDenied", "User: arn:aws:iam::111111111111:user/u is not authorized to perform: sts:TagSession on resource: " + plain, plain, tags("a", "1")},
		{"AccessDenied", "User: arn:aws:iam::111111111111:user/u is not authorized to perform: sts:SetSourceIdentity on resource: " + plain, plain, []string{"SourceIdentity", "alice"}},
		{"AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.", role, []string{"TokenCode", "123456"}},
	} {
		got := f.call(user, "AssumeRole", append([]string{"RoleArn", tc.role, "RoleSessionName", "session"}, tc.params...)...)
		if got.Code != tc.code || got.Message != tc.message {
			t.Errorf("%v\n got %s: %s\nwant %s: %s", tc.params, got.Code, got.Message, tc.code, tc.message)
		}
	}
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:sts::111111111111:assumed-role/r/first is not authorized to perform: sts:AssumeRole on resource: " + plain},
		session, "AssumeRole", "RoleArn", plain, "RoleSessionName", "second")
	f.must(rootOf(accountA), "AttachRolePolicy", "RoleName", "r", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")
	f.refused(answer{Status: 400, Code: "ValidationError", Message: "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		session, "AssumeRole", "RoleArn", plain, "RoleSessionName", "second", "DurationSeconds", "3601")
	f.must(session, "AssumeRole", "RoleArn", plain, "RoleSessionName", "second", "DurationSeconds", "3600")
}

// A session through the SDK: what the answer says, what it may do, and when it ends.
func TestSession(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountB, "u", assumeAnything)
	role := f.newRole(accountA, "r", trusting("AWS", "222222222222"), allowAll)
	out, err := f.sts(user).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &role, RoleSessionName: aws.String("job"), DurationSeconds: aws.Int32(900),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := creds{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	if !strings.HasPrefix(c.AccessKeyID, "ASIA") || len(c.SessionToken) < 300 || !out.Credentials.Expiration.Equal(f.clock.Now().Add(15*time.Minute)) {
		t.Errorf("credentials %+v", out.Credentials)
	}
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::111111111111:assumed-role/r/job" || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":job") || *out.PackedPolicySize < 1 {
		t.Errorf("answer %+v", out.AssumedRoleUser)
	}
	f.must(c, "ListUsers")
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:sts::111111111111:assumed-role/r/job is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::111111111111:role/ because no session policy allows the iam:ListRoles action"}, c, "ListRoles")
	if used := f.must(rootOf(accountA), "GetRole", "RoleName", "r"); !strings.Contains(used.Body, "<RoleLastUsed><LastUsedDate>2026-03-04T05:06:07Z</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed>") {
		t.Errorf("RoleLastUsed is missing: %s", used.Body)
	}

	stolen := c
	stolen.SessionToken = "x" + c.SessionToken
	f.refused(answer{Status: 403, Code: "InvalidClientTokenId", Message: invalidToken}, stolen, "ListUsers")
	stolen.SessionToken = ""
	f.refused(answer{Status: 403, Code: "InvalidClientTokenId", Message: invalidToken}, stolen, "ListUsers")

	f.clock.Advance(15*time.Minute - time.Second)
	f.must(c, "ListUsers")
	f.clock.Advance(time.Second)
	f.refused(answer{Status: 403, Code: "ExpiredToken", Message: "The security token included in the request is expired"}, c, "ListUsers")
	f.clock.Advance(25 * time.Hour)
	f.assume(user, role, "sweeps") // I46
	f.refused(answer{Status: 403, Code: "InvalidClientTokenId", Message: invalidToken}, c, "ListUsers")
}

// Without its role a session may do nothing, and a new role of that name does not bring it back.
func TestSessionOfDeletedRole(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", "")
	role := f.newRole(accountA, "r", trusting("AWS", "*"), allowAll)
	c := f.assume(user, role, "s1")
	f.must(c, "ListUsers")
	f.must(rootOf(accountA), "DeleteRolePolicy", "RoleName", "r", "PolicyName", "p")
	f.must(rootOf(accountA), "DeleteRole", "RoleName", "r")
	f.newRole(accountA, "r", trusting("AWS", "*"), allowAll)
	if got := f.call(c, "ListUsers"); got.Code != "AccessDenied" {
		t.Errorf("%d %s, want AccessDenied", got.Status, got.Code)
	}
	f.must(c, "GetCallerIdentity") // I36
}

// Transitive tags and the source identity follow the chain and can't be replaced (I29, I32).
func TestRoleChaining(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", assumeAnything)
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	tagged := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],
		"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"blue","aws:SourceIdentity":"alice"},"Null":{"aws:PrincipalTag/temp":"true"}}}]}`
	first, second, third := f.newRole(accountA, "first", open, ""), f.newRole(accountA, "second", open, ""), f.newRole(accountA, "third", tagged, "")
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	assume := func(c creds, in *sts.AssumeRoleInput) (creds, error) {
		in.RoleSessionName = aws.String("chain")
		out, err := f.sts(c).AssumeRole(t.Context(), in)
		if err != nil {
			return creds{}, err
		}
		if got := aws.ToString(out.SourceIdentity); got != "alice" {
			t.Errorf("source identity %q", got)
		}
		return creds{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}, nil
	}
	one := check[creds](t)(assume(user, &sts.AssumeRoleInput{
		RoleArn: &first, SourceIdentity: aws.String("alice"), Tags: []types.Tag{tag("team", "blue"), tag("temp", "x")}, TransitiveTagKeys: []string{"team"},
	}))
	two := check[creds](t)(assume(one, &sts.AssumeRoleInput{RoleArn: &second}))
	check[creds](t)(assume(two, &sts.AssumeRoleInput{RoleArn: &third}))

	_, err := assume(two, &sts.AssumeRoleInput{RoleArn: &third, Tags: []types.Tag{tag("TEAM", "red")}})
	if got := failed(t, err); got.Code != "InvalidParameterValue" || got.Message != "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session." {
		t.Errorf("%+v", got)
	}
	_, err = assume(two, &sts.AssumeRoleInput{RoleArn: &third, SourceIdentity: aws.String("bob")})
	if got := failed(t, err); got.Code != "AccessDenied" {
		t.Errorf("%+v", got)
	}
}

// Credentials of GetSessionToken and GetFederationToken (I34, I35).
func TestTokens(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	user := f.newUser(accountA, "u", allowAll)
	out, err := f.sts(user).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	c := creds{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	if !out.Credentials.Expiration.Equal(f.clock.Now().Add(12 * time.Hour)) {
		t.Errorf("expiration %v", out.Credentials.Expiration)
	}
	f.refused(answer{Status: 403, Code: "InvalidClientTokenId", Message: invalidToken}, c, "ListUsers")
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "Cannot call GetSessionToken with session credentials"}, c, "GetSessionToken")
	me := check[*sts.GetCallerIdentityOutput](t)(f.sts(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *me.Arn != "arn:aws:iam::111111111111:user/u" {
		t.Errorf("identity %+v", me)
	}
	f.assume(c, f.newRole(accountA, "r", trusting("AWS", "111111111111"), ""), "s1")

	root := check[*sts.GetSessionTokenOutput](t)(f.sts(rootOf(accountA)).GetSessionToken(ctx, &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(7200)}))
	if !root.Credentials.Expiration.Equal(f.clock.Now().Add(time.Hour)) {
		t.Errorf("a root's token lasts until %v", root.Credentials.Expiration)
	}

	policyText := readBucket
	fed := check[*sts.GetFederationTokenOutput](t)(f.sts(user).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("guest"), Policy: &policyText}))
	if *fed.FederatedUser.Arn != "arn:aws:sts::111111111111:federated-user/guest" || *fed.FederatedUser.FederatedUserId != accountA+":guest" {
		t.Errorf("federated user %+v", fed.FederatedUser)
	}
	guest := creds{AccessKeyID: *fed.Credentials.AccessKeyId, SecretAccessKey: *fed.Credentials.SecretAccessKey, SessionToken: *fed.Credentials.SessionToken}
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "Cannot call AssumeRole with session credentials"}, guest, "AssumeRole")
	who := f.as(guest)
	for key, want := range map[string]bool{"arn:aws:s3:::b/k": true, "arn:aws:s3:::c/k": false} {
		d, err := f.Authorize(ctx, &who, &Request{Action: "s3:GetObject", Resource: key, ResourceAccount: accountA})
		if err != nil || d.Allowed() != want {
			t.Errorf("GetObject on %s: %v %v, want allowed %t", key, d, err, want)
		}
	}
	for account, c := range map[string]creds{accountA: guest, accountB: rootOf(accountB), "000000000000": {AccessKeyID: "test"}} {
		info := check[*sts.GetAccessKeyInfoOutput](t)(f.sts(user).GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &c.AccessKeyID}))
		if *info.Account != account {
			t.Errorf("account of %s: %s, want %s", c.AccessKeyID, *info.Account, account)
		}
	}
}

// What a chain hands on needs the same rights as what is passed anew (I30).
func TestChainingNeedsRights(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", assumeAnything)
	allowing := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":[` + actions + `]}]}`
	}
	all := allowing(`"sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"`)
	first := f.newRole(accountA, "first", all, "")
	for action, text := range map[string]string{
		"sts:TagSession":        allowing(`"sts:AssumeRole","sts:SetSourceIdentity"`),
		"sts:SetSourceIdentity": allowing(`"sts:AssumeRole","sts:TagSession"`),
		"":                      all,
	} {
		out := check[*sts.AssumeRoleOutput](t)(f.sts(user).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: &first, RoleSessionName: aws.String("one"), SourceIdentity: aws.String("alice"),
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}, TransitiveTagKeys: []string{"team"},
		}))
		one := creds{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
		second := f.newRole(accountA, "second", text, "")
		got := f.call(one, "AssumeRole", "RoleArn", second, "RoleSessionName", "two")
		if action == "" {
			if got.Status != 200 || !strings.Contains(got.Body, "<SourceIdentity>alice</SourceIdentity>") {
				t.Errorf("with all rights: %+v", got)
			}
		} else if want := "User: arn:aws:sts::111111111111:assumed-role/first/one is not authorized to perform: " + action + " on resource: " + second; got.Message != want {
			t.Errorf("without %s: %s %s\nwant %s", action, got.Code, got.Message, want)
		}
		f.must(rootOf(accountA), "DeleteRole", "RoleName", "second")
	}

	// A session of a role lasts an hour at most when a role's session begins it (I28).
	long := f.newRole(accountA, "long", all, "")
	f.must(rootOf(accountA), "UpdateRole", "RoleName", "long", "MaxSessionDuration", "43200")
	f.must(user, "AssumeRole", "RoleArn", long, "RoleSessionName", "s1", "DurationSeconds", "43200")
	one := f.assume(user, first, "s1")
	f.refused(answer{Status: 400, Code: "ValidationError", Message: "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		one, "AssumeRole", "RoleArn", long, "RoleSessionName", "s1", "DurationSeconds", "3601")
}

// Access key ids carry their account, as AWS's do (I50).
func TestAccountOfKey(t *testing.T) {
	f := newFixture(t)
	for id, want := range map[string]string{
		"ASIAQNZGKIQY56JQ7WML":                           "029608264753", // a known pair
		f.random.keyID(longKeyPrefix, accountA):          accountA,
		f.random.keyID(sessionKeyPrefix, "000000000000"): "000000000000",
		f.random.keyID(sessionKeyPrefix, "999999999999"): "999999999999",
		"AKIAIOSFODNN7EXAMPLE":                           "", // ids of before 2019 carry none
		"AROAQNZGKIQY56JQ7WML":                           "",
		"ASIAQNZGKIQY56JQ7WM1":                           "",
	} {
		if got := accountOfKey(id); got != want {
			t.Errorf("account of %s: %q, want %q", id, got, want)
		}
	}
	user := f.newUser(accountA, "u", allowAll)
	if got := f.must(user, "GetAccessKeyInfo", "AccessKeyId", "ASIAQNZGKIQY56JQ7WML"); !strings.Contains(got.Body, "<Account>029608264753</Account>") {
		t.Errorf("a key of elsewhere: %s", got.Body)
	}
	f.refused(answer{Status: 400, Code: "InvalidParameterValue", Message: "The access key id AKIAIOSFODNN7EXAMPLE is not known here."}, user, "GetAccessKeyInfo", "AccessKeyId", "AKIAIOSFODNN7EXAMPLE")
}
