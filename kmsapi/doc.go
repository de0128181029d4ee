// Package kmsapi is the key management service: keys of every kind that Go's standard
// library has, multi-Region keys and imported material, aliases, key policies, grants
// and request quotas, over the JSON 1.1 protocol and as Go methods for S3.
//
// # One door
//
// A [Service] answers HTTP clients through [Service.Serve] and S3 through
// [Service.GenerateDataKey], [Service.Decrypt] and [Service.Encrypt]. Both ways
// run the same operation functions, in this order (K40):
//
//	constraints of the request model
//	request quota of the caller's account and region
//	key resolution
//	authorization: key policy, IAM policies and grants together
//	key state, then key usage
//	dry run
//	the work
//	one trail event, whatever the outcome
//
// Every operation is one row of the table in table.go and one file that holds its
// input, its constraints and its function; refused operations are rows too.
//
// # State
//
// All keys, aliases and grants live in memory as immutable snapshots, policies
// parsed and ciphers ready, and are written through to the kv engine before an
// operation that changes them returns. Changes take one lock and run one after
// another; cryptographic operations only read. What the members of a multi-Region key
// share changes in all of them in one transaction.
//
// Deletion windows, automatic rotation, the expiry of imported material and the
// transient states of multi-Region keys follow the domain clock: what is due is done
// before the next operation looks, and by a goroutine when nobody calls.
//
// # What protects key material
//
// Material is sealed under the root key, which the caller keeps apart from the engine,
// and bound to its key: whoever can read the engine alone has nothing, and with another
// root key Open fails with a [SealError]. In memory it is in the clear. There is no
// hardware module; don't put real secrets in. Material, plaintexts, ciphertexts and
// grant tokens never reach logs or trail events.
//
// Ciphertexts bind the encryption context and the key's name by AES-256-GCM with
// random nonces; they can't be exchanged with AWS. One key must not encrypt more
// than 2³² messages between two rotations.
//
// # Not here
//
// ML-DSA keys, which the standard library can't make, SM2 keys, key encapsulation and
// custom key stores are refused with UnsupportedOperationException and a sentence that
// says so.
package kmsapi
