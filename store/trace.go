package store

import (
	"context"
	"slices"

	"twinbucket/store/kv"
)

// maxTraces bounds the traces kept of one version, in bytes; the oldest give way.
const maxTraces = 512 << 10

// putTrace stores the trace of the last attempt towards one destination of v.
func putTrace(tx kv.Txn, v *Version, destination string, text []byte) error {
	k := ofVersion(kindTrace, v.Bucket, v.Key, v.ID)
	var list []trace
	if len(v.Destinations) > 1 {
		rec, err := lookup(tx, k)
		if err != nil {
			return err
		}
		if rec != nil {
			if list, err = decodeTraces(rec); err != nil {
				return err
			}
		}
	}
	list = slices.DeleteFunc(list, func(t trace) bool { return t.bucket == destination })
	list = append(list, trace{bucket: destination, text: string(text)})
	rec := encodeTraces(list)
	for len(rec) > maxTraces && len(list) > 1 {
		list = list[1:]
		rec = encodeTraces(list)
	}
	tx.Put(k, rec)
	return nil
}

// Trace returns the stored explanations of a version by destination bucket; id "" is
// the current version. A version that was never attempted has none.
func (s *Store) Trace(ctx context.Context, bucket, key, versionID string) (traces map[string][]byte, err error) {
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		traces = map[string][]byte{}
		loc, err := locate(r, bucket, key, versionID)
		if err != nil {
			return s.orNoBucket(r, bucket, err)
		}
		rec, err := lookup(r, ofVersion(kindTrace, bucket, key, loc.pos.id()))
		if err != nil || rec == nil {
			return err
		}
		list, err := decodeTraces(rec)
		for _, t := range list {
			traces[t.bucket] = []byte(t.text)
		}
		return err
	})
	if err != nil {
		return nil, failed(err)
	}
	return traces, nil
}
