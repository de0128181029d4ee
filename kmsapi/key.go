package kmsapi

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
)

// Values of key members.
const (
	managerCustomer = "CUSTOMER"
	managerAWS      = "AWS"

	originKMS      = "AWS_KMS"
	originExternal = "EXTERNAL"

	typePrimary = "PRIMARY"
	typeReplica = "REPLICA"

	specAES256 = "AES_256"
	specAES128 = "AES_128"
)

// keyRef names a key.
type keyRef struct{ Account, Region, ID string }

func (r keyRef) arn() string { return arn.Key(r.Region, r.Account, r.ID) }

// keyRecord is what is stored of a key. Times are UTC.
type keyRecord struct {
	keyRef
	Spec        string
	Usage       string
	Origin      string
	Created     time.Time
	Description string `json:",omitempty"`
	Manager     string
	State       string
	// DeletionDate is set in state PendingDeletion; Window, the waiting period in days,
	// in state PendingReplicaDeletion, before it begins.
	DeletionDate time.Time `json:",omitzero"`
	Window       int       `json:",omitempty"`
	// Ready is when a transient state ends: Creating or Updating.
	Ready time.Time `json:",omitzero"`
	// Policy is the text as given; Pins are the principals it named when it was saved.
	Policy string
	Pins   map[string]string `json:",omitempty"`
	Tags   []tag             `json:",omitempty"` // sorted by key
	// Materials are all that ever encrypted, oldest first; the last one is current. A
	// key that waits for its first import has none.
	Materials []material
	// Imported is material that was imported and waits for a rotation on demand (K84).
	Imported *material `json:",omitempty"`
	Rotation rotation  `json:",omitzero"`
	// PrimaryRegion is where the primary key of a multi-Region set is; "" for keys of
	// a single Region.
	PrimaryRegion string `json:",omitempty"`
}

// rotation is automatic rotation. Its settings survive while the key is disabled
// or pending deletion, when nothing is rotated (K33).
type rotation struct {
	Enabled bool
	Days    int
	Next    time.Time
}

func (r *keyRecord) current() *material { return &r.Materials[len(r.Materials)-1] }

// all lists every material, the imported one that waits included.
func (r *keyRecord) all() []*material {
	out := make([]*material, 0, len(r.Materials)+1)
	for i := range r.Materials {
		out = append(out, &r.Materials[i])
	}
	if r.Imported != nil {
		out = append(out, r.Imported)
	}
	return out
}

// complete reports whether the key has all of its material.
func (r *keyRecord) complete() bool {
	return len(r.Materials) > 0 && !slices.ContainsFunc(r.Materials, func(m material) bool { return m.Sealed == nil })
}

func (r *keyRecord) multiRegion() bool { return r.PrimaryRegion != "" }

// leads reports whether the key decides what its multi-Region set shares: it is the
// primary, or the only member.
func (r *keyRecord) leads() bool { return !r.multiRegion() || r.PrimaryRegion == r.Region }

// regionType is the value of MultiRegionKeyType.
func (r *keyRecord) regionType() string {
	if r.leads() {
		return typePrimary
	}
	return typeReplica
}

const never = math.MaxInt64

// due is when something happens to the key by itself, in nanoseconds of Unix time:
// deletion, the end of a transient state, rotation, or the expiry of imported material.
func (r *keyRecord) due() int64 {
	at := int64(never)
	soon := func(t time.Time) {
		if !t.IsZero() {
			at = min(at, t.UnixNano())
		}
	}
	soon(r.DeletionDate)
	soon(r.Ready)
	if r.rotates() {
		soon(r.Rotation.Next)
	}
	for _, m := range r.all() {
		if m.Sealed != nil {
			soon(m.ValidTo)
		}
	}
	return at
}

// rotates reports whether automatic rotation is on and not paused (K33).
func (r *keyRecord) rotates() bool {
	return r.Rotation.Enabled && r.leads() && (r.State == stateEnabled || r.State == stateUpdating)
}

// clone copies r so that the copy may be changed.
func (r *keyRecord) clone() *keyRecord {
	c := *r
	c.Tags = slices.Clone(r.Tags)
	c.Materials = slices.Clone(r.Materials)
	if r.Imported != nil {
		imported := *r.Imported
		c.Imported = &imported
	}
	return &c
}

// key is one version of a key, ready for use. It never changes; the next version
// replaces it.
type key struct {
	keyRecord
	arn      string
	spec     keySpec
	policies []policy.Source // one, as Authorize takes it
	prepared []prepared      // those of Materials whose secret is there
	aliases  []string        // names of its aliases, sorted
	// context holds the condition keys that are the same in every request.
	context policy.Context
	// lastUse is shared by all versions of a key.
	lastUse *atomic.Pointer[keyUse]
}

// newKey prepares a record whose material is open. old is the version before it, or
// nil; what did not change is taken from there, for parsing an RSA key takes a
// millisecond. It fails only for records that this package did not write.
func newKey(r *keyRecord, aliases []string, old *key) (*key, error) {
	k := &key{keyRecord: *r, arn: r.arn(), aliases: aliases}
	var known bool
	if k.spec, known = specOf(r.Spec); !known || k.spec.family == unsupportedFamily {
		return nil, fmt.Errorf("kmsapi: %s has the unknown spec %q", k.arn, r.Spec)
	}
	if err := k.preparePolicy(old); err != nil {
		return nil, err
	}
	if err := k.prepareMaterials(old); err != nil {
		return nil, err
	}
	if k.lastUse = new(atomic.Pointer[keyUse]); old != nil {
		k.lastUse = old.lastUse
	}
	k.context = policy.Context{}
	k.context.Set("kms:KeySpec", r.Spec)
	k.context.Set("kms:KeyUsage", r.Usage)
	k.context.Set("kms:CustomerMasterKeySpec", r.Spec)
	k.context.Set("kms:CustomerMasterKeyUsage", r.Usage)
	k.context.Set("kms:KeyOrigin", r.Origin)
	k.context.Set("kms:MultiRegion", "false")
	if r.multiRegion() {
		k.context.Set("kms:MultiRegion", "true")
		k.context.Set("kms:MultiRegionKeyType", r.regionType())
	}
	for _, t := range r.Tags {
		k.context.Set("aws:ResourceTag/"+t.Key, t.Value)
	}
	if len(aliases) > 0 {
		k.context.Set("kms:ResourceAliases", aliases...)
	}
	return k, nil
}

func (k *key) preparePolicy(old *key) error {
	src := policy.Source{Type: policy.Resource, Owner: k.Account, Name: "key policy of " + k.arn, Pins: k.Pins}
	if old != nil && old.Policy == k.Policy {
		src.Doc = old.policies[0].Doc
	} else {
		doc, err := policy.Parse(k.Policy)
		if err != nil {
			return fmt.Errorf("kmsapi: policy of %s: %w", k.arn, err)
		}
		src.Doc = doc
	}
	k.policies = []policy.Source{src}
	return nil
}

func (k *key) prepareMaterials(old *key) error {
	if len(k.Materials) == 0 && k.Origin != originExternal {
		return fmt.Errorf("kmsapi: %s has no key material", k.arn)
	}
	for i := range k.Materials {
		m := &k.Materials[i]
		if m.Sealed == nil {
			continue
		}
		if old != nil && i < len(old.Materials) && i < len(old.prepared) && len(old.prepared) == len(old.Materials) && old.Materials[i].ID == m.ID {
			k.prepared = append(k.prepared, old.prepared[i])
			continue
		}
		p, err := prepare(&k.spec, m)
		if err != nil {
			return fmt.Errorf("kmsapi: material of %s: %w", k.arn, err)
		}
		k.prepared = append(k.prepared, p)
	}
	return nil
}
