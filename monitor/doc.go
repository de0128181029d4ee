// Package monitor watches replication the way S3 reports on it: it measures rules for
// CloudWatch, follows the threshold of S3 Replication Time Control on the domain clock,
// and says which of the four replication events are due.
//
// # Entry points
//
//   - [Monitor.Ended] is told of every finished attempt.
//   - [Monitor.Open] starts one goroutine that wakes every minute of the domain clock and
//     when a threshold passes; [Monitor.Close] stops it.
//   - Config.Measure and Config.Announce receive what there is to publish. The monitor
//     knows neither CloudWatch nor notifications.
//
// # What survives
//
// Which versions are watched until when is in the store, written in the transaction that
// queues them, so thresholds are followed across restarts and cost no memory. An event
// is announced before its watch is removed: a crash in between repeats it.
//
// # What S3 reports
//
// Only rules with Metrics Enabled are reported on, and thresholds only where
// ReplicationTime is Enabled (B31). Batch jobs count as failures and nowhere else (B22).
package monitor
