// Package policy parses, validates, evaluates and explains AWS policy documents.
//
// It is pure: no I/O, no clock, no state. Parse once, evaluate many: a [Document]
// is immutable and safe for concurrent use.
//
//   - [Parse] reads a text strictly and keeps the line and column of every statement and value.
//   - [ValidateIdentity], [ValidateTrust], [ValidateBucket], [ValidateKey], [ValidateSession],
//     [ValidateSCP] and [ValidateRCP] apply the checks of the service that stores the policy, in its order and with its
//     exact codes and messages, and add the place of the fault.
//   - [Evaluate] decides one [Input] and returns a [Decision]: the deciding statement, every
//     layer's verdict, the near misses of an implicit deny, and the context. It never fails:
//     what Parse accepted can be evaluated. [Matches], [Missing] and [ContextKeys] show more of
//     the same request, and [Simulate] decides one that is given as texts.
//   - [Lint] finds what AWS would refuse and what could never match, with the fix.
//   - [Generate] writes the smallest policy for permissions that were used.
//   - [IsPublic], [ActionKnown] and [CanonicalAction] answer what services ask besides.
//
// The caller of this package resolves everything that needs state: which policies apply,
// which grants match, which ids the principals of a stored policy are pinned to
// ([Document.PrincipalARNs] lists them at save time, [Source.Pins] brings them back).
//
// Not here: ACLs, VPC endpoint policies, KMS's lockout check and key states, and the
// services' own renderings of a denial, for which [Decision.Reason] is the common part.
package policy
