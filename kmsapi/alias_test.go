package kmsapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
)

func TestAliasNames(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	for _, tt := range []struct{ name, code, message string }{
		{"alias/a/b_c-D", "", ""},
		{"nope", "ValidationException", `Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`},
		{"alias/my:alias", "ValidationException", "alias/my:alias contains invalid characters for an alias"},
		{"alias/a b", "ValidationException", "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: " +
			"Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"},
		{"alias/", "InvalidAliasNameException", "*"},
		{"alias/aws/mine", "NotAuthorizedException", "*"},
		{"alias/a/b_c-D", "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:111111111111:alias/a/b_c-D already exists"},
	} {
		_, err := e.root(accountA, east).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &tt.name, TargetKeyId: key.KeyId})
		wantFailure(t, tt.name, err, tt.code, tt.message)
	}
	_, err := e.root(accountA, east).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/z"), TargetKeyId: ptr("alias/a/b_c-D")})
	wantFailure(t, "alias of an alias", err, "ValidationException", "Aliases must refer to keys. Not aliases")
	if _, body := e.post(accountA, "TrentService.DeleteAlias", `{"AliasName":"alias/aws/s3"}`); body != `{"__type":"NotAuthorizedException"}` {
		t.Errorf("a reserved alias: %s, want no message", body)
	}
}

func TestAliasLifecycle(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	one, two := e.key(accountA, east, ""), e.key(accountA, east, "")
	create := func(name string, key *string) {
		t.Helper()
		if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: key}); err != nil {
			t.Fatal(err)
		}
	}
	create("alias/b", one.KeyId)
	create("alias/a", one.Arn)
	e.clock.Advance(time.Hour)
	if _, err := root.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: ptr("alias/b"), TargetKeyId: two.KeyId}); err != nil {
		t.Fatal(err)
	}
	entry := func(name string, key *string, updated time.Time) types.AliasListEntry {
		return types.AliasListEntry{AliasName: &name, AliasArn: ptr("arn:aws:kms:us-east-1:111111111111:" + name), TargetKeyId: key, CreationDate: ptr(start), LastUpdatedDate: &updated}
	}
	all, err := root.ListAliases(ctx, &kms.ListAliasesInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := []types.AliasListEntry{entry("alias/a", one.KeyId, start), entry("alias/b", two.KeyId, start.Add(time.Hour))}
	if diff := cmp.Diff(all.Aliases, want, ignoreUnexported); diff != "" {
		t.Errorf("aliases (-got +want):\n%s", diff)
	}
	ofTwo, err := root.ListAliases(ctx, &kms.ListAliasesInput{KeyId: two.Arn})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ofTwo.Aliases, want[1:], ignoreUnexported); diff != "" {
		t.Errorf("aliases of one key (-got +want):\n%s", diff)
	}
	for ref, names := range map[string][]string{*one.KeyId: {"alias/a"}, *two.KeyId: {"alias/b"}} {
		if diff := cmp.Diff(e.kms.key(keyRef{accountA, east, ref}).aliases, names); diff != "" {
			t.Errorf("kms:ResourceAliases of %s (-got +want):\n%s", ref, diff)
		}
	}
	if _, err := root.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: ptr("alias/b")}); err != nil {
		t.Fatal(err)
	}
	const gone = "Alias arn:aws:kms:us-east-1:111111111111:alias/b is not found."
	_, err = root.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: ptr("alias/b")})
	wantFailure(t, "delete twice", err, "NotFoundException", gone)
	_, err = root.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: ptr("alias/b"), TargetKeyId: one.KeyId})
	wantFailure(t, "update", err, "NotFoundException", gone)
	if got := e.kms.key(keyRef{accountA, east, *two.KeyId}).aliases; len(got) != 0 {
		t.Errorf("a key without aliases has %v", got)
	}
}

func TestAliasLimit(t *testing.T) {
	e := newEnv(t)
	key := e.key(accountA, east, "")
	for i := range maxAliases + 1 {
		_, err := e.root(accountA, east).CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr(fmt.Sprintf("alias/%d", i)), TargetKeyId: key.KeyId})
		code := ""
		if i == maxAliases {
			code = "LimitExceededException"
		}
		if code != "" || err != nil {
			wantFailure(t, fmt.Sprint("alias ", i), err, code, "*")
		}
	}
}
