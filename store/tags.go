package store

import (
	"context"
	"slices"

	"twinbucket/store/kv"
)

// SetTags replaces the tags of a version (id "" is the current one). A version that
// was replicated (or failed) gets Pending destinations and tagging tasks again, under
// the configuration now in force (D57). Towards a destination that failed the whole
// version is due again, which heals it once the cause is repaired. A replica's tags go
// back the same way if they changed and the rule has ReplicaModifications Enabled (D51).
// A delete marker is MethodNotAllowed.
func (s *Store) SetTags(ctx context.Context, bucket, key, id string, tags []Tag) (*Version, error) {
	tags = sortTags(tags)
	return s.changeMetadata(ctx, bucket, key, id, metaTags, func(v *Version) error {
		v.Tags = tags
		return nil
	})
}

// SetReplicaTags is SetTags as replication does it: nothing is queued, so two buckets
// that replicate to each other don't send the same change back and forth.
func (s *Store) SetReplicaTags(ctx context.Context, bucket, key, id string, tags []Tag) (*Version, error) {
	tags = sortTags(tags)
	var stored *Version
	err := s.update(ctx, func(tx kv.Txn, _ *change) error {
		_, v, loc, err := s.versionForChange(tx, bucket, key, id)
		if err != nil {
			return err
		}
		v.Tags, stored = slices.Clone(tags), v
		return loc.rewrite(tx, v)
	})
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}
