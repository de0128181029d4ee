package kmsapi

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
)

// keyPair is asymmetric material ready for use.
type keyPair interface {
	// public is the public key as SubjectPublicKeyInfo in DER.
	public() ([]byte, error)
	// sign signs what signingInput made of a message, with an algorithm of the key's spec.
	sign(random io.Reader, algorithm string, input []byte) ([]byte, error)
	verify(algorithm string, input, signature []byte) bool
}

// errPrivateKey is a private key of another kind than the key's spec.
var errPrivateKey = errors.New("kmsapi: not a private key of this key spec")

// newPrivateKey makes a private key of an asymmetric spec, as PKCS #8.
func newPrivateKey(random io.Reader, spec *keySpec) (secret, error) {
	var private any
	var err error
	switch spec.family {
	case rsaFamily:
		private, err = rsa.GenerateKey(random, spec.bits)
	case nistFamily:
		curve, _ := spec.curves()
		private, err = ecdsa.GenerateKey(curve, random)
	case ed25519Family:
		_, private, err = ed25519.GenerateKey(random)
	case secp256k1Family:
		return newSecp256k1(random)
	default:
		panic("kmsapi: " + spec.name + " has no private key")
	}
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

// parsePrivateKey reads a PKCS #8 private key of exactly this spec. Nothing may follow
// it. The bytes may come from outside: they can be imported.
func parsePrivateKey(spec *keySpec, der secret) (keyPair, error) {
	if spec.family == secp256k1Family {
		return parseSecp256k1(der)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPrivateKey, err)
	}
	switch p := private.(type) {
	case *rsa.PrivateKey:
		if spec.family == rsaFamily && p.N.BitLen() == spec.bits {
			return &rsaPair{p}, nil
		}
	case *ecdsa.PrivateKey:
		if spec.family != nistFamily {
			break
		}
		if curve, _ := spec.curves(); p.Curve == curve {
			return &nistPair{p}, nil
		}
	case ed25519.PrivateKey:
		if spec.family == ed25519Family {
			return ed25519Pair{p}, nil
		}
	}
	return nil, errPrivateKey
}

// canonicalPrivateKey parses a private key and writes it anew, so that the same key has
// the same bytes, and material id, however its owner encoded it.
func canonicalPrivateKey(spec *keySpec, der secret) (secret, error) {
	pair, err := parsePrivateKey(spec, der)
	if err != nil {
		return nil, err
	}
	switch p := pair.(type) {
	case *rsaPair:
		return x509.MarshalPKCS8PrivateKey(p.private)
	case *nistPair:
		return x509.MarshalPKCS8PrivateKey(p.private)
	case ed25519Pair:
		return x509.MarshalPKCS8PrivateKey(p.private)
	case *secp256k1Pair:
		return p.marshal()
	}
	panic(fmt.Sprintf("kmsapi: %T has no PKCS #8 form", pair))
}

// rsaPair is the material of an RSA key.
type rsaPair struct{ private *rsa.PrivateKey }

func (p *rsaPair) public() ([]byte, error) { return x509.MarshalPKIXPublicKey(p.private.Public()) }

// isPSS tells the two paddings of RSA signatures apart. The salt of PSS is as long as
// the digest (K29).
func isPSS(algorithm string) bool { return algorithm[:len("RSASSA_PSS")] == "RSASSA_PSS" }

func pssOptions(hash crypto.Hash) *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
}

func (p *rsaPair) sign(random io.Reader, algorithm string, digest []byte) ([]byte, error) {
	hash := hashOf(algorithm)
	if isPSS(algorithm) {
		return rsa.SignPSS(random, p.private, hash, digest, pssOptions(hash))
	}
	return rsa.SignPKCS1v15(nil, p.private, hash, digest)
}

func (p *rsaPair) verify(algorithm string, digest, signature []byte) bool {
	hash := hashOf(algorithm)
	if isPSS(algorithm) {
		return rsa.VerifyPSS(&p.private.PublicKey, hash, digest, signature, pssOptions(hash)) == nil
	}
	return rsa.VerifyPKCS1v15(&p.private.PublicKey, hash, digest, signature) == nil
}

// most is how many bytes an algorithm can encrypt: what OAEP leaves of the modulus (K88).
func (p *rsaPair) most(algorithm string) int {
	return p.private.Size() - 2*hashOf(algorithm).Size() - 2
}

func (p *rsaPair) encrypt(random io.Reader, algorithm string, plaintext []byte) ([]byte, error) {
	return rsa.EncryptOAEP(hashOf(algorithm).New(), random, &p.private.PublicKey, plaintext, nil)
}

func (p *rsaPair) decrypt(algorithm string, ciphertext []byte) ([]byte, error) {
	return rsa.DecryptOAEP(hashOf(algorithm).New(), nil, p.private, ciphertext, nil)
}

// nistPair is the material of an elliptic curve key of the standard library.
type nistPair struct{ private *ecdsa.PrivateKey }

func (p *nistPair) public() ([]byte, error) { return x509.MarshalPKIXPublicKey(p.private.Public()) }

func (p *nistPair) sign(random io.Reader, _ string, digest []byte) ([]byte, error) {
	return ecdsa.SignASN1(random, p.private, digest)
}

func (p *nistPair) verify(_ string, digest, signature []byte) bool {
	return ecdsa.VerifyASN1(&p.private.PublicKey, digest, signature)
}

// agree derives the shared secret with a peer's public key in DER, which must be on the
// same curve.
func (p *nistPair) agree(peer []byte) ([]byte, error) {
	public, err := x509.ParsePKIXPublicKey(peer)
	if err != nil {
		return nil, err
	}
	theirs, ok := public.(*ecdsa.PublicKey)
	if !ok || theirs.Curve != p.private.Curve {
		return nil, errors.New("kmsapi: the peer's key is not on the same curve")
	}
	// The parser takes bytes after the key's end for part of nothing; AWS takes DER.
	if again, err := x509.MarshalPKIXPublicKey(theirs); err != nil || !bytes.Equal(again, peer) {
		return nil, errors.Join(errors.New("kmsapi: the peer's key is not in DER"), err)
	}
	ours, err := p.private.ECDH()
	if err != nil {
		return nil, err
	}
	remote, err := theirs.ECDH()
	if err != nil {
		return nil, err
	}
	return ours.ECDH(remote)
}

// ed25519Pair is the material of an Ed25519 key.
type ed25519Pair struct{ private ed25519.PrivateKey }

func (p ed25519Pair) public() ([]byte, error) { return x509.MarshalPKIXPublicKey(p.private.Public()) }

// ed25519Options are those of plain Ed25519, or of Ed25519ph, whose input is a digest.
func ed25519Options(algorithm string) *ed25519.Options {
	if algorithm == algEd25519ph {
		return &ed25519.Options{Hash: crypto.SHA512}
	}
	return &ed25519.Options{}
}

func (p ed25519Pair) sign(_ io.Reader, algorithm string, input []byte) ([]byte, error) {
	return p.private.Sign(nil, input, ed25519Options(algorithm))
}

func (p ed25519Pair) verify(algorithm string, input, signature []byte) bool {
	public, ok := p.private.Public().(ed25519.PublicKey)
	return ok && ed25519.VerifyWithOptions(public, input, signature, ed25519Options(algorithm)) == nil
}
