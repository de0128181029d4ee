package kmsapi

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/quota"
)

const south = "eu-central-1"

// shared makes a multi-Region key in the east with replicas in other Regions.
func (e *env) shared(regions ...string) *types.KeyMetadata {
	e.Helper()
	root := e.root(accountA, east)
	key := must(root.CreateKey(e.Context(), &kms.CreateKeyInput{MultiRegion: ptr(true)})).KeyMetadata
	for _, region := range regions {
		must(root.ReplicateKey(e.Context(), &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: &region}))
	}
	return key
}

func (e *env) describe(region string, id *string) *types.KeyMetadata {
	e.Helper()
	out, err := e.root(accountA, region).DescribeKey(e.Context(), &kms.DescribeKeyInput{KeyId: id})
	if err != nil {
		e.Fatal(err)
	}
	return out.KeyMetadata
}

// TestReplicateKey: what a replica shares with its primary key, and what is its own (K85).
func TestReplicateKey(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := must(root.CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: ptr(true), Description: ptr("primary"), Tags: tags("a", "1")})).KeyMetadata
	if !strings.HasPrefix(*key.KeyId, "mrk-") || len(*key.KeyId) != 36 || !*key.MultiRegion {
		t.Errorf("a multi-Region key %s", *key.KeyId)
	}
	member := func(region string) types.MultiRegionKey {
		return types.MultiRegionKey{Arn: ptr("arn:aws:kms:" + region + ":" + accountA + ":key/" + *key.KeyId), Region: ptr(region)}
	}
	config := func(kind types.MultiRegionKeyType, replicas ...types.MultiRegionKey) *types.MultiRegionConfiguration {
		return &types.MultiRegionConfiguration{MultiRegionKeyType: kind, PrimaryKey: ptr(member(east)), ReplicaKeys: append([]types.MultiRegionKey{}, replicas...)}
	}
	if diff := cmp.Diff(key.MultiRegionConfiguration, config("PRIMARY"), ignoreUnexported); diff != "" {
		t.Errorf("before the replication (-got +want):\n%s", diff)
	}
	_, err := e.root(accountA, west).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "no replica yet", err, "NotFoundException", "Key '"+*member(west).Arn+"' does not exist")
	enc := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x"), EncryptionContext: map[string]string{"a": "b"}}))

	out, err := root.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(west), Tags: tags("b", "2")})
	if err != nil {
		t.Fatal(err)
	}
	md := out.ReplicaKeyMetadata
	if md.KeyState != "Creating" || md.Enabled || *md.Description != "" || md.CurrentKeyMaterialId != nil || *md.Arn != *member(west).Arn {
		t.Errorf("the new replica %+v", md)
	}
	if diff := cmp.Diff(md.MultiRegionConfiguration, config("REPLICA", member(west)), ignoreUnexported); diff != "" {
		t.Errorf("the replica's configuration (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(out.ReplicaTags, tags("b", "2"), ignoreUnexported); diff != "" || !strings.Contains(*out.ReplicaPolicy, `"Id" : "key-default-1"`) {
		t.Errorf("tags and policy %s\n%s", *out.ReplicaPolicy, diff)
	}
	there := e.describe(west, key.KeyId)
	if there.KeyState != "Enabled" || *there.CurrentKeyMaterialId != *key.CurrentKeyMaterialId {
		t.Errorf("the replica afterwards %+v", there)
	}
	if diff := cmp.Diff(e.describe(east, key.KeyId).MultiRegionConfiguration, config("PRIMARY", member(west)), ignoreUnexported); diff != "" {
		t.Errorf("the primary's configuration (-got +want):\n%s", diff)
	}

	// Ciphertexts open in both Regions, both ways; the context still binds.
	other := e.root(accountA, west)
	for _, id := range []*string{nil, key.KeyId, there.Arn} {
		dec, err := other.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, KeyId: id, EncryptionContext: map[string]string{"a": "b"}})
		if err != nil || string(dec.Plaintext) != "x" || *dec.KeyId != *there.Arn {
			t.Errorf("in the west: %v, %v", dec, err)
		}
	}
	_, err = other.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})
	wantFailure(t, "without the context", err, "InvalidCiphertextException", "")
	back := must(other.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("y")}))
	if dec := must(root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: back.CiphertextBlob})); string(dec.Plaintext) != "y" || *dec.KeyId != *key.Arn {
		t.Errorf("in the east: %v", dec)
	}
	_, err = e.root(accountA, south).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionContext: map[string]string{"a": "b"}})
	wantFailure(t, "where there is no replica", err, "AccessDeniedException", "*")
	single := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: e.key(accountA, east, "").KeyId, Plaintext: []byte("x")}))
	_, err = other.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: single.CiphertextBlob})
	wantFailure(t, "a key of a single Region", err, "AccessDeniedException", "*")

	// States are the keys' own.
	must(other.DisableKey(ctx, &kms.DisableKeyInput{KeyId: key.KeyId}))
	if got := e.describe(east, key.KeyId).KeyState; got != "Enabled" {
		t.Errorf("the primary is %s with its replica disabled", got)
	}
}

func TestReplicateKeyRefusals(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.shared(west)
	there := strings.Replace(*key.Arn, east, west, 1)
	single := e.key(accountA, east, "")
	for _, tt := range []struct {
		name, code, message string
		client              *kms.Client
		in                  kms.ReplicateKeyInput
	}{
		{"a replica", "UnsupportedOperationException", there + " is not a multi-region primary key.", e.root(accountA, west), kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(south)}},
		{"a single Region", "UnsupportedOperationException", *single.Arn + " is not a multi-region primary key.", root, kms.ReplicateKeyInput{KeyId: single.KeyId, ReplicaRegion: ptr(south)}},
		{"again", "AlreadyExistsException", "Key '" + there + "' already exists", root, kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(west)}},
		{"its own Region", "AlreadyExistsException", "Key '" + *key.Arn + "' already exists", root, kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(east)}},
		{"no Region", "ValidationException", "*", root, kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr("nowhere")}},
		{"a policy that locks out", "MalformedPolicyDocumentException", "*", root, kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(south), Policy: ptr(keyPolicy(accountB))}},
		{"tags twice", "TagException", "Duplicate tag keys", root, kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(south), Tags: tags("a", "1", "a", "2")}},
	} {
		_, err := tt.client.ReplicateKey(ctx, &tt.in)
		wantFailure(t, tt.name, err, tt.code, tt.message)
	}
}

// TestReplicateKeyPermissions: kms:ReplicateKey on the key, and kms:CreateKey and
// kms:TagResource in the Region of the replica (K85).
func TestReplicateKeyPermissions(t *testing.T) {
	e := newEnv(t)
	ctx, key := t.Context(), e.shared()
	replicate := statement("Allow", "kms:ReplicateKey", *key.Arn, "")
	in := func(action, region string) string {
		return statement("Allow", action, "*", `,"Condition":{"StringEquals":{"aws:RequestedRegion":"`+region+`"}}`)
	}
	u := e.user(accountA, "u", document(replicate))
	try := func(policy string, region string, tagged []types.Tag) error {
		e.userPolicy(accountA, "u", policy)
		_, err := u.kms(east).ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: &region, Tags: tagged})
		return err
	}
	wantFailure(t, "no CreateKey", try(document(replicate), west, nil), "AccessDeniedException",
		"User: "+u.arn+" is not authorized to perform: kms:CreateKey on resource: * because no identity-based policy allows the kms:CreateKey action")
	wantFailure(t, "CreateKey elsewhere", try(document(replicate, in("kms:CreateKey", east)), west, nil), "AccessDeniedException", "*")
	wantFailure(t, "no TagResource", try(document(replicate, in("kms:CreateKey", west)), west, tags("a", "b")), "AccessDeniedException",
		"User: "+u.arn+" is not authorized to perform: kms:TagResource because no identity-based policy allows the kms:TagResource action")
	wantFailure(t, "no ReplicateKey", try(document(in("kms:CreateKey", west)), west, nil), "AccessDeniedException", "*")
	wantFailure(t, "all of it", try(document(replicate, in("kms:CreateKey", west), in("kms:TagResource", west)), west, tags("a", "b")), "", "")
	only := statement("Allow", "kms:ReplicateKey", *key.Arn, `,"Condition":{"StringEquals":{"kms:ReplicaRegion":"`+west+`"}}`)
	wantFailure(t, "another Region than allowed", try(document(only, in("kms:CreateKey", south)), south, nil), "AccessDeniedException", "*")
}

// TestUpdatePrimaryRegion: primary and replica change places, for a while Updating (K85).
func TestUpdatePrimaryRegion(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := e.shared(west, south)
	move := func(c *kms.Client, to string) error {
		_, err := c.UpdatePrimaryRegion(ctx, &kms.UpdatePrimaryRegionInput{KeyId: key.KeyId, PrimaryRegion: &to})
		return err
	}
	there := strings.Replace(*key.Arn, east, west, 1)
	wantFailure(t, "by a replica", move(e.root(accountA, west), south), "UnsupportedOperationException", there+" is not a multi-region primary key.")
	wantFailure(t, "to where there is none", move(root, "ap-south-1"), "NotFoundException", "*")
	wantFailure(t, "to itself", move(root, east), "ValidationException", "*")
	wantFailure(t, "to the west", move(root, west), "", "")
	for region, want := range map[string]types.MultiRegionKeyType{east: "REPLICA", west: "PRIMARY", south: "REPLICA"} {
		md := e.describe(region, key.KeyId)
		if c := md.MultiRegionConfiguration; md.KeyState != "Enabled" || c.MultiRegionKeyType != want || *c.PrimaryKey.Region != west || len(c.ReplicaKeys) != 2 {
			t.Errorf("%s: %s %+v", region, md.KeyState, c)
		}
	}
	// The new primary leads now: it can be replicated, and rotates.
	if _, err := e.root(accountA, west).EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId}); err != nil {
		t.Error(err)
	}
	_, err := root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId})
	wantFailure(t, "rotation by a replica", err, "UnsupportedOperationException", *key.Arn+" is not a multi-region primary key.")

	u := e.user(accountA, "u", allow("kms:UpdatePrimaryRegion", there))
	wantFailure(t, "permission on one key only", move(u.kms(west), east), "AccessDeniedException", "*")
	e.userPolicy(accountA, "u", document(statement("Allow", "kms:UpdatePrimaryRegion", "*", `,"Condition":{"StringEquals":{"kms:PrimaryRegion":"`+east+`"}}`)))
	wantFailure(t, "permission on both", move(u.kms(west), east), "", "")
}

// TestRotationOfASet: the primary's rotation reaches every Region, automatic or on demand,
// and status and history are the same everywhere (K33, K85).
func TestRotationOfASet(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := e.shared(west)
	before := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("before")}))
	must(root.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: ptr(int32(90))}))
	must(root.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(south)}))
	must(root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId}))
	e.clock.Advance(day(90))
	var want string
	for _, region := range []string{east, west, south} {
		c := e.root(accountA, region)
		status := must(c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key.KeyId}))
		if !status.KeyRotationEnabled || *status.RotationPeriodInDays != 90 || !status.NextRotationDate.Equal(start.Add(day(180))) {
			t.Errorf("%s: status %+v", region, status)
		}
		history := must(c.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: key.KeyId})).Rotations
		if len(history) != 2 || history[0].RotationType != "ON_DEMAND" || history[1].RotationType != "AUTOMATIC" || history[1].KeyMaterialState != "CURRENT" {
			t.Errorf("%s: history %+v", region, history)
		}
		if want == "" {
			want = *history[1].KeyMaterialId
		}
		if *history[1].KeyMaterialId != want || *e.describe(region, key.KeyId).CurrentKeyMaterialId != want {
			t.Errorf("%s has other material than the east", region)
		}
		if dec := must(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: before.CiphertextBlob})); string(dec.Plaintext) != "before" {
			t.Errorf("%s: %q", region, dec.Plaintext)
		}
	}
	after := must(e.root(accountA, south).Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("after")}))
	if dec := must(root.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: after.CiphertextBlob})); string(dec.Plaintext) != "after" {
		t.Errorf("%q", dec.Plaintext)
	}
	_, err := e.root(accountA, west).RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId})
	wantFailure(t, "on demand by a replica", err, "UnsupportedOperationException", "*")
}

// TestDeletionOfASet: the primary's waiting period begins when its last replica is really
// gone; a clock that jumps over both periods deletes both (K85).
func TestDeletionOfASet(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := e.shared(west, south)
	out := must(root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: ptr(int32(10))}))
	if out.KeyState != "PendingReplicaDeletion" || out.DeletionDate != nil || *out.PendingWindowInDays != 10 {
		t.Errorf("output %+v", out)
	}
	md := e.describe(east, key.KeyId)
	if md.KeyState != "PendingReplicaDeletion" || md.DeletionDate != nil || *md.PendingDeletionWindowInDays != 10 || md.Enabled {
		t.Errorf("metadata %+v", md)
	}
	if status := must(root.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key.KeyId})); status.KeyRotationEnabled {
		t.Error("it rotates while it waits for its replicas")
	}
	e.clock.Advance(day(100)) // the replicas are there, so nothing happens
	if got := e.describe(east, key.KeyId).KeyState; got != "PendingReplicaDeletion" {
		t.Fatalf("state %s", got)
	}
	for i, region := range []string{west, south} {
		must(e.root(accountA, region).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: ptr(int32(7 + i))}))
	}
	e.clock.Advance(day(7))
	if md := e.describe(east, key.KeyId); md.KeyState != "PendingReplicaDeletion" || len(md.MultiRegionConfiguration.ReplicaKeys) != 1 {
		t.Errorf("with one replica left: %s, %d replicas", md.KeyState, len(md.MultiRegionConfiguration.ReplicaKeys))
	}
	e.clock.Advance(day(3)) // the last replica went two days ago
	md = e.describe(east, key.KeyId)
	gone := start.Add(day(100 + 8))
	if md.KeyState != "PendingDeletion" || !md.DeletionDate.Equal(gone.Add(day(10))) || md.PendingDeletionWindowInDays != nil {
		t.Errorf("after the replicas: %s, %v, %v", md.KeyState, md.DeletionDate, md.PendingDeletionWindowInDays)
	}
	e.clock.Advance(day(9))
	_, err := root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "the primary", err, "NotFoundException", "*")

	// In one jump.
	key = e.shared(west)
	must(root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: ptr(int32(7))}))
	must(e.root(accountA, west).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: ptr(int32(7))}))
	e.clock.Advance(day(14))
	_, err = root.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId})
	wantFailure(t, "in one jump", err, "NotFoundException", "*")
	if left := e.recordsWith(*key.KeyId); len(left) > 0 {
		t.Errorf("the engine still has %q", left)
	}

	// Taken back.
	key = e.shared(west)
	must(root.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId}))
	must(root.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: key.KeyId}))
	if md := e.describe(east, key.KeyId); md.KeyState != "Disabled" || md.PendingDeletionWindowInDays != nil {
		t.Errorf("after a cancel: %s, %v", md.KeyState, md.PendingDeletionWindowInDays)
	}
}

// TestImportIntoASet: each Region gets the same material by an import of its own, and
// a rotation waits until all have it (K84, K85).
func TestImportIntoASet(t *testing.T) {
	e := newEnv(t)
	ctx, root := t.Context(), e.root(accountA, east)
	key := must(root.CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: ptr(true), Origin: "EXTERNAL"})).KeyMetadata
	imports := func(region string, material []byte, kind types.ImportType) error {
		c := e.root(accountA, region)
		token, wrapped := e.wrappedFor(c, *key.KeyId, "RSAES_OAEP_SHA_256", material)
		_, err := c.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{KeyId: key.KeyId, ImportToken: token, EncryptedKeyMaterial: wrapped, ImportType: kind, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE"})
		return err
	}
	states := func(region string) (out []string) {
		for _, r := range must(e.root(accountA, region).ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: key.KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL"})).Rotations {
			out = append(out, string(r.KeyMaterialState)+" "+string(r.ImportState))
		}
		return out
	}
	wantFailure(t, "first", imports(east, secretOf(1), ""), "", "")
	enc := must(root.Encrypt(ctx, &kms.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("x")}))
	must(root.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(west)}))
	if md := e.describe(west, key.KeyId); md.KeyState != "PendingImport" {
		t.Errorf("the replica is %s", md.KeyState)
	}
	there := strings.Replace(*key.Arn, east, west, 1)
	wantFailure(t, "other material in the replica", imports(west, secretOf(2), ""), "IncorrectKeyMaterialException", "")
	wantFailure(t, "new material in the replica", imports(west, secretOf(2), "NEW_KEY_MATERIAL"), "UnsupportedOperationException", there+" is not a multi-region primary key.")
	wantFailure(t, "the same in the replica", imports(west, secretOf(1), ""), "", "")
	if dec := must(e.root(accountA, west).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob})); string(dec.Plaintext) != "x" {
		t.Errorf("%q", dec.Plaintext)
	}

	wantFailure(t, "second", imports(east, secretOf(2), "NEW_KEY_MATERIAL"), "", "")
	if diff := cmp.Diff(states(east), []string{"CURRENT IMPORTED", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION IMPORTED"}); diff != "" {
		t.Errorf("in the primary only (-got +want):\n%s", diff)
	}
	_, err := root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId})
	wantFailure(t, "rotate too early", err, "KMSInvalidStateException", "*")
	wantFailure(t, "second in the replica", imports(west, secretOf(2), "EXISTING_KEY_MATERIAL"), "", "")
	for _, region := range []string{east, west} {
		if diff := cmp.Diff(states(region), []string{"CURRENT IMPORTED", "PENDING_ROTATION IMPORTED"}); diff != "" {
			t.Errorf("%s, in both (-got +want):\n%s", region, diff)
		}
	}
	must(root.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: key.KeyId}))
	for _, region := range []string{east, west} {
		if diff := cmp.Diff(states(region), []string{"NON_CURRENT IMPORTED", "CURRENT IMPORTED"}); diff != "" {
			t.Errorf("%s, rotated (-got +want):\n%s", region, diff)
		}
	}
	wantFailure(t, "third", imports(east, secretOf(3), "NEW_KEY_MATERIAL"), "", "")
	wantFailure(t, "third in the replica", imports(west, secretOf(3), ""), "", "")
	must(root.DeleteImportedKeyMaterial(ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: key.KeyId, KeyMaterialId: ptr(materialID(*key.KeyId, secretOf(3)))}))
	if got := states(west); len(got) != 2 {
		t.Errorf("what waited is gone from the primary, the replica has %q", got)
	}
}

// TestReplicaDelay: with a delay, Creating and Updating last as long, and end when the
// clock is there, whoever asks (K85).
func TestReplicaDelay(t *testing.T) {
	f := newStateFixture(t, sharedKind, stateCreating)
	f.clock.Advance(time.Hour - time.Millisecond)
	if got := f.describe(west, f.id).KeyState; got != "Creating" {
		t.Errorf("%s too early", got)
	}
	f.clock.Advance(time.Millisecond)
	if got := f.describe(west, f.id).KeyState; got != "Enabled" {
		t.Errorf("%s after the delay", got)
	}
	f = newStateFixture(t, sharedKind, stateCreating)
	must(f.root(accountA, west).ScheduleKeyDeletion(f.Context(), &kms.ScheduleKeyDeletionInput{KeyId: f.id}))
	f.clock.Advance(2 * time.Hour)
	if got := f.describe(west, f.id).KeyState; got != "PendingDeletion" {
		t.Errorf("%s: a key that is to be deleted was enabled", got)
	}
}

// TestReplicationCharges: replicating counts as two CreateKey in the replica's Region, and
// a change of the primary in both (K92).
func TestReplicationCharges(t *testing.T) {
	e := newEnv(t)
	ctx, root, key := t.Context(), e.root(accountA, east), e.shared()
	e.clock.Advance(time.Second)
	for _, lim := range []quota.Limit{{Service: "kms", Region: west, Quota: "CreateKey", PerSecond: 3}, {Service: "kms", Region: west, Quota: "UpdatePrimaryRegion", PerSecond: 1}} {
		if err := e.limits.Set(lim); err != nil {
			t.Fatal(err)
		}
	}
	must(root.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: key.KeyId, ReplicaRegion: ptr(west)}))
	create := func() error {
		_, err := e.root(accountA, west).CreateKey(ctx, &kms.CreateKeyInput{})
		return err
	}
	wantFailure(t, "third", create(), "", "")
	wantFailure(t, "fourth", create(), "ThrottlingException", throttledText)
	must(root.UpdatePrimaryRegion(ctx, &kms.UpdatePrimaryRegionInput{KeyId: key.KeyId, PrimaryRegion: ptr(west)}))
	_, err := e.root(accountA, west).UpdatePrimaryRegion(ctx, &kms.UpdatePrimaryRegionInput{KeyId: key.KeyId, PrimaryRegion: ptr(east)})
	wantFailure(t, "second change", err, "ThrottlingException", throttledText)
}

// TestReopenASet: a set of multi-Region keys survives a restart as one.
func TestReopenASet(t *testing.T) {
	e := newEnv(t)
	ctx, key := t.Context(), e.shared(west, south)
	again := New(e.kms.cfg)
	if err := again.Open(ctx); err != nil {
		t.Fatal(err)
	}
	defer again.Close(ctx)
	for _, region := range []string{east, west, south} {
		ref := keyRef{accountA, region, *key.KeyId}
		was, is := e.kms.metadata(e.kms.key(ref)), again.metadata(again.key(ref))
		if diff := cmp.Diff(is, was, cmp.Comparer(func(a, b epoch) bool { return time.Time(a).Equal(time.Time(b)) })); diff != "" {
			t.Errorf("%s after reopening (-got +want):\n%s", region, diff)
		}
	}
}
