// Package batch runs S3 Batch Replication: jobs that replicate objects which are there
// already, under the replication configuration of their bucket.
//
// # Entry points
//
//   - [Engine.Create], [Engine.Describe], [Engine.List], [Engine.SetStatus],
//     [Engine.SetPriority] and [Engine.SetTags] are the operations of the API; the wire
//     is S3 Control's business.
//   - [Engine.Settled] is told of every replication task that is out of the queue.
//   - [Engine.Open] takes up the jobs that a process before this one left; [Engine.Close]
//     stops them where they are.
//
// # A job's way
//
// New → Preparing: the manifest is read, or made from the bucket, with the job's role,
// and kept as rows. → Suspended until somebody confirms, if the job asks for that. →
// Ready → Active: each row is checked for s3:InitiateReplication under the job's role and
// then becomes ordinary replication tasks, which the replicator runs with the replication
// role, through the same doors as live replication. → Completing: the report is written
// with the job's role. → Complete.
//
// Rows are worked on in chunks. What a chunk came to, the job's progress and the place to
// go on from are one transaction, so a job survives a crash: the chunk it was in is begun
// again, and tasks that are still queued are found and not doubled.
//
// # Bounds
//
// A job needs memory for one chunk and, at its end, for one report file. Suspended jobs
// end after 30 days, ended ones are forgotten after 90 (B41), in domain time.
package batch
