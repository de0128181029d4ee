// Package server is the composition root: it opens the engine, builds the services,
// listens on one port, dispatches requests to S3, KMS, IAM and STS, and serves the
// operator API under /_twinbucket/.
//
// A [Server] is made from a [Config] with [New], started with Open, which fails
// synchronously, and stopped with Close, which drains and may be called twice. Two
// servers run side by side in one process: nothing here is global.
package server
