// Package sigv4 verifies AWS Signature Version 4 on incoming HTTP requests: the
// Authorization header form, the presigned (query) form, and the signed chunks and
// trailers of aws-chunked bodies. Of the old version 2 it verifies the presigned form,
// which the aws CLI v1 still makes.
//
// The order of use is:
//
//  1. [Parse] reads where the signature stands and what it claims (access key, scope,
//     time). It needs no secret, so the server can dispatch on Scope.Service and
//     Scope.Region. An unsigned request gives [ErrAnonymous].
//  2. [Verifier.Authenticate] (or [Verifier.Verify], when the secret is already known)
//     checks scope, time, signed headers and the signature itself.
//  3. For S3, [Signed.Body] or [AnonymousBody] wraps the request body: it checks the payload
//     hash, or takes the aws-chunked framing off and checks every chunk and the trailers.
//     Nothing may be committed before that reader has returned io.EOF.
//
// Every refusal is an [*Error] whose Kind and fields say what was wrong. S3, KMS, IAM and
// STS word the same fault differently, so this package words none of them: each service
// renders its own code and text from the fields.
//
// Non-goals: it knows no routes, no operations and no wire format of errors, stores no
// credentials, and does not verify SigV2 headers or SigV4A (both are recognised and refused).
//
// Signatures are checked against transport time, which the caller passes in; the package
// reads no clock.
package sigv4
