// Package walkthrough plays documented replication set-ups from nothing to a verified
// replica, as a client: every step goes through aws-sdk-go-v2 over TCP, against a server
// that the package starts itself or against a running one.
//
// [List] names the walkthroughs and [Run] plays one. Each reads like the document it
// comes from: a step has an account that acts, a sentence, and actions that do it and
// check what AWS would show. The first step that goes another way ends the walkthrough
// with a *[Failure] that holds what was wanted, what came, and why.
//
// The policies and configurations are JSON files under documents/, with ${placeholders}
// where the originals have theirs. The pitfalls take a set-up that works and change one
// of these documents, so that a pitfall says exactly what differs.
//
// Nothing sleeps: waiting is the operator API's, and PENDING is seen by holding the
// workers. Against a running server buckets, roles and accounts get names of their own,
// so that a walkthrough can be played again; nothing else there is changed for good.
package walkthrough
