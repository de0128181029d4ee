package kmsapi

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"twinbucket/store/kv"
	"twinbucket/store/kv/boltkv"
)

// TestReopen: everything survives a restart.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	var blob []byte
	var before, after any
	read := func(e *env) any {
		ctx, root := t.Context(), e.root(accountA, east)
		md := must(root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr("alias/k")}))
		grants := must(root.ListGrants(ctx, &kms.ListGrantsInput{KeyId: md.KeyMetadata.KeyId}))
		tagged := must(root.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: md.KeyMetadata.KeyId}))
		return []any{*md.KeyMetadata, grants.Grants, tagged.Tags, e.policyOf(md.KeyMetadata.KeyId)}
	}
	t.Run("write", func(t *testing.T) {
		engine, err := boltkv.Open(dir, boltkv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer closeEngine(t, engine)
		e := newEnvOn(t, engine)
		ctx, root := t.Context(), e.root(accountA, east)
		out, err := root.CreateKey(ctx, &kms.CreateKeyInput{Tags: tags("a", "b"), Description: ptr("d"), Policy: ptr(keyPolicy(accountA))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/k"), TargetKeyId: out.KeyMetadata.KeyId}); err != nil {
			t.Fatal(err)
		}
		if _, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: out.KeyMetadata.KeyId, GranteePrincipal: ptr(rootARN(accountB)), Operations: []grantOp{"Decrypt"}}); err != nil {
			t.Fatal(err)
		}
		if blob, _, err = e.kms.Encrypt(ctx, viaService(accountA), east, "alias/k", []byte("x"), map[string]string{"a": "1"}); err != nil {
			t.Fatal(err)
		}
		before = read(e)
		if err := errors.Join(e.kms.Close(ctx), e.kms.Close(ctx)); err != nil {
			t.Errorf("Close twice: %v", err)
		}
	})
	engine, err := boltkv.Open(dir, boltkv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, engine) })
	e := newEnvOn(t, engine)
	after = read(e)
	if diff := cmp.Diff(after, before, ignoreUnexported); diff != "" {
		t.Errorf("after reopening (-got +want):\n%s", diff)
	}
	for _, account := range []string{accountA, accountB} { // B by its grant
		if plain, _, err := e.kms.Decrypt(t.Context(), viaService(account), east, blob, map[string]string{"a": "1"}); err != nil || string(plain) != "x" {
			t.Errorf("account %s: %q, %v", account, plain, err)
		}
	}
}

func closeEngine(t *testing.T, e kv.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestReset(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	for _, account := range []string{accountA, accountB} {
		key := e.key(account, east, "")
		if _, err := e.root(account, east).CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/k"), TargetKeyId: key.KeyId}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.kms.Reset(ctx, accountA); err != nil {
		t.Fatal(err)
	}
	describe := func(account string) error {
		_, err := e.root(account, east).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr("alias/k")})
		return err
	}
	wantFailure(t, "reset account", describe(accountA), "NotFoundException", "*")
	wantFailure(t, "other account", describe(accountB), "", "")
	if err := e.kms.Reset(ctx, ""); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, "all", describe(accountB), "NotFoundException", "*")
	if left := e.recordsWith(""); len(left) > 0 {
		t.Errorf("the engine still has %q", left)
	}
}

// uncertain commits a transaction and then says it does not know.
type uncertain struct {
	kv.Engine
	on bool
}

func (u *uncertain) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if err := u.Engine.Update(ctx, fn); err != nil || !u.on {
		return err
	}
	return kv.ErrUncertain
}

// TestUncertainCommit: when the engine does not know, memory follows what it holds.
func TestUncertainCommit(t *testing.T) {
	engine, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, engine) })
	u := &uncertain{Engine: engine}
	e := newEnvOn(t, u)
	key := e.key(accountA, east, "")
	u.on = true
	res, body := e.post(accountA, "TrentService.DisableKey", `{"KeyId":"`+*key.KeyId+`"}`)
	if res.StatusCode != 500 || body != `{"__type":"KMSInternalException"}` {
		t.Errorf("got %d %s, want 500 without details", res.StatusCode, body)
	}
	u.on = false
	out, err := e.root(accountA, east).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: key.KeyId})
	if err != nil || out.KeyMetadata.KeyState != "Disabled" {
		t.Errorf("state %v, %v; the engine has Disabled", out, err)
	}
}

// TestOrphans: what an interrupted deletion leaves behind is swept, and does not
// attach itself to a later key of the same id.
func TestOrphans(t *testing.T) {
	engine, err := boltkv.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, engine) })
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	t.Run("leave them", func(t *testing.T) {
		e := newEnvOn(t, engine)
		ctx, root := t.Context(), e.root(accountA, east)
		if _, err := root.CreateKey(ctx, &kms.CreateKeyInput{Tags: tags(customIDTag, id)}); err != nil {
			t.Fatal(err)
		}
		if _, err := root.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: ptr("alias/k"), TargetKeyId: ptr(id)}); err != nil {
			t.Fatal(err)
		}
		if _, err := root.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: ptr(id), GranteePrincipal: ptr(rootARN(accountA)), Operations: []grantOp{"Decrypt"}}); err != nil {
			t.Fatal(err)
		}
		if err := engine.Update(ctx, func(tx kv.Txn) error { tx.Delete(keyRef{accountA, east, id}.record()); return nil }); err != nil {
			t.Fatal(err)
		}
	})
	e := newEnvOn(t, engine)
	if left := e.recordsWith(id); len(left) > 0 {
		t.Errorf("the engine still has %q", left)
	}
	_, err = e.root(accountA, east).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: ptr("alias/k")})
	wantFailure(t, "alias", err, "NotFoundException", "*")
}

func TestDamagedRecord(t *testing.T) {
	e := newEnv(t)
	if err := e.engine.Update(t.Context(), func(tx kv.Txn) error { tx.Put([]byte(prefixKey+"x"), []byte("{")); return nil }); err != nil {
		t.Fatal(err)
	}
	s := New(Config{Engine: e.engine, IAM: e.iam, Clock: e.clock})
	if err := s.Open(t.Context()); err == nil {
		t.Error("Open accepted a damaged record")
		_ = s.Close(t.Context())
	}
}
