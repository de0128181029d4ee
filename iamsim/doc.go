// Package iamsim is the identity side of the emulator: accounts, users, roles,
// managed policies, access keys and sessions; the IAM and STS query APIs; and
// Authorize, the one door through which every service decides every request.
//
// # Entry points
//
//   - [Service.Authenticate] turns a request's signature into a [Caller].
//   - [Service.Authorize] decides what a Caller may do, and shows every decision to
//     the Caller's observers ([Caller.Observed]).
//   - [Service.AssumeServiceRole] gives an AWS service the session of a role.
//   - [Service.Serve] answers IAM and STS requests.
//   - [Service.PrincipalID] and [Service.ParsePolicy] serve the services that store
//     resource policies.
//
// # Accounts
//
// Accounts need no creation. The access key id "test" is the root of 000000000000, and
// a 12-digit access key id is the root of the account of that number; both have
// [Config.RootSecret] as secret. Users' keys (AKIA…) come from CreateAccessKey, temporary
// ones (ASIA…) from STS.
//
// # State
//
// Every record is written through to the engine before a call is answered. An image of
// all records is kept in memory: it is loaded by Open and belongs to one process. The
// entities in it are immutable; a change replaces them. What an authorization needs of
// a principal (its policies, parsed) is cached until the next change of any policy.
//
// # Enforcement and organizations
//
// A denial is a decision; whether it stops anything is [Config.Enforce]: [Strict], [Soft]
// (decided, logged, counted, shown and let through) or [Off]. Services therefore ask
// [policy.Decision.Permitted]. An [Organization] puts service and resource control
// policies over the accounts; Authorize adds them to every decision.
//
// # Adding an operation
//
// Add a row to the table in operations.go: the row names what is authorized, and the
// text that denials show. Handlers return a result and an error; serve.go does the rest.
// Operations that are not built stand in operations_refused.go and answer 501.
//
// # Federation
//
// AssumeRoleWithWebIdentity believes tokens of the issuers in [Config.Issuers], whose
// public keys are given there: nothing is fetched. As on AWS, the role's account needs an
// OpenID Connect provider for the issuer.
//
// # Non-goals
//
// SAML, MFA, passwords, certificates and access reports are refused. Nothing is eventually
// consistent: a change holds from the next request on.
package iamsim
