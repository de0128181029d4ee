// Package s3api is the S3 API: over HTTP for clients ([API.Serve]), and as two doors for
// replication (OpenForReplication reads a source version, PutReplica and its siblings
// write at the destination) that go through the same checks, key calls and writes as a
// client's GET and PUT.
//
// # The way of a request
//
// Serve → handle (serve.go) → one handler → response, or an error that comes back the
// same way. handle keeps one order for every operation: the signature, then the bucket,
// x-amz-expected-bucket-owner, the Region, the permission, and only then the body. A
// handler therefore starts with a caller who may do what the row says, on a bucket that
// exists; checks that depend on more (a copy's source, tags in a PUT, iam:PassRole) stand
// in the operation's own file.
//
// # The table
//
// ops.go has one row for every operation of the service model. Routing, authorization,
// event names, the list of refused operations and the README's support table all come
// from it, so adding an operation is: a row, a file, a test. A row without a handler is
// refused with 501 NotImplemented, after authentication and authorization.
//
// # Errors
//
// Handlers write success responses and return everything else: a *failure.Error whose
// code stands in the one table of errors.go, or a *sigv4.Error, which signature_errors.go
// words. Anything else is an InternalError; its cause is logged and never sent.
//
// # Authorization
//
// authorize.go asks iamsim with the bucket's policy, its public access settings and the
// condition keys of condition_keys.go. Every decision, also one made for a replication
// door, goes through API.decide, and so reaches the observers of the caller.
//
// Where ACLs are on, acl_authorize.go writes what they grant as policies of their own, so
// that the same evaluator decides about them.
//
// # Settings and events
//
// Settings that something acts upon have fields of their own in store.Bucket; those that are
// only kept are validated by a shape (shape.go) and stay text. What happens to objects is
// announced to the bucket's notification targets by [API.Announce], also for lifecycle rules
// and replication.
//
// # S3 Control
//
// [Control] serves the account-level API with a table of its own (control_table.go).
//
// # Promises and limits
//
// Memory is bounded: object data streams, documents are read up to 4 MiB. Nothing is
// committed before a body's signature, hashes and checksums have been found right at its
// end. The package starts no goroutine and keeps no state but the cached bucket keys.
// It knows no key management and no replication engine: both are reached through, or
// reach it through, small interfaces.
package s3api
