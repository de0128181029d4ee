// Package quotasapi is Service Quotas for the request quotas of KMS, over the JSON 1.1
// protocol, so that the advice to "request an increase" can be followed here: what is
// asked for is granted after a while on the domain clock.
//
// The limits themselves live in internal/quota, where KMS asks for them. This package
// names them as AWS does, shows the one that applies to an account, and on a granted
// request sets the limit of that account in that Region, which is the most specific
// there is. Requests are kept in the kv engine; Open sets again what was granted.
//
// Every operation is one row of the table in table.go; what is not built is refused with
// 501 and a sentence that says so. Decisions about quotas are IAM's alone (K103).
package quotasapi
