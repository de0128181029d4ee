// Package cwapi is Amazon CloudWatch as far as S3 Replication publishes to it: the
// metrics of replication rules, kept in memory, and the three operations that read
// them.
//
// # Entry points
//
//   - [Service.Record] takes one measurement of one [Series]. Whoever measures decides
//     what is published, in which Region and in which minute; this package knows nothing
//     of replication.
//   - [Service.Serve] answers clients: GetMetricData, GetMetricStatistics and
//     ListMetrics. The other operations of CloudWatch are rows of the table too, and are
//     refused.
//
// # Wire
//
// Three protocols carry the same operations (B1): Smithy RPC v2 with CBOR, AWS JSON
// 1.0, and Query. Inputs and outputs are plain structs whose json tags name the members;
// each protocol reads and writes them. Callers need cloudwatch:<Operation> on *.
//
// # What is kept
//
// A series keeps the statistics of its last minutes that had measurements, not the
// measurements. Memory is bounded: at most [MaxSeries] series, each with at most
// [KeptMinutes] minutes. Nothing survives the process.
//
// # Not here
//
// Alarms, dashboards, metric streams, metric math, Metrics Insights queries, and metrics
// that clients would put themselves.
package cwapi
