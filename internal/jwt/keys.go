package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of algorithmOf
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
)

// algorithm is a signature algorithm of RFC 7518: RSA with PKCS #1 v1.5, or ECDSA on a curve.
type algorithm struct {
	hash  crypto.Hash
	curve elliptic.Curve // nil: RSA
}

func algorithmOf(name string) (algorithm, bool) {
	switch name {
	case "RS256":
		return algorithm{crypto.SHA256, nil}, true
	case "RS384":
		return algorithm{crypto.SHA384, nil}, true
	case "RS512":
		return algorithm{crypto.SHA512, nil}, true
	case "ES256":
		return algorithm{crypto.SHA256, elliptic.P256()}, true
	case "ES384":
		return algorithm{crypto.SHA384, elliptic.P384()}, true
	case "ES512":
		return algorithm{crypto.SHA512, elliptic.P521()}, true
	}
	return algorithm{}, false
}

func (a algorithm) sum(text string) []byte {
	h := a.hash.New()
	h.Write([]byte(text)) // a hash's writes don't fail
	return h.Sum(nil)
}

// Sizes of RSA keys in bits that are taken.
const (
	shortestRSA = 2048
	longestRSA  = 8192
)

// Errors of Verify.
var (
	ErrAlgorithm  = errors.New("jwt: the token's algorithm is none of RS256, RS384, RS512, ES256, ES384 and ES512")
	ErrUnknownKey = errors.New("jwt: no key fits the token's algorithm and key id")
	ErrSignature  = errors.New("jwt: the signature is wrong")
)

// Keys are an issuer's public keys.
type Keys []key

type key struct {
	id     string // "": it may be behind any key id
	public crypto.PublicKey
}

// ParseKeys reads a JSON Web Key Set or PEM blocks (public keys and certificates).
// Keys for other purposes and algorithms are left out; having none left is an error.
func ParseKeys(b []byte) (Keys, error) {
	var keys Keys
	var err error
	if block, _ := pem.Decode(b); block != nil {
		keys, err = parsePEM(b)
	} else {
		keys, err = parseSet(b)
	}
	if err == nil && len(keys) == 0 {
		err = errors.New("no RSA key of 2048 to 8192 bits and no P-256, P-384 or P-521 key in it")
	}
	if err != nil {
		return nil, fmt.Errorf("jwt: keys: %w", err)
	}
	return keys, nil
}

func parsePEM(b []byte) (Keys, error) {
	var keys Keys
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		public, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", block.Type, err)
		}
		keys = keys.with("", public)
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return c.PublicKey, nil
	}
	return nil, errors.New("neither a public key nor a certificate")
}

// webKey is one key of a set (RFC 7517).
type webKey struct {
	Type  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

func parseSet(b []byte) (Keys, error) {
	var set struct {
		Keys []webKey `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("neither PEM nor a JSON Web Key Set: %w", err)
	}
	var keys Keys
	for i, k := range set.Keys {
		if k.Use != "" && k.Use != "sig" {
			continue
		}
		public, err := k.public()
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = keys.with(k.ID, public)
	}
	return keys, nil
}

// public makes the key; nil for kinds that are not used here.
func (k *webKey) public() (crypto.PublicKey, error) {
	switch {
	case k.Type == "RSA":
		n, errN := base64.RawURLEncoding.DecodeString(k.N)
		e, errE := base64.RawURLEncoding.DecodeString(k.E)
		if errN != nil || errE != nil || len(e) == 0 || len(e) > 4 {
			return nil, errors.New("bad RSA modulus or exponent")
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	case k.Type == "EC":
		curve := curveOf(k.Curve)
		if curve == nil {
			return nil, nil
		}
		x, errX := base64.RawURLEncoding.DecodeString(k.X)
		y, errY := base64.RawURLEncoding.DecodeString(k.Y)
		if errX != nil || errY != nil || len(x) != coordinate(curve) || len(y) != coordinate(curve) {
			return nil, errors.New("bad coordinates")
		}
		return ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
	}
	return nil, nil
}

func curveOf(name string) elliptic.Curve {
	for _, c := range [...]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if c.Params().Name == name {
			return c
		}
	}
	return nil
}

// coordinate is the length of a coordinate in bytes.
func coordinate(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }

// with adds a key if it is of a kind and size that Verify takes.
func (keys Keys) with(id string, public crypto.PublicKey) Keys {
	switch p := public.(type) {
	case *rsa.PublicKey:
		if n := p.N.BitLen(); n < shortestRSA || n > longestRSA {
			return keys
		}
	case *ecdsa.PublicKey:
		if curveOf(p.Params().Name) == nil {
			return keys
		}
	default:
		return keys
	}
	return append(keys, key{id, public})
}

// Verify checks the signature: ErrAlgorithm, ErrUnknownKey or ErrSignature.
func (t *Token) Verify(keys Keys) error {
	a, ok := algorithmOf(t.algorithm)
	if !ok {
		return ErrAlgorithm
	}
	sum := a.sum(t.signed)
	tried := false
	for _, k := range keys {
		if k.id != "" && t.keyID != "" && k.id != t.keyID || !a.takes(k.public) {
			continue
		}
		if tried = true; a.verifies(k.public, sum, t.signature) {
			return nil
		}
	}
	if !tried {
		return ErrUnknownKey
	}
	return ErrSignature
}

// takes reports whether the algorithm works with a key. A key can't be made to serve
// another algorithm than its own kind's.
func (a algorithm) takes(public crypto.PublicKey) bool {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return a.curve == nil
	case *ecdsa.PublicKey:
		return a.curve == p.Curve
	}
	return false
}

func (a algorithm) verifies(public crypto.PublicKey, sum, signature []byte) bool {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(p, a.hash, sum, signature) == nil
	case *ecdsa.PublicKey:
		// Two numbers, each as long as a coordinate (RFC 7518, section 3.4).
		n := coordinate(p.Curve)
		if len(signature) != 2*n {
			return false
		}
		return ecdsa.Verify(p, sum, new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
	}
	return false
}
