package store

import (
	"context"
	"time"

	"twinbucket/store/kv"
)

// Restore is the readable copy of an archived version: it can be read from Ready until
// Expires. The zero value is none.
type Restore struct {
	Ready   time.Time `json:",omitzero"`
	Expires time.Time `json:",omitzero"`
}

// Ongoing reports whether the copy is being made at now.
func (r Restore) Ongoing(now time.Time) bool { return !r.Ready.IsZero() && now.Before(r.Ready) }

// Readable reports whether the copy can be read at now.
func (r Restore) Readable(now time.Time) bool {
	return !r.Ready.IsZero() && !now.Before(r.Ready) && now.Before(r.Expires)
}

// Archived reports whether the version's storage class is one that can be read only
// through a restored copy.
func (v *Version) Archived() bool {
	return v.StorageClass == "GLACIER" || v.StorageClass == "DEEP_ARCHIVE"
}

// SetRestore sets the restored copy of a version (id "" is the current one) to what next
// makes of it. next may run twice; its error aborts. A delete marker is MethodNotAllowed.
func (s *Store) SetRestore(ctx context.Context, bucket, key, id string, next func(*Version) (Restore, error)) (*Version, error) {
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, _ *change) error {
		_, v, loc, err := s.versionForChange(tx, bucket, key, id)
		if err != nil {
			return err
		}
		if v.Restore, err = next(v); err != nil {
			return err
		}
		stored = v
		return loc.rewrite(tx, v)
	})
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}
