package store

import (
	"context"
	"errors"
	"strconv"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// completedFor is how long a completed upload is remembered, at least: a client that
// lost the answer repeats the request.
const completedFor = 24 * time.Hour

// CompleteUpload turns u into v (see PutVersion) and removes the upload with the
// parts that v does not use. v.Parts name the stored parts by Number and ETag; their
// data are taken from the store, so Data may be left out. A part that is not stored
// so is InvalidPart. Repeating it after success returns the version again.
//
// A precondition that fails because of a write since the upload began is
// ConditionalRequestConflict (D66).
func (s *Store) CompleteUpload(ctx context.Context, u *Upload, v Version, cond Condition) (stored *Version, err error) {
	v.Bucket, v.Key = u.Version.Bucket, u.Version.Key
	for range maxRetries {
		var rec *uploadRecord
		var parts []Part
		rec, parts, stored, err = s.planComplete(ctx, u, v.Parts)
		if err != nil || stored != nil {
			return stored, failed(err)
		}
		w := s.newWrite(v, cond)
		w.v.Parts, w.held, w.v.Multipart = parts, true, true
		w.before = func(tx kv.Txn, c *change, head *headRecord) error { return rec.checkComplete(tx, cond, head) }
		w.done = func(tx kv.Txn, c *change, pos position) {
			ref := versionRef{bucket: v.Bucket, key: v.Key, pos: pos, at: w.now}
			tx.Delete(uploadKey(v.Bucket, v.Key, u.ID))
			tx.Put(ofVersion(kindCompleted, v.Bucket, v.Key, u.ID), encodeRef(&ref))
			tx.Put(endedKey(u.ID), encodeRef(&ref))
			c.ended = append(c.ended, u.ID)
		}
		stored, err = s.commit(ctx, w)
		if !errors.Is(err, errRetry) {
			break
		}
	}
	if err != nil {
		return nil, failed(err)
	}
	return stored, nil
}

// planComplete reads the upload and its stored parts from one snapshot. If the upload
// was completed before it returns the version instead.
func (s *Store) planComplete(ctx context.Context, u *Upload, named []Part) (rec *uploadRecord, parts []Part, stored *Version, err error) {
	bucket, key := u.Version.Bucket, u.Version.Key
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) (err error) {
		rec, err = getUpload(r, bucket, key, u.ID)
		if failure.CodeOf(err) == "NoSuchUpload" {
			stored, err = completed(r, u, err)
			return err
		}
		if err != nil {
			return err
		}
		parts, err = storedParts(r, u.ID, named)
		return err
	})
	return rec, parts, stored, err
}

// completed finds what u became, or returns the error given.
func completed(g getter, u *Upload, missing error) (*Version, error) {
	rec, err := lookup(g, ofVersion(kindCompleted, u.Version.Bucket, u.Version.Key, u.ID))
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, missing
	}
	ref, err := decodeRef(rec)
	if err != nil {
		return nil, err
	}
	v, err := versionOf(g, &ref)
	if err == nil && v == nil {
		err = missing
	}
	return v, err
}

// storedParts finds the named parts, in their order.
func storedParts(r kv.Reader, upload string, named []Part) ([]Part, error) {
	stored := map[int]Part{}
	err := scanParts(r, upload, 0, func(p *StoredPart) bool {
		stored[p.Number] = p.Part
		return true
	})
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(named))
	for i, n := range named {
		p, ok := stored[n.Number]
		if !ok || n.ETag != "" && n.ETag != p.ETag || !n.Data.ID.IsZero() && n.Data.ID != p.Data.ID {
			return nil, failure.New("InvalidPart",
				"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
				"ETag", n.ETag, "PartNumber", strconv.Itoa(n.Number), "UploadId", upload)
		}
		parts[i] = p
	}
	return parts, nil
}

// checkComplete makes sure that the parts are still those of the snapshot, and that no
// write came in since the upload began that a precondition forbids.
func (u *uploadRecord) checkComplete(tx kv.Txn, cond Condition, head *headRecord) error {
	rec, err := lookup(tx, uploadKey(u.Version.Bucket, u.Version.Key, u.ID))
	if err != nil {
		return err
	}
	if rec == nil {
		return errRetry
	}
	revision, err := uploadRevision(rec)
	if err != nil {
		return err
	}
	if revision != u.revision {
		return errRetry
	}
	if cond.IfNoneMatch && u.existed {
		return conditionConflict("If-None-Match", u.Version.Key)
	}
	if cond.IfMatch == "" {
		return nil
	}
	var current Version
	if err := decodeSummary(head.rec, &current); err != nil {
		return err
	}
	if current.LastModified.After(u.Initiated) {
		return conditionConflict("If-Match", u.Version.Key)
	}
	return nil
}

// takenOver returns the data of an ended upload that its version uses; none if it was
// aborted or the version is gone, in which case its removal took care of them.
func (s *Store) takenOver(ctx context.Context, upload string) (used map[blob.ID]bool, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		used = nil
		rec, err := lookup(r, endedKey(upload))
		if err != nil || len(rec) == 0 {
			return err
		}
		ref, err := decodeRef(rec)
		if err != nil {
			return err
		}
		v, err := versionOf(r, &ref)
		if v != nil {
			used = dataIDs(v.Parts)
		}
		return err
	})
	return used, err
}

// purgeCompleted forgets uploads that were completed long ago.
func (s *Store) purgeCompleted(ctx context.Context) error {
	limit := s.cfg.Clock.Now().Add(-completedFor)
	prefix := plainKey(kindCompleted)
	start := prefix
	for start != nil {
		var old [][]byte
		var next []byte
		err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
			old, next = nil, nil
			return r.Scan(start, kv.PrefixEnd(prefix), func(k, rec []byte) (bool, error) {
				if len(old) == batchOps {
					next = append([]byte(nil), k...)
					return false, nil
				}
				ref, err := decodeRef(rec)
				if err == nil && ref.at.Before(limit) {
					old = append(old, append([]byte(nil), k...))
				}
				return true, err
			})
		})
		if err != nil {
			return err
		}
		if len(old) > 0 {
			err = s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
				for _, k := range old {
					tx.Delete(k)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		start = next
	}
	return nil
}
