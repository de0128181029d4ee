// Package lifecycle runs the lifecycle rules of buckets on the domain clock: objects
// expire, noncurrent versions and orphaned delete markers are removed, multipart uploads
// that nobody ends are aborted, and versions move to colder storage classes.
//
// An [Engine] looks at every bucket with rules once at its start and then whenever the
// clock passes midnight UTC, the only time at which rules become due. Advancing the clock
// is therefore how an operator makes days pass; [Engine.Run] makes one round at once and
// returns when it is done.
//
// The engine decides on what a listing shows and acts through the store's lifecycle
// functions, which look again in their transaction: a version that was overwritten
// meanwhile, that still replicates or that Object Lock protects stays. Nothing it does
// replicates. What it did is told to Config.OnAction.
package lifecycle
