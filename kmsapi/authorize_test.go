package kmsapi

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

const hiddenText = "on this resource " + hiddenReason

// TestAuthorization is the matrix of K41 and K43: who may use a key, by which side,
// and what a refusal says.
func TestAuthorization(t *testing.T) {
	const (
		generate = "kms:GenerateDataKey"
		nobody   = "arn:aws:iam::111111111111:role/nobody"
	)
	direct := statement("Allow", "kms:GenerateDataKey*", "*", principal("arn:aws:iam::111111111111:user/u"))
	foreign := func(account string) string { return statement("Allow", "kms:*", "*", principal(rootARN(account))) }
	identityText := "on resource: KEY because no identity-based policy allows the kms:GenerateDataKey action"
	for _, tt := range []struct {
		name      string
		keyPolicy string
		caller    string // account of user u, or "root", "root B"
		identity  string // policy of user u
		want      string // "" is allowed, else the tail of the message
	}{
		{"delegated, IAM allows", keyPolicy(accountA), accountA, allow(generate, "*"), ""},
		{"delegated, IAM silent", keyPolicy(accountA), accountA, "", identityText},
		{"delegated, IAM allows another key", keyPolicy(accountA), accountA, allow(generate, "arn:aws:kms:us-east-1:111111111111:key/other"), identityText},
		{"delegated, IAM names an alias", keyPolicy(accountA), accountA, allow(generate, "arn:aws:kms:us-east-1:111111111111:alias/*"), identityText},
		{"named in the key policy", document(direct), accountA, "", ""},
		{"neither", document(foreign(accountB)), accountA, "",
			"on resource: KEY because no resource-based policy allows the kms:GenerateDataKey action"},
		{"IAM allows, key policy does not delegate", document(foreign(accountB)), accountA, allow("*", "*"),
			"on resource: KEY because no resource-based policy allows the kms:GenerateDataKey action"},
		{"IAM denies a delegated key", keyPolicy(accountA), accountA, document(statement("Allow", "*", "*", ""), statement("Deny", "kms:*", "*", "")),
			"on resource: KEY with an explicit deny in an identity-based policy"},
		{"IAM denies a named user", document(direct), accountA, document(statement("Deny", "kms:*", "*", "")),
			"on resource: KEY with an explicit deny in an identity-based policy"},
		{"key policy denies", keyPolicy(accountA, statement("Deny", generate, "*", principal("arn:aws:iam::111111111111:user/u"))), accountA, allow("*", "*"),
			"on resource: KEY with an explicit deny in a resource-based policy"},
		{"root, delegated", keyPolicy(accountA), "root", "", ""},
		{"root locked out by the key policy", document(direct), "root", "",
			"on resource: KEY because no resource-based policy allows the kms:GenerateDataKey action"},
		{"cross-account, both sides", document(foreign(accountB)), accountB, allow(generate, "arn:aws:kms:us-east-1:111111111111:key/*"), ""},
		{"cross-account, key policy only", document(foreign(accountB)), accountB, "", identityText},
		{"cross-account, IAM only", keyPolicy(accountA), accountB, allow("*", "*"), hiddenText},
		{"cross-account, neither", keyPolicy(accountA), accountB, "", hiddenText},
		{"cross-account, key policy denies", keyPolicy(accountA, foreign(accountB), statement("Deny", "*", "*", principal(rootARN(accountB)))), accountB, allow("*", "*"), hiddenText},
		{"cross-account, IAM denies", document(foreign(accountB)), accountB, document(statement("Allow", "*", "*", ""), statement("Deny", generate, "*", "")),
			"on resource: KEY with an explicit deny in an identity-based policy"},
		{"cross-account root, key policy allows", document(foreign(accountB)), "root B", "", ""},
		{"cross-account root, key policy silent", keyPolicy(accountA), "root B", "", hiddenText},
		{"condition on the encryption context fails", keyPolicy(accountA), accountA,
			document(statement("Allow", generate, "*", `,"Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"other"}}`)), identityText},
		{"condition on the encryption context holds", keyPolicy(accountA), accountA,
			document(statement("Allow", generate, "*", `,"Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"test"}}`)), ""},
		{"ViaService is absent from direct calls", keyPolicy(accountA), accountA,
			document(statement("Allow", generate, "*", `,"Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`)), identityText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv(t)
			ctx := t.Context()
			users := map[string]*actor{accountA: e.user(accountA, "u", ""), accountB: e.user(accountB, "u", "")}
			key := e.key(accountA, east, tt.keyPolicy)
			client, arn := e.root(accountA, east), rootARN(accountA)
			switch tt.caller {
			case "root":
			case "root B":
				client, arn = e.root(accountB, east), rootARN(accountB)
			default:
				if tt.identity != "" {
					e.userPolicy(tt.caller, "u", tt.identity)
				}
				client, arn = users[tt.caller].kms(east), users[tt.caller].arn
			}
			_, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
				KeyId: key.Arn, KeySpec: "AES_256", EncryptionContext: map[string]string{"purpose": "test"},
			})
			if tt.want == "" {
				wantFailure(t, tt.name, err, "", "")
				return
			}
			wantFailure(t, tt.name, err, "AccessDeniedException", "User: "+arn+
				" is not authorized to perform: kms:GenerateDataKey "+strings.ReplaceAll(tt.want, "KEY", *key.Arn))
		})
	}
}

// TestDecryptDenials: without a KeyId the text speaks of the ciphertext, unless the
// caller's account owns the key (K43).
func TestDecryptDenials(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	key := e.key(accountA, east, keyPolicy(accountA))
	open := e.key(accountA, east, keyPolicy(accountA, statement("Allow", "kms:Decrypt", "*", principal(rootARN(accountB)))))
	a, b := e.user(accountA, "a", ""), e.user(accountB, "b", "")
	seal := func(id string) []byte {
		out, err := e.root(accountA, east).Encrypt(ctx, &kms.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		return out.CiphertextBlob
	}
	for _, tt := range []struct {
		name   string
		client *kms.Client
		key    *string // the one that sealed
		keyID  *string
		want   string
	}{
		{"own key", a.kms(east), key.Arn, nil, "User: " + a.arn + " is not authorized to perform: kms:Decrypt on resource: " + *key.Arn +
			" because no identity-based policy allows the kms:Decrypt action"},
		{"foreign key, key policy silent", b.kms(east), key.Arn, nil, "User: " + b.arn +
			" is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext " + hiddenReason},
		{"foreign key, IAM silent", b.kms(east), open.Arn, nil, "User: " + b.arn +
			" is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action"},
		{"foreign key named", b.kms(east), key.Arn, key.Arn, "User: " + b.arn + " is not authorized to perform: kms:Decrypt " + hiddenText},
		{"key of another Region", e.root(accountA, west), key.Arn, nil, "User: " + rootARN(accountA) +
			" is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext " + hiddenReason},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: seal(*tt.key), KeyId: tt.keyID})
			wantFailure(t, tt.name, err, "AccessDeniedException", tt.want)
		})
	}
}

// TestDecisionTravels: a denial carries the decision, with near misses, to S3's explanations.
func TestDecisionTravels(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	role, _ := e.role(accountA, "crr", document(statement("Allow", "kms:Decrypt", *key.Arn,
		`,"Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::src/*"}}`)))
	caller, err := e.iam.AssumeServiceRole(t.Context(), serviceRole(role))
	if err != nil {
		t.Fatal(err)
	}
	var observed []*policy.Decision
	caller = caller.ThroughService(viaS3).Observed(func(d *policy.Decision) { observed = append(observed, d) })
	encCtx := map[string]string{"aws:s3:arn": "arn:aws:s3:::src"} // the bucket's ARN: an S3 Bucket Key is on
	data, err := e.kms.GenerateDataKey(t.Context(), viaService(accountA), east, *key.Arn, encCtx)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = e.kms.Decrypt(t.Context(), caller, east, data.Ciphertext, encCtx)
	wantFailure(t, "denied", err, "AccessDeniedException", "User: arn:aws:sts::111111111111:assumed-role/crr/s3-replication"+
		" is not authorized to perform: kms:Decrypt on resource: "+*key.Arn+" because no identity-based policy allows the kms:Decrypt action")
	d, ok := failure.Of(err).Decision.(*policy.Decision)
	if !ok || len(observed) != 1 || observed[0] != d {
		t.Fatalf("decision %v, observed %v: want the same one", d, observed)
	}
	if len(d.NearMisses) == 0 || d.NearMisses[0].FailedOn != "condition kms:EncryptionContext:aws:s3:arn" {
		t.Errorf("near misses %+v do not name the encryption context", d.NearMisses)
	}
	if _, _, err := e.kms.Decrypt(t.Context(), caller, east, data.Ciphertext, map[string]string{"aws:s3:arn": "arn:aws:s3:::src/k"}); failure.CodeOf(err) != invalidCiphertext {
		t.Errorf("an allowed call with the wrong context: %v, want InvalidCiphertextException", err)
	}
}

// TestConditionKeys lists the whole context of one call through S3 (K44 to K46).
func TestConditionKeys(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	out, err := root.CreateKey(ctx, &kms.CreateKeyInput{Tags: tags("Team", "tax")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/app"), TargetKeyId: out.KeyMetadata.KeyId}); err != nil {
		t.Fatal(err)
	}
	var got policy.Context
	caller := viaService(accountA).Observed(func(d *policy.Decision) { got = d.Context })
	if _, _, err := e.kms.Encrypt(ctx, caller, east, "alias/app", []byte("x"), map[string]string{"aws:s3:arn": "arn:aws:s3:::b/k", "a": "1"}); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"kms:ViaService": {viaS3}, "kms:CallerAccount": {accountA}, "kms:KeySpec": {"SYMMETRIC_DEFAULT"},
		"kms:KeyUsage": {"ENCRYPT_DECRYPT"}, "kms:KeyOrigin": {"AWS_KMS"}, "kms:MultiRegion": {"false"},
		"kms:EncryptionAlgorithm": {"SYMMETRIC_DEFAULT"}, "kms:RequestAlias": {"alias/app"}, "kms:ResourceAliases": {"alias/app"},
		"kms:EncryptionContext:aws:s3:arn": {"arn:aws:s3:::b/k"}, "kms:EncryptionContext:a": {"1"},
		"kms:EncryptionContextKeys": {"a", "aws:s3:arn"}, "aws:ResourceTag/Team": {"tax"}, "aws:ViaAWSService": {"true"},
		"aws:RequestedRegion": {east}, "aws:ResourceAccount": {accountA},
	}
	for key, values := range want {
		have, _ := got.Get(key)
		if diff := cmp.Diff(have, values); diff != "" {
			t.Errorf("%s (-got +want):\n%s", key, diff)
		}
	}
	if v, ok := got.Get("aws:SourceIp"); ok {
		t.Errorf("aws:SourceIp is %v; calls through a service have none", v)
	}
}

// TestAliasPermissions: alias operations need the alias in IAM and the key (K42).
func TestAliasPermissions(t *testing.T) {
	e := newEnv(t)
	ctx, key := t.Context(), e.key(accountA, east, "")
	const aliasARN = "arn:aws:kms:us-east-1:111111111111:alias/x"
	u := e.user(accountA, "u", allow("kms:CreateAlias", *key.Arn))
	create := func() error {
		_, err := u.kms(east).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/x"), TargetKeyId: key.KeyId})
		return err
	}
	wantFailure(t, "key only", create(), "AccessDeniedException", "User: "+u.arn+" is not authorized to perform: kms:CreateAlias on resource: "+
		aliasARN+" because no identity-based policy allows the kms:CreateAlias action")
	e.userPolicy(accountA, "u", allow("kms:CreateAlias", aliasARN))
	wantFailure(t, "alias only", create(), "AccessDeniedException", "User: "+u.arn+" is not authorized to perform: kms:CreateAlias on resource: "+
		*key.Arn+" because no identity-based policy allows the kms:CreateAlias action")
	e.userPolicy(accountA, "u", document(statement("Allow", "kms:CreateAlias", *key.Arn, ""), statement("Allow", "kms:CreateAlias", aliasARN, "")))
	wantFailure(t, "both", create(), "", "")
}

func TestCreateKeyPermissions(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	u := e.user(accountA, "u", "")
	create := func(in *kms.CreateKeyInput) error {
		_, err := u.kms(east).CreateKey(ctx, in)
		return err
	}
	wantFailure(t, "no permission", create(&kms.CreateKeyInput{}), "AccessDeniedException", "User: "+u.arn+
		" is not authorized to perform: kms:CreateKey on resource: * because no identity-based policy allows the kms:CreateKey action")
	e.userPolicy(accountA, "u", allow("kms:CreateKey", "*"))
	wantFailure(t, "plain", create(&kms.CreateKeyInput{}), "", "")
	wantFailure(t, "with tags", create(&kms.CreateKeyInput{Tags: tags("a", "b")}), "AccessDeniedException", "User: "+u.arn+
		" is not authorized to perform: kms:TagResource because no identity-based policy allows the kms:TagResource action")
	e.userPolicy(accountA, "u", document(statement("Allow", "kms:CreateKey", "*", ""),
		statement("Allow", "kms:TagResource", "*", `,"Condition":{"StringEquals":{"aws:RequestTag/a":"b"},"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}`)))
	wantFailure(t, "permitted tags", create(&kms.CreateKeyInput{Tags: tags("a", "b")}), "", "")
	wantFailure(t, "a custom id is no tag", create(&kms.CreateKeyInput{Tags: tags("a", "b", customIDTag, "1234abcd-12ab-34cd-56ef-1234567890ab")}), "", "")
	wantFailure(t, "other tags", create(&kms.CreateKeyInput{Tags: tags("a", "c")}), "AccessDeniedException", "*")
}
