// Package store is the S3 domain model and its transactions: buckets, versions,
// multipart uploads, object data, and the queue of replication tasks. It is the only
// package that knows how keys and records are laid out. It speaks of no wire format:
// errors are *failure.Error with S3's codes, and the API packages render them.
//
// # Entry points
//
//   - [New], [Store.Open], [Store.Close]; engine and blobs are opened and closed by the
//     caller. Open is synchronous and leaves nothing running: the package starts no
//     goroutine that outlives a call.
//   - Writing an object is two steps. [Store.WriteData] seals the bytes under a data
//     key, in memory when they are few, else in a blob; [Store.PutVersion] then
//     commits the version. Until then nobody sees the bytes, and who gives up calls
//     [Store.DiscardData].
//   - Reading is two steps too: [Store.Version] finds the version, [Store.OpenParts]
//     decrypts. Between them lies whatever the caller must do to get the data key.
//     [Store.CopyData] copies without it.
//   - [Store.SetTags], [Store.SetRetention], [Store.SetLegalHold] and [Store.SetRestore]
//     change a version where it is; the first three replicate the change.
//   - [ReplicationConfiguration.Select] is the pure decision which rules apply. PutVersion
//     and [Store.Delete] apply it and write one [Task] per destination in the same
//     transaction; [Store.Claim], [Store.SettleAll] and [Store.Postpone] move tasks on.
//   - [Store.Check] verifies every invariant below.
//
// # Layout
//
// Every object key with at least one version has one head record: the whole current
// version, the position of the null version if it is another, and a generation. The
// other versions have records of their own, newest first. A new version moves the old
// head's bytes to a version record; removing the current one moves the next back. So
// LIST of current versions reads one record per key, however many versions there are,
// and a PUT writes one record, two with its data. Sealed small objects are in
// records of their own, in the order they were written. keys.go has all kinds of key,
// the *_record.go files what the records hold.
//
// # Invariants
//
//   - Every write reads the bucket record in its transaction. DeleteBucket and Reset set
//     Deleting in it first, so nothing is written to a bucket that is being looked through.
//   - Of a key's versions the head has the greatest Order. Late replicas take the place
//     their source's Order gives them and leave the head alone.
//   - Each Pending destination of a version has exactly one task, and each task one Pending
//     destination.
//   - Data are referred to by one version or one part of an upload. A blob is durable
//     before it is referred to and removed after it is not; a crash in between leaves an
//     unreferenced blob, which Open removes.
//   - Transactions are bounded (see store/kv). What is too long for one, the parts of big
//     uploads, is written before or removed after the deciding one, under a trash record
//     by which Open finishes the work after a crash.
//
// # What it does not do
//
// It checks no permission and validates no request: names, sizes, tags and
// configurations are the API's business. It keeps data keys wrapped: under its own
// master key for SSE-S3, and as given for SSE-KMS and SSE-C. The master key is in the key-value
// store, so the data directory must be private; its protection is file permissions.
package store
