package store

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store/kv"
)

// Threshold is how long replication may take before S3 announces that it took too long:
// the one threshold there is (B30).
const Threshold = 15 * time.Minute

// Watched is a version whose replication was watched and whose threshold has passed.
type Watched struct {
	Bucket, Key, VersionID string
	ETag                   string // without quotes
	Size                   int64
	Created                time.Time // of its tasks
	// Gone: the version was removed meanwhile.
	Gone         bool
	Destinations []WatchedDestination

	record []byte // its key
}

// WatchedDestination is one destination of a Watched version.
type WatchedDestination struct {
	RuleID, Bucket string
	Kind           TaskKind
	// Timed: the rule has ReplicationTime Enabled.
	Timed bool
	// Pending: the destination still has a task.
	Pending bool
}

// watches reports whether a task counts for metrics and events: live replication under
// a rule with Metrics Enabled, which ReplicationTime implies (B31).
func (t *Task) watches() bool { return t.Job == "" && t.Rule.Destination.Metrics == "Enabled" }

// putWatch notes when the threshold of new tasks of v passes. All tasks of one
// transaction are as old, so one record holds them.
func putWatch(tx kv.Txn, v *Version, tasks []Task) {
	w := Watched{ETag: v.ETag, Size: v.Size}
	for i := range tasks {
		t := &tasks[i]
		if !t.watches() {
			continue
		}
		w.Created = t.Created
		w.Destinations = append(w.Destinations, WatchedDestination{
			RuleID: t.Rule.ID, Bucket: t.Rule.Destination.Bucket, Kind: t.Kind, Timed: t.Rule.Destination.ReplicationTime == "Enabled",
		})
	}
	if len(w.Destinations) > 0 {
		tx.Put(watchKey(w.Created, v.Bucket, v.Key, v.ID), encodeWatch(&w))
	}
}

// dropWatch forgets the watch of a version whose last task is t. Its other tasks may have
// been watched when t is not.
func dropWatch(tx kv.Txn, t *Task) {
	tx.Delete(watchKey(t.Created, t.Bucket, t.Key, t.VersionID))
}

// Overdue returns up to max watched versions whose threshold has passed, oldest first,
// and when that of the following one does (zero: there is none). They are returned
// again until [Store.Unwatch] is called.
func (s *Store) Overdue(ctx context.Context, max int) (list []Watched, next time.Time, err error) {
	now := s.cfg.Clock.Now()
	prefix := plainKey(kindWatch)
	err = s.cfg.Engine.View(ctx, func(r kv.Reader) error {
		list, next = nil, time.Time{}
		return r.Scan(prefix, kv.PrefixEnd(prefix), func(k, rec []byte) (bool, error) {
			w, due, err := decodeWatch(k, rec)
			if err != nil {
				return false, err
			}
			if due.After(now) || len(list) == max {
				next = due
				return false, nil
			}
			if err := w.look(r); err != nil {
				return false, err
			}
			list = append(list, w)
			return true, nil
		})
	})
	return list, next, failed(err)
}

// look finds out what has become of the version.
func (w *Watched) look(r kv.Reader) error {
	_, err := locate(r, w.Bucket, w.Key, w.VersionID)
	if failure.CodeOf(err) == "NoSuchVersion" {
		w.Gone = true
		return nil
	}
	if err != nil {
		return err
	}
	pending, err := getPending(r, ofVersion(kindPending, w.Bucket, w.Key, w.VersionID))
	for i := range w.Destinations {
		d := &w.Destinations[i]
		d.Pending = slices.ContainsFunc(pending, func(p pendingTask) bool { return p.bucket == d.Bucket })
	}
	return err
}

// Unwatch forgets versions that Overdue returned.
func (s *Store) Unwatch(ctx context.Context, list []Watched) error {
	const batch = kv.MaxOps / 2
	for part := range slices.Chunk(list, batch) {
		err := s.cfg.Engine.Update(ctx, func(tx kv.Txn) error {
			for i := range part {
				tx.Delete(part[i].record)
			}
			return nil
		})
		if err != nil {
			return failed(err)
		}
	}
	return nil
}

// watchKey orders watches by the time at which the threshold passes.
func watchKey(created time.Time, bucket, key, id string) []byte {
	b := binary.BigEndian.AppendUint64(newKey(kindWatch, 12+len(bucket)+len(key)+len(id)), nanos(created.Add(Threshold)))
	return append(appendComponent(appendComponent(b, bucket), key), id...)
}

func encodeWatch(w *Watched) []byte {
	e := encoder{b: make([]byte, 0, 64+48*len(w.Destinations))}
	e.byte(recordFormat)
	e.string(w.ETag)
	e.int(w.Size)
	e.time(w.Created)
	e.uint(uint64(len(w.Destinations)))
	for i := range w.Destinations {
		d := &w.Destinations[i]
		e.strings(d.RuleID, d.Bucket, string(d.Kind))
		e.bool(d.Timed)
	}
	return e.b
}

func decodeWatch(k, rec []byte) (w Watched, due time.Time, err error) {
	const at = len(namespace) + 1
	if len(k) < at+8 {
		return w, due, errRecord
	}
	due = fromNanos(binary.BigEndian.Uint64(k[at:]))
	bucket, rest, ok := cutComponent(k[at+8:])
	key, id, okKey := cutComponent(rest)
	d := decoder{s: string(rec)}
	d.format()
	w = Watched{Bucket: bucket, Key: key, VersionID: string(id), ETag: d.string(), Size: d.int(), Created: d.time(), record: slices.Clone(k)}
	w.Destinations = make([]WatchedDestination, d.count(4))
	for i := range w.Destinations {
		w.Destinations[i] = WatchedDestination{RuleID: d.string(), Bucket: d.string(), Kind: TaskKind(d.string()), Timed: d.bool()}
	}
	d.bad = d.bad || d.s != "" || !ok || !okKey
	return w, due, d.err()
}
