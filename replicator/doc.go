// Package replicator moves versions to their destinations: it claims due tasks,
// assumes the rule's role, reads the source and writes the replica through the same
// doors as clients, and settles.
//
// [Replicator] owns the workers. An attempt ends in one of three ways, decided by the
// one table in outcome.go: COMPLETED, FAILED with AWS's failureReason, or postponed
// with exponential backoff while the status stays PENDING. Delivery is at least once:
// a claim is a lease, the attempt number fences late workers, and a replica that is
// already there counts as done.
//
// Which task is next is the business of the scheduler: queues of rules and destinations
// take turns, and each goes at the pace of its KMS quota, its destination and the bandwidth
// limit. [Replicator.Preflight] walks the same doors without writing and says what would
// happen to an object.
//
// Every decision made on the way is kept as a step of an [Explanation], so that the
// question why an object did or did not arrive has one answer, with the statement
// that decided.
//
// The package starts goroutines in Open only, and Close waits for all of them.
package replicator
