package kmsapi

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// The standard library has no secp256k1: curve and signatures come from the library of
// Decred, the containers around the keys stand here (RFC 5208, RFC 5915, RFC 5480).

var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSecp256k1   = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// curveIdentifier is the AlgorithmIdentifier of a key on a named curve.
type curveIdentifier struct {
	Algorithm asn1.ObjectIdentifier
	Curve     asn1.ObjectIdentifier
}

// subjectPublicKeyInfo is the container of a public key.
type subjectPublicKeyInfo struct {
	Algorithm curveIdentifier
	PublicKey asn1.BitString
}

// privateKeyInfo is the container of a private key, PKCS #8.
type privateKeyInfo struct {
	Version    int
	Algorithm  curveIdentifier
	PrivateKey []byte
}

// ecPrivateKey is what it contains.
type ecPrivateKey struct {
	Version    int
	PrivateKey []byte
	Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

// secp256k1Pair is the material of an ECC_SECG_P256K1 key.
type secp256k1Pair struct {
	private *secp256k1.PrivateKey
	point   *secp256k1.PublicKey
}

func newSecp256k1Pair(private *secp256k1.PrivateKey) *secp256k1Pair {
	return &secp256k1Pair{private, private.PubKey()}
}

// newSecp256k1 makes a private key, as PKCS #8.
func newSecp256k1(random io.Reader) (secret, error) {
	private, err := secp256k1.GeneratePrivateKeyFromRand(random)
	if err != nil {
		return nil, err
	}
	return newSecp256k1Pair(private).marshal()
}

// parseSecp256k1 reads a private key in PKCS #8. Its public key, if it carries one,
// must be the right one.
func parseSecp256k1(der []byte) (*secp256k1Pair, error) {
	var outer privateKeyInfo
	var inner ecPrivateKey
	if err := unmarshalAll(der, &outer); err != nil {
		return nil, err
	}
	if !outer.Algorithm.Algorithm.Equal(oidECPublicKey) || !outer.Algorithm.Curve.Equal(oidSecp256k1) {
		return nil, errPrivateKey
	}
	if err := unmarshalAll(outer.PrivateKey, &inner); err != nil {
		return nil, err
	}
	var scalar secp256k1.ModNScalar
	if inner.Version != 1 || len(inner.PrivateKey) != 32 || scalar.SetByteSlice(inner.PrivateKey) || scalar.IsZero() ||
		len(inner.Curve) > 0 && !inner.Curve.Equal(oidSecp256k1) {
		return nil, errPrivateKey
	}
	p := newSecp256k1Pair(secp256k1.NewPrivateKey(&scalar))
	if given := inner.PublicKey.Bytes; len(given) > 0 && !bytes.Equal(given, p.point.SerializeUncompressed()) {
		return nil, errPrivateKey
	}
	return p, nil
}

// unmarshalAll parses DER that ends where the value ends.
func unmarshalAll(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return fmt.Errorf("%w: %w", errPrivateKey, err)
	}
	if len(rest) > 0 {
		return errPrivateKey
	}
	return nil
}

func (p *secp256k1Pair) marshal() (secret, error) {
	inner, err := asn1.Marshal(ecPrivateKey{Version: 1, PrivateKey: p.private.Serialize(), PublicKey: p.bits()})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(privateKeyInfo{0, curveIdentifier{oidECPublicKey, oidSecp256k1}, inner})
}

func (p *secp256k1Pair) public() ([]byte, error) {
	return asn1.Marshal(subjectPublicKeyInfo{curveIdentifier{oidECPublicKey, oidSecp256k1}, p.bits()})
}

// bits is the public key, uncompressed.
func (p *secp256k1Pair) bits() asn1.BitString {
	b := p.point.SerializeUncompressed()
	return asn1.BitString{Bytes: b, BitLength: 8 * len(b)}
}

func (p *secp256k1Pair) sign(_ io.Reader, _ string, digest []byte) ([]byte, error) {
	return ecdsa.Sign(p.private, digest).Serialize(), nil
}

func (p *secp256k1Pair) verify(_ string, digest, signature []byte) bool {
	s, err := ecdsa.ParseDERSignature(signature)
	return err == nil && s.Verify(digest, p.point)
}
