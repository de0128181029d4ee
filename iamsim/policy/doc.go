// Package policy parses, validates, evaluates and explains AWS policy documents.
//
// It is pure: no I/O, no clock, no state. [Parse] reads a document and keeps the
// position of every statement in its text; the Validate functions apply the
// create-time rules of each service with AWS's exact messages; [Evaluate] decides one
// request from an [Input] and returns a [Decision] that carries the deciding
// statement, every layer's verdict, the near misses and the context.
//
// Parse once, evaluate many: a [Document] is immutable and safe for concurrent use.
// Evaluate never fails: a document that Parse accepted can always be evaluated.
package policy
