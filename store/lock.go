package store

import (
	"context"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Modes of retention, and the states of a legal hold.
const (
	Governance = "GOVERNANCE"
	Compliance = "COMPLIANCE"
	HoldOn     = "ON"
	HoldOff    = "OFF"
)

// ObjectLock is a bucket's Object Lock configuration. Enabled once, it stays (D70).
type ObjectLock struct {
	// The default retention of new versions: Mode "" is none, else Days or Years counts.
	Mode  string `json:",omitempty"`
	Days  int    `json:",omitempty"`
	Years int    `json:",omitempty"`
}

// Lock is the Object Lock state of one version.
type Lock struct {
	Mode      string    `json:",omitempty"` // of the retention: "", GOVERNANCE or COMPLIANCE
	Until     time.Time `json:",omitzero"`  // the retention ends; zero without Mode
	LegalHold string    `json:",omitempty"` // "" (never set), ON or OFF
}

// Retained reports whether the retention is in force at now.
func (l Lock) Retained(now time.Time) bool { return l.Mode != "" && now.Before(l.Until) }

// protects reports whether a version may not be removed at now.
func (l Lock) protects(now time.Time, bypassGovernance bool) bool {
	return l.LegalHold == HoldOn || l.Retained(now) && !(l.Mode == Governance && bypassGovernance)
}

// allows reports whether the retention may become next: it can always be made stricter,
// under GOVERNANCE also laxer with the right to bypass it (D71).
func (l Lock) allows(next Lock, now time.Time, bypassGovernance bool) bool {
	switch {
	case !l.Retained(now), l.Mode == Governance && bypassGovernance:
		return true
	case next.Mode == "" || next.Until.Before(l.Until):
		return false
	}
	return next.Mode == l.Mode || next.Mode == Compliance
}

// initialLock is the lock of a new version: what the write says, else the bucket's
// default retention counted from the version's creation. The default does not touch
// replicas whose source has any lock state, a legal hold OFF included (D72).
func initialLock(b *Bucket, v *Version) Lock {
	l := v.Lock
	if b.ObjectLock == nil || v.DeleteMarker {
		return Lock{}
	}
	def := b.ObjectLock
	if l.Mode != "" || def.Mode == "" || v.IsReplica && l.LegalHold != "" {
		return l
	}
	l.Mode, l.Until = def.Mode, v.LastModified.AddDate(def.Years, 0, def.Days)
	return l
}

func errLocked() error {
	return failure.New("AccessDenied", "Access Denied because object protected by object lock.")
}

// SetRetention replaces the retention of a version (id "" is the current one): mode ""
// removes it. One in force can only be made stricter, unless it is GOVERNANCE and bypass
// is true; everything else is AccessDenied (D71). The change replicates like a change of
// tags. A delete marker is MethodNotAllowed; that the bucket has Object Lock is for the
// caller to know.
func (s *Store) SetRetention(ctx context.Context, bucket, key, id, mode string, until time.Time, bypass bool) (*Version, error) {
	now := s.cfg.Clock.Now()
	return s.changeMetadata(ctx, bucket, key, id, metaLock, func(v *Version) error {
		next := Lock{Mode: mode, Until: until, LegalHold: v.Lock.LegalHold}
		if !v.Lock.allows(next, now, bypass) {
			return errLocked()
		}
		v.Lock = next
		return nil
	})
}

// SetLegalHold sets the legal hold of a version to HoldOn or HoldOff, as SetRetention
// does the retention.
func (s *Store) SetLegalHold(ctx context.Context, bucket, key, id, hold string) (*Version, error) {
	return s.changeMetadata(ctx, bucket, key, id, metaLock, func(v *Version) error {
		v.Lock.LegalHold = hold
		return nil
	})
}

// SetReplicaLock gives a replica the lock of its source. Nothing is queued. A bucket
// without Object Lock is DstBucketObjectLockConfigMissing.
func (s *Store) SetReplicaLock(ctx context.Context, bucket, key, id string, l Lock) (*Version, error) {
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, c *change) error {
		b, v, loc, err := s.versionForChange(tx, bucket, key, id)
		if err != nil {
			return err
		}
		if b.ObjectLock == nil {
			return failure.New("DstBucketObjectLockConfigMissing", "Object Lock is not enabled on the destination bucket.", "BucketName", bucket)
		}
		v.Lock, stored = l, v
		return loc.rewrite(tx, v)
	})
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}
