package store

import (
	"context"
	"slices"

	"twinbucket/store/kv"
)

// equal reports whether two lists are written the same.
func (a *ACL) equal(b *ACL) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Grants, b.Grants)
}

// SetACL replaces the ACL of a version (id "" is the current one). The change replicates
// like a change of tags. A delete marker is MethodNotAllowed.
func (s *Store) SetACL(ctx context.Context, bucket, key, id string, acl *ACL) (*Version, error) {
	return s.changeMetadata(ctx, bucket, key, id, metaACL, func(v *Version) error {
		v.ACL = acl
		return nil
	})
}

// SetReplicaACL is SetACL as replication does it: nothing is queued.
func (s *Store) SetReplicaACL(ctx context.Context, bucket, key, id string, acl *ACL) (*Version, error) {
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, _ *change) error {
		_, v, loc, err := s.versionForChange(tx, bucket, key, id)
		if err != nil {
			return err
		}
		v.ACL, stored = acl, v
		return loc.rewrite(tx, v)
	})
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}
