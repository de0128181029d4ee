// Package jwt verifies signed JSON Web Tokens in compact form (RFC 7515, 7518, 7519) with
// RSA and ECDSA keys, from a JSON Web Key Set or from PEM.
//
//	keys, err := jwt.ParseKeys(file)
//	token, err := jwt.Parse(text)
//	err = token.Verify(keys)
//
// Parse bounds what it reads and believes nothing; until Verify has succeeded the claims
// are only what somebody says. Expiry, audience and issuer are the caller's to check,
// because they need a clock and a policy. Encrypted tokens, the "none" algorithm,
// symmetric algorithms and critical header extensions are refused.
package jwt
