package kmsapi

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

// use calls Decrypt and DescribeKey as an actor and reports what was allowed.
func use(t *testing.T, c *kms.Client, key string, blob []byte, encCtx map[string]string) (decrypt, describe bool) {
	t.Helper()
	_, err := c.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: encCtx})
	_, err2 := c.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	return err == nil, err2 == nil
}

// TestGrants: a grant alone opens exactly its operations to exactly its grantee,
// within its constraints, in the same account and across accounts (K66, K67).
func TestGrants(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	encCtx := map[string]string{"a": "1", "b": "2"}
	enc, err := root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), EncryptionContext: encCtx})
	if err != nil {
		t.Fatal(err)
	}
	grantee, stranger, foreign := e.user(accountA, "grantee", ""), e.user(accountA, "stranger", ""), e.user(accountB, "foreign", "")
	roleARN, session := e.role(accountA, "r", "")
	_, other := e.role(accountA, "other", "")
	for _, tt := range []struct {
		name              string
		grantee           string
		ops               []grantOp
		constraints       *types.GrantConstraints
		user              *actor
		decrypt, describe bool
	}{
		{"user", grantee.arn, []grantOp{"Decrypt"}, nil, grantee, true, false},
		{"two operations", grantee.arn, []grantOp{"Decrypt", "DescribeKey"}, nil, grantee, true, true},
		{"another user", grantee.arn, []grantOp{"Decrypt", "DescribeKey"}, nil, stranger, false, false},
		{"another account", foreign.arn, []grantOp{"Decrypt", "DescribeKey"}, nil, foreign, true, true},
		{"role", roleARN, []grantOp{"Decrypt"}, nil, session, true, false},
		{"session", session.arn, []grantOp{"Decrypt"}, nil, session, true, false},
		{"another role's session", roleARN, []grantOp{"Decrypt"}, nil, other, false, false},
		{"account means its root", rootARN(accountA), []grantOp{"Decrypt"}, nil, stranger, false, false},
		{"equal context", grantee.arn, []grantOp{"Decrypt"}, &types.GrantConstraints{EncryptionContextEquals: encCtx}, grantee, true, false},
		{"unequal context", grantee.arn, []grantOp{"Decrypt"}, &types.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}}, grantee, false, false},
		{"part of the context", grantee.arn, []grantOp{"Decrypt"}, &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, grantee, true, false},
		{"not part of the context", grantee.arn, []grantOp{"Decrypt"}, &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "2"}}, grantee, false, false},
		{"DescribeKey has no context", grantee.arn, []grantOp{"DescribeKey"}, &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "2"}}, grantee, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: &tt.grantee, Operations: tt.ops, Constraints: tt.constraints})
			if err != nil {
				t.Fatal(err)
			}
			decrypt, describe := use(t, tt.user.kms(east), *key.Arn, enc.CiphertextBlob, encCtx)
			if decrypt != tt.decrypt || describe != tt.describe {
				t.Errorf("with the grant: Decrypt %v, DescribeKey %v; want %v, %v", decrypt, describe, tt.decrypt, tt.describe)
			}
			if _, err := root.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key.KeyId, GrantId: g.GrantId}); err != nil {
				t.Fatal(err)
			}
			if decrypt, describe := use(t, tt.user.kms(east), *key.Arn, enc.CiphertextBlob, encCtx); decrypt || describe {
				t.Errorf("after the revocation: Decrypt %v, DescribeKey %v", decrypt, describe)
			}
		})
	}
}

// TestGrantLosesToDeny: an explicit deny wins over a grant.
func TestGrantLosesToDeny(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	u := e.user(accountA, "u", "")
	if _, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: &u.arn, Operations: []grantOp{"DescribeKey"}}); err != nil {
		t.Fatal(err)
	}
	describe := func() error {
		_, err := u.kms(east).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
		return err
	}
	wantFailure(t, "granted", describe(), "", "")
	e.userPolicy(accountA, "u", document(statement("Deny", "kms:DescribeKey", "*", "")))
	wantFailure(t, "denied", describe(), "AccessDeniedException", "*")
}

// TestGrantPins: a user of the same name, made anew, is another principal (K67).
func TestGrantPins(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	u := e.user(accountA, "u", "")
	if _, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: &u.arn, Operations: []grantOp{"DescribeKey"}}); err != nil {
		t.Fatal(err)
	}
	e.deleteUser(accountA, "u", u)
	list, err := root.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key.KeyId})
	if err != nil {
		t.Fatal(err)
	}
	if got := *list.Grants[0].GranteePrincipal; !strings.HasPrefix(got, "AIDA") {
		t.Errorf("a deleted grantee shows as %s, want its unique id", got)
	}
	again := e.user(accountA, "u", "")
	_, err = again.kms(east).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "a new user of the same name", err, "AccessDeniedException", "*")
}

func (e *env) deleteUser(account, name string, u *actor) {
	e.Helper()
	c := iam.NewFromConfig(e.config(rootCredentials(account), east))
	if _, err := c.DeleteAccessKey(e.Context(), &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &u.creds.AccessKeyID}); err != nil {
		e.Fatal(err)
	}
	if _, err := c.DeleteUser(e.Context(), &iam.DeleteUserInput{UserName: &name}); err != nil {
		e.Fatal(err)
	}
}

func TestGrantEntry(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	u, r := e.user(accountA, "u", ""), e.user(accountA, "r", "")
	in := &kms.CreateGrantInput{KeyId: key.Arn, GranteePrincipal: &u.arn, RetiringPrincipal: &r.arn, Operations: []grantOp{"Decrypt", "Encrypt", "Decrypt"},
		Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"a": "1"}}, Name: ptr("n")}
	first, err := root.CreateGrant(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	second, err := root.CreateGrant(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if *first.GrantId != *second.GrantId || *first.GrantToken == *second.GrantToken || len(*first.GrantId) != 64 {
		t.Errorf("a repeated request: ids %s and %s, tokens equal: %v; want one id, two tokens", *first.GrantId, *second.GrantId, *first.GrantToken == *second.GrantToken)
	}
	list, err := root.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key.KeyId, GrantId: first.GrantId})
	if err != nil {
		t.Fatal(err)
	}
	want := []types.GrantListEntry{{
		KeyId: key.Arn, GrantId: first.GrantId, Name: ptr("n"), CreationDate: ptr(start), GranteePrincipal: &u.arn, RetiringPrincipal: &r.arn,
		IssuingAccount: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt", "Encrypt"}, Constraints: in.Constraints,
	}}
	if diff := cmp.Diff(list.Grants, want, ignoreUnexported); diff != "" {
		t.Errorf("grants (-got +want):\n%s", diff)
	}
	in.Operations = []grantOp{"Decrypt"}
	third, err := root.CreateGrant(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if *third.GrantId == *first.GrantId {
		t.Error("a request with other operations found the old grant")
	}
	if list, err := root.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key.KeyId, GranteePrincipal: &r.arn}); err != nil || len(list.Grants) != 0 {
		t.Errorf("grants of another grantee: %v, %v", list, err)
	}
}

func TestGrantRefusals(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	self := rootARN(accountA)
	both := &types.GrantConstraints{EncryptionContextEquals: map[string]string{"a": "1"}, EncryptionContextSubset: map[string]string{"a": "1"}}
	for _, tt := range []struct {
		name, code, message string
		in                  kms.CreateGrantInput
	}{
		{"two constraints", "ValidationException", "More than one constraint supplied", kms.CreateGrantInput{GranteePrincipal: &self, Operations: []grantOp{"Decrypt"}, Constraints: both}},
		{"unknown user", "InvalidArnException", "*", kms.CreateGrantInput{GranteePrincipal: ptr("arn:aws:iam::111111111111:user/none"), Operations: []grantOp{"Decrypt"}}},
		{"service", "InvalidArnException", "*", kms.CreateGrantInput{GranteePrincipal: ptr("s3.amazonaws.com"), Operations: []grantOp{"Decrypt"}}},
		{"unknown retiring principal", "InvalidArnException", "*", kms.CreateGrantInput{GranteePrincipal: &self, RetiringPrincipal: ptr("arn:aws:iam::111111111111:user/none"), Operations: []grantOp{"Decrypt"}}},
		{"operation of other keys", "ValidationException", "*", kms.CreateGrantInput{GranteePrincipal: &self, Operations: []grantOp{"Sign"}}},
		{"unknown operation", "ValidationException", "*", kms.CreateGrantInput{GranteePrincipal: &self, Operations: []grantOp{"Fly"}}},
		{"no operation", "ValidationException", "*", kms.CreateGrantInput{GranteePrincipal: &self, Operations: []grantOp{}}},
		{"bad token", "InvalidGrantTokenException", "*", kms.CreateGrantInput{GranteePrincipal: &self, Operations: []grantOp{"Decrypt"}, GrantTokens: []string{"x"}}},
		{"source constraint", "UnsupportedOperationException", "*", kms.CreateGrantInput{GranteePrincipal: &self, Operations: []grantOp{"Decrypt"}, Constraints: &types.GrantConstraints{SourceArn: ptr("arn:aws:s3:::b")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.KeyId = key.KeyId
			_, err := root.CreateGrant(ctx, &tt.in)
			wantFailure(t, tt.name, err, tt.code, tt.message)
		})
	}
	_, err := root.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key.KeyId, GrantId: ptr("none")})
	wantFailure(t, "revoke", err, "NotFoundException", "Grant ID none not found")
}

// TestGrantOfGrant: who holds CreateGrant by a grant may pass on no more than that
// grant gives (K68).
func TestGrantOfGrant(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	holder, child := e.user(accountA, "holder", ""), e.user(accountA, "child", "")
	equals := func(kv ...string) *types.GrantConstraints {
		return &types.GrantConstraints{EncryptionContextEquals: pairs(kv...)}
	}
	subset := func(kv ...string) *types.GrantConstraints {
		return &types.GrantConstraints{EncryptionContextSubset: pairs(kv...)}
	}
	for _, tt := range []struct {
		name   string
		parent *types.GrantConstraints
		ops    []grantOp
		child  *types.GrantConstraints
		ok     bool
	}{
		{"the same operation", nil, []grantOp{"Decrypt"}, nil, true},
		{"one operation more", nil, []grantOp{"Decrypt", "Encrypt"}, nil, false},
		{"stricter than none", nil, []grantOp{"Decrypt"}, equals("a", "1"), true},
		{"looser than subset", subset("a", "1"), []grantOp{"Decrypt"}, nil, false},
		{"subset of more", subset("a", "1"), []grantOp{"Decrypt"}, subset("a", "1", "b", "2"), true},
		{"subset to equals", subset("a", "1"), []grantOp{"Decrypt"}, equals("a", "1", "b", "2"), true},
		{"subset to other equals", subset("a", "1"), []grantOp{"Decrypt"}, equals("b", "2"), false},
		{"equals to equals", equals("a", "1"), []grantOp{"Decrypt"}, equals("a", "1"), true},
		{"equals to subset", equals("a", "1"), []grantOp{"Decrypt"}, subset("a", "1"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: &holder.arn, Operations: []grantOp{"CreateGrant", "Decrypt"}, Constraints: tt.parent})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if _, err := root.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key.KeyId, GrantId: parent.GrantId}); err != nil {
					t.Error(err)
				}
			}()
			_, err = holder.kms(east).CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: &child.arn, Operations: tt.ops, Constraints: tt.child})
			if code := map[bool]string{true: "", false: "AccessDeniedException"}[tt.ok]; code != "" || err != nil {
				wantFailure(t, tt.name, err, code, "*")
			}
		})
	}
}

func pairs(kv ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(kv); i += 2 {
		out[kv[i]] = kv[i+1]
	}
	return out
}

// TestRetireGrant: who may retire, by token or by id (K69).
func TestRetireGrant(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.key(accountA, east, "")
	grantee, retiring := e.user(accountA, "grantee", ""), e.user(accountB, "retiring", "")
	stranger, permitted := e.user(accountA, "stranger", ""), e.user(accountA, "permitted", allow("kms:RetireGrant", "*"))
	denied := e.user(accountA, "denied", document(statement("Deny", "kms:RetireGrant", "*", "")))
	for _, tt := range []struct {
		name     string
		by       *kms.Client
		grantee  *string
		retiring *string
		ops      []grantOp
		code     string
	}{
		{"retiring principal", retiring.kms(east), &grantee.arn, &retiring.arn, []grantOp{"Decrypt"}, ""},
		{"grantee with RetireGrant", grantee.kms(east), &grantee.arn, nil, []grantOp{"Decrypt", "RetireGrant"}, ""},
		{"grantee without", grantee.kms(east), &grantee.arn, nil, []grantOp{"Decrypt"}, "AccessDeniedException"},
		{"root of the issuing account", root, &grantee.arn, nil, []grantOp{"Decrypt"}, ""},
		{"user with IAM permission", permitted.kms(east), &grantee.arn, nil, []grantOp{"Decrypt"}, ""},
		{"stranger", stranger.kms(east), &grantee.arn, nil, []grantOp{"Decrypt"}, "AccessDeniedException"},
		{"foreign root", e.root(accountB, east), &grantee.arn, nil, []grantOp{"Decrypt"}, "AccessDeniedException"},
		{"retiring principal that is denied", denied.kms(east), &grantee.arn, &denied.arn, []grantOp{"Decrypt"}, "AccessDeniedException"},
	} {
		for _, byToken := range []bool{true, false} {
			t.Run(tt.name, func(t *testing.T) {
				g, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: tt.grantee, RetiringPrincipal: tt.retiring, Operations: tt.ops})
				if err != nil {
					t.Fatal(err)
				}
				in := &kms.RetireGrantInput{GrantToken: g.GrantToken}
				if !byToken {
					in = &kms.RetireGrantInput{KeyId: key.Arn, GrantId: g.GrantId}
				}
				_, err = tt.by.RetireGrant(ctx, in)
				if wantFailure(t, tt.name, err, tt.code, "*"); tt.code != "" {
					return
				}
				_, err = root.RetireGrant(ctx, in)
				wantFailure(t, "twice", err, "NotFoundException", "Grant ID "+*g.GrantId+" not found")
			})
		}
	}
	_, err := root.RetireGrant(ctx, &kms.RetireGrantInput{})
	wantFailure(t, "nothing", err, "ValidationException", "*")
	_, err = root.RetireGrant(ctx, &kms.RetireGrantInput{GrantToken: ptr("no token")})
	wantFailure(t, "bad token", err, "InvalidGrantTokenException", "*")
}

func TestListRetirableGrants(t *testing.T) {
	e := newEnv(t)
	ctx, a, b := t.Context(), e.key(accountA, east, ""), e.key(accountB, east, "")
	r := e.user(accountA, "r", "")
	for account, key := range map[string]*types.KeyMetadata{accountA: a, accountB: b} {
		if _, err := e.root(account, east).CreateGrant(ctx, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: ptr(rootARN(account)), RetiringPrincipal: &r.arn, Operations: []grantOp{"Decrypt"}}); err != nil {
			t.Fatal(err)
		}
	}
	list := func(account, region string) ([]string, error) {
		out, err := e.root(account, region).ListRetirableGrants(ctx, &kms.ListRetirableGrantsInput{RetiringPrincipal: &r.arn})
		var keys []string
		if err == nil {
			for _, g := range out.Grants {
				keys = append(keys, *g.KeyId)
			}
		}
		return keys, err
	}
	if got, err := list(accountA, east); err != nil || len(got) != 2 {
		t.Errorf("got %v, %v; want the grants of both accounts", got, err)
	}
	if got, err := list(accountA, west); err != nil || len(got) != 0 {
		t.Errorf("another Region lists %v, %v", got, err)
	}
	_, err := list(accountB, east)
	wantFailure(t, "a principal of another account", err, "InvalidArnException", "*")
}

func FuzzGrantToken(f *testing.F) {
	f.Add(grantToken{keyRef{accountA, east, "1234abcd-12ab-34cd-56ef-1234567890ab"}, "g", "n"}.String())
	f.Add("eyJ9")
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := parseGrantToken(text); err == nil && (token.Grant == "" || !isKeyID(token.Key.ID)) {
			t.Errorf("accepted %+v", token)
		}
	})
}
