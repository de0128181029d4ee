package store

import (
	"context"
	"errors"

	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// A version with many parts keeps them in a part set: records of chunkParts parts
// each. They don't fit in the version's transaction, nor do the records that hold
// their data. So a trash record is written first, which says that the set is to be
// destroyed; then the set; then the transaction that commits the version removes the
// trash record. Removing such a version is the reverse: its transaction writes the
// trash record, and the set is destroyed afterwards. After a crash Open destroys
// every set that has a trash record.
const (
	chunkParts = 256
	// batchOps and batchBytes are how much one of many transactions takes on.
	batchOps   = 80
	batchBytes = 512 << 10
)

// A trash record says what to destroy: the set, or the set with the data of its parts.
const (
	trashSetOnly  = 1
	trashWithData = 2
)

// needsSet reports whether parts are too many, or their inline data too large, for
// the transaction of their version.
func needsSet(parts []Part) bool {
	inline := 0
	for i := range parts {
		inline += len(parts[i].Data.Inline)
	}
	return len(parts) > maxParts || inline > batchBytes && len(parts) > 1
}

// stageParts writes the part set of w if it needs one.
func (s *Store) stageParts(ctx context.Context, w *write) error {
	parts := w.v.Parts
	if !needsSet(parts) {
		return nil
	}
	id, err := blob.NewID(s.cfg.Rand)
	if err != nil {
		return err
	}
	mode := byte(trashWithData)
	if w.held {
		mode = trashSetOnly
	}
	err = s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		tx.Put(idKey(kindTrash, id), []byte{mode})
		return nil
	})
	if err != nil {
		return err
	}
	w.set = partSet{id: id, count: len(parts)}
	if err := s.writeSet(ctx, w); err != nil {
		s.unstageParts(ctx, w, err)
		return err
	}
	return nil
}

// writeSet writes the chunks first: they are how the data are found again.
func (s *Store) writeSet(ctx context.Context, w *write) error {
	parts := w.v.Parts
	for chunk := 0; chunk*chunkParts < len(parts); chunk++ {
		e := encoder{}
		e.byte(recordFormat)
		appendParts(&e, parts[chunk*chunkParts:min((chunk+1)*chunkParts, len(parts))])
		err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
			tx.Put(partSetKey(w.set.id, chunk), e.b)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if w.held {
		return nil
	}
	for len(parts) > 0 {
		n, size := 0, 0
		for n < len(parts) && n < batchOps && (n == 0 || size < batchBytes) {
			size += len(parts[n].Data.Inline)
			n++
		}
		batch := parts[:n]
		parts = parts[n:]
		err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
			holdData(tx, batch)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unstageParts destroys the set of a write that failed. If the outcome is unknown
// it stays: a trash record that is still there at the next Open tells.
func (s *Store) unstageParts(ctx context.Context, w *write, cause error) {
	if w.set.isZero() || errors.Is(cause, kv.ErrUncertain) {
		return
	}
	if err := s.destroyPartSet(context.WithoutCancel(ctx), w.set.id); err != nil {
		s.cfg.Logger.Error("store: part set not removed", "set", w.set.id, "error", err)
	}
	w.set = partSet{}
}

// readPartSet reads the parts of a set.
func readPartSet(g getter, set partSet) ([]Part, error) {
	parts := make([]Part, 0, set.count)
	for chunk := 0; len(parts) < set.count; chunk++ {
		rec, err := g.Get(partSetKey(set.id, chunk))
		if err != nil {
			return nil, err
		}
		more, err := decodeChunk(rec)
		if err != nil || len(more) == 0 {
			return nil, errors.Join(errRecord, err)
		}
		parts = append(parts, more...)
	}
	return parts, nil
}

func decodeChunk(rec []byte) ([]Part, error) {
	d := decoder{s: string(rec)}
	d.format()
	parts := d.parts()
	d.bad = d.bad || d.s != ""
	return parts, d.err()
}

// destroyPartSet does what a trash record says and removes it. It may be repeated;
// without a trash record the set is in use and stays.
func (s *Store) destroyPartSet(ctx context.Context, set blob.ID) error {
	mode, err := s.trashMode(ctx, set)
	if err != nil || mode == 0 {
		return err
	}
	for chunk := 0; mode == trashWithData; chunk++ {
		var parts []Part
		err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
			rec, err := r.Get(partSetKey(set, chunk))
			if err == nil {
				parts, err = decodeChunk(rec)
			}
			return err
		})
		if errors.Is(err, kv.ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.dropInBatches(ctx, parts); err != nil {
			return err
		}
	}
	// Chunks go last, and the trash record after them, so that a crash at any point
	// leaves enough to go on from the beginning.
	if err := s.removeRange(ctx, idKey(kindPartSet, set)); err != nil {
		return err
	}
	return s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
		tx.Delete(idKey(kindTrash, set))
		return nil
	})
}

// trashMode reads a trash record, 0 when there is none.
func (s *Store) trashMode(ctx context.Context, set blob.ID) (mode byte, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		rec, err := lookup(r, idKey(kindTrash, set))
		if err != nil || rec == nil {
			return err
		}
		if len(rec) != 1 || rec[0] != trashSetOnly && rec[0] != trashWithData {
			return errRecord
		}
		mode = rec[0]
		return nil
	})
	return mode, err
}

// dropInBatches removes the data of parts.
func (s *Store) dropInBatches(ctx context.Context, parts []Part) error {
	for len(parts) > 0 {
		batch := parts[:min(batchOps, len(parts))]
		parts = parts[len(batch):]
		err := s.update(ctx, func(tx kv.Txn, c *change) error {
			dropData(tx, c, batch)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// removeRange removes all records under a prefix, in many transactions.
func (s *Store) removeRange(ctx context.Context, prefix []byte) error {
	for {
		keys, err := s.keysUnder(ctx, prefix, batchOps)
		if err != nil || len(keys) == 0 {
			return err
		}
		err = s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
			for _, k := range keys {
				tx.Delete(k)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// keysUnder returns the first n keys under a prefix.
func (s *Store) keysUnder(ctx context.Context, prefix []byte, n int) (keys [][]byte, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, _ []byte) (bool, error) {
			keys = append(keys, append([]byte(nil), k...))
			return len(keys) < n, nil
		})
	})
	return keys, err
}

// finishTrash destroys what a crash left in the trash.
func (s *Store) finishTrash(ctx context.Context) error {
	for _, k := range []kind{kindTrash, kindEnded} {
		prefix := plainKey(k)
		for {
			keys, err := s.keysUnder(ctx, prefix, 1)
			if err != nil {
				return err
			}
			if len(keys) == 0 {
				break
			}
			tail := keys[0][len(prefix):]
			if k == kindEnded {
				err = s.cleanUpload(ctx, string(tail))
			} else if len(tail) != len(blob.ID{}) {
				err = errRecord
			} else {
				err = s.destroyPartSet(ctx, blob.ID(tail))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
