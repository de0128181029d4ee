package store

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Upload is a multipart upload: the version it will become, without parts.
type Upload struct {
	ID        string
	Version   Version // Bucket, Key, Owner, headers, tags, encryption with the wrapped data key
	Initiator string  // ARN
	Initiated time.Time
}

// StoredPart is an uploaded part that is not yet part of a version.
type StoredPart struct {
	Part
	Modified time.Time
}

// MaxPartNumber is the greatest part number (D65).
const MaxPartNumber = 10_000

// CreateUpload stores u and returns it with ID and Initiated set. Ids of one key sort
// by the time of initiation.
func (s *Store) CreateUpload(ctx context.Context, u Upload) (*Upload, error) {
	now := s.cfg.Clock.Now()
	rec := uploadRecord{Upload: u}
	rec.Initiated = fromMillis(millis(now))
	rec.Version.Parts, rec.Version.Destinations = nil, nil
	rec.Version.Tags = sortTags(u.Version.Tags)
	var id [positionLen]byte
	s.random(id[:])
	binary.BigEndian.PutUint64(id[:], s.nextOrder(nanos(now)))
	rec.ID = idText.EncodeToString(id[:])
	bucket, key := u.Version.Bucket, u.Version.Key
	if n := len(key); n == 0 || n > MaxKeyLength {
		return nil, failure.New("KeyTooLongError", "Your key is too long",
			"Size", strconv.Itoa(n), "MaxSizeAllowed", strconv.Itoa(MaxKeyLength))
	}
	err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		if _, err := s.bucketIn(tx, bucket); err != nil {
			return err
		}
		head, err := getHead(tx, bucket, key)
		if err != nil {
			return err
		}
		rec.existed = head.live()
		tx.Put(uploadKey(bucket, key, rec.ID), encodeUpload(&rec))
		return nil
	})
	if err != nil {
		return nil, failed(err)
	}
	return &rec.Upload, nil
}

// Upload returns an upload of bucket and key.
func (s *Store) Upload(ctx context.Context, bucket, key, id string) (u *Upload, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		rec, err := getUpload(r, bucket, key, id)
		if err != nil {
			return s.orNoBucket(r, bucket, err)
		}
		u = &rec.Upload
		return nil
	})
	if err != nil {
		return nil, failed(err)
	}
	return u, nil
}

func getUpload(g getter, bucket, key, id string) (*uploadRecord, error) {
	rec, err := lookup(g, uploadKey(bucket, key, id))
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, noSuchUpload(id)
	}
	return decodeUpload(bucket, key, id, rec)
}

// PutPart stores or replaces one part and removes the blob it replaces.
func (s *Store) PutPart(ctx context.Context, u *Upload, p StoredPart) error {
	if p.Number < 1 || p.Number > MaxPartNumber {
		return failure.Newf("InvalidArgument", "Part number must be an integer between 1 and %d, inclusive", MaxPartNumber)
	}
	if err := checkData([]Part{p.Part}); err != nil {
		return err
	}
	if p.Modified.IsZero() {
		p.Modified = s.cfg.Clock.Now()
	}
	p.Modified = fromMillis(millis(p.Modified))
	k := partKey(u.ID, p.Number)
	return failed(s.update(ctx, func(tx kv.Txn, c *change) error {
		if err := touchUpload(tx, u); err != nil {
			return err
		}
		old, err := lookup(tx, k)
		if err != nil {
			return err
		}
		if old != nil {
			replaced, err := decodeStoredPart(old)
			if err != nil {
				return err
			}
			if replaced.Data.ID != p.Data.ID {
				dropData(tx, c, []Part{replaced.Part})
			}
		}
		holdData(tx, []Part{p.Part})
		tx.Put(k, encodeStoredPart(&p))
		return nil
	}))
}

// touchUpload counts up the revision of an upload, which CompleteUpload compares.
func touchUpload(tx kv.Txn, u *Upload) error {
	k := uploadKey(u.Version.Bucket, u.Version.Key, u.ID)
	rec, err := lookup(tx, k)
	if err != nil {
		return err
	}
	if rec == nil {
		return noSuchUpload(u.ID)
	}
	revision, err := uploadRevision(rec)
	if err != nil {
		return err
	}
	rec = append(make([]byte, 0, len(rec)), rec...)
	binary.BigEndian.PutUint64(rec, revision+1)
	tx.Put(k, rec)
	return nil
}

// Parts lists parts with a number above after, at most max (0: all).
func (s *Store) Parts(ctx context.Context, u *Upload, after, max int) (parts []StoredPart, truncated bool, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		parts, truncated = nil, false
		if _, err := getUpload(r, u.Version.Bucket, u.Version.Key, u.ID); err != nil {
			return err
		}
		return scanParts(r, u.ID, after, func(p *StoredPart) bool {
			if truncated = max > 0 && len(parts) == max; truncated {
				return false
			}
			parts = append(parts, *p)
			return true
		})
	})
	if err != nil {
		return nil, false, failed(err)
	}
	return parts, truncated, nil
}

// scanParts calls fn for every part with a number above after until it returns false.
func scanParts(r kv.Reader, upload string, after int, fn func(*StoredPart) bool) error {
	if after >= MaxPartNumber {
		return nil
	}
	return r.Scan(partKey(upload, max(after, 0)+1), kv.PrefixEnd(inUpload(upload)), func(_, rec []byte) (bool, error) {
		p, err := decodeStoredPart(rec)
		if err != nil {
			return false, err
		}
		return fn(&p), nil
	})
}

// AbortUpload removes an upload and its parts.
func (s *Store) AbortUpload(ctx context.Context, u *Upload) error {
	k := uploadKey(u.Version.Bucket, u.Version.Key, u.ID)
	return failed(s.update(ctx, func(tx kv.Txn, c *change) error {
		rec, err := lookup(tx, k)
		if err != nil {
			return err
		}
		if rec == nil {
			return s.orNoBucket(tx, u.Version.Bucket, noSuchUpload(u.ID))
		}
		tx.Delete(k)
		tx.Put(endedKey(u.ID), nil)
		c.ended = append(c.ended, u.ID)
		return nil
	}))
}

// Uploads lists uploads by key and id, after keyMarker and uploadMarker: all uploads
// of greater keys, and with an uploadMarker those of keyMarker with a greater id. At
// most max (0: all) are returned.
func (s *Store) Uploads(ctx context.Context, bucket, prefix, keyMarker, uploadMarker string, max int) (uploads []*Upload, truncated bool, err error) {
	in := inBucket(kindUpload, bucket)
	start := appendEscaped(append([]byte(nil), in...), prefix)
	end := kv.PrefixEnd(start)
	if keyMarker != "" {
		marker := inObject(kindUpload, bucket, keyMarker, len(uploadMarker)+1)
		if uploadMarker != "" {
			marker = append(append(marker, uploadMarker...), 0)
		} else {
			marker = kv.PrefixEnd(marker)
		}
		if string(marker) > string(start) {
			start = marker
		}
	}
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		uploads, truncated = nil, false
		if _, err := s.bucketIn(r, bucket); err != nil {
			return err
		}
		return r.Scan(start, end, func(k, rec []byte) (bool, error) {
			key, id, ok := cutComponent(k[len(in):])
			if !ok {
				return false, errRecord
			}
			if truncated = max > 0 && len(uploads) == max; truncated {
				return false, nil
			}
			u, err := decodeUpload(bucket, key, string(id), rec)
			if err == nil {
				uploads = append(uploads, &u.Upload)
			}
			return true, err
		})
	})
	if err != nil {
		return nil, false, failed(err)
	}
	return uploads, truncated, nil
}

func endedKey(upload string) []byte {
	return append(newKey(kindEnded, len(upload)), upload...)
}

// cleanUpload removes the parts of an upload that was aborted or completed, with the
// data that no version took over, and then the record that says so. It may be repeated.
func (s *Store) cleanUpload(ctx context.Context, upload string) error {
	used, err := s.takenOver(ctx, upload)
	if err != nil {
		return err
	}
	for {
		var parts []Part
		err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
			parts = nil
			return scanParts(r, upload, 0, func(p *StoredPart) bool {
				parts = append(parts, p.Part)
				return len(parts) < batchOps/2
			})
		})
		if err != nil {
			return err
		}
		if len(parts) == 0 {
			break
		}
		err = s.update(ctx, func(tx kv.Txn, c *change) error {
			for i := range parts {
				if !used[parts[i].Data.ID] {
					dropData(tx, c, parts[i:i+1])
				}
				tx.Delete(partKey(upload, parts[i].Number))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		tx.Delete(endedKey(upload))
		return nil
	})
}

// versionOf reads the version a completed upload became; nil when it is gone.
func versionOf(g getter, ref *versionRef) (*Version, error) {
	loc, err := locate(g, ref.bucket, ref.key, ref.pos.id())
	if err != nil {
		return nil, ignoreMissing(err)
	}
	if loc.pos != ref.pos {
		return nil, nil
	}
	v, err := loadVersion(g, ref.bucket, ref.key, loc.rec)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, errRecord
	}
	return v, err
}
