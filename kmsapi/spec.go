package kmsapi

import (
	"crypto"
	"crypto/ecdh"
	"crypto/elliptic"
	"slices"
	"strings"
)

// Values of KeyUsage.
const (
	usageEncryptDecrypt = "ENCRYPT_DECRYPT"
	usageSignVerify     = "SIGN_VERIFY"
	usageMAC            = "GENERATE_VERIFY_MAC"
	usageKeyAgreement   = "KEY_AGREEMENT"
	usageEncapsulate    = "ENCAPSULATE_DECAPSULATE"
)

// Key specs that code elsewhere asks for by name.
const (
	specSymmetric = "SYMMETRIC_DEFAULT"
	specSecp256k1 = "ECC_SECG_P256K1"
	specEd25519   = "ECC_NIST_EDWARDS25519"
)

// Algorithms that code elsewhere asks for by name.
const (
	algSymmetric = "SYMMETRIC_DEFAULT"
	algOAEP1     = "RSAES_OAEP_SHA_1"
	algOAEP256   = "RSAES_OAEP_SHA_256"
	algEd25519   = "ED25519_SHA_512"
	algEd25519ph = "ED25519_PH_SHA_512"
	algECDH      = "ECDH"
)

// Request quotas that several operations share (K70).
const (
	quotaSymmetric = "symmetric"
	quotaRSA       = "rsa"
	quotaECC       = "ecc"
	quotaMLDSA     = "ml-dsa"
)

// family is what the key material of a spec is made of.
type family int

const (
	unsupportedFamily family = iota
	aesFamily
	rsaFamily
	nistFamily // elliptic curves of the standard library
	secp256k1Family
	ed25519Family
	hmacFamily
)

// keySpec is one kind of key material, and what keys of it can do (K29).
type keySpec struct {
	name   string
	family family
	usages []string
	// algorithms by usage, as KeyMetadata lists them.
	algorithms map[string][]string
	// bits is the size of an RSA modulus or of a HMAC key.
	bits int
	// why a spec that AWS has is refused here.
	why string
}

// specOf finds a spec by its name.
func specOf(name string) (keySpec, bool) {
	all := keySpecs()
	i := slices.IndexFunc(all, func(s keySpec) bool { return s.name == name })
	if i < 0 {
		return keySpec{}, false
	}
	return all[i], true
}

// keySpecs lists every spec of AWS, the refused ones included.
func keySpecs() []keySpec {
	signing := func(algorithms ...string) map[string][]string {
		return map[string][]string{usageSignVerify: algorithms}
	}
	rsa := func(name string, bits int) keySpec {
		return keySpec{name: name, family: rsaFamily, bits: bits, usages: []string{usageEncryptDecrypt, usageSignVerify},
			algorithms: map[string][]string{
				usageEncryptDecrypt: {algOAEP1, algOAEP256},
				usageSignVerify: {"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
					"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"},
			}}
	}
	nist := func(name, algorithm string) keySpec {
		return keySpec{name: name, family: nistFamily, usages: []string{usageSignVerify, usageKeyAgreement},
			algorithms: map[string][]string{usageSignVerify: {algorithm}, usageKeyAgreement: {algECDH}}}
	}
	hmac := func(name, algorithm string, bits int) keySpec {
		return keySpec{name: name, family: hmacFamily, bits: bits, usages: []string{usageMAC},
			algorithms: map[string][]string{usageMAC: {algorithm}}}
	}
	const (
		noMLDSA = "Go's standard library has no ML-DSA"
		noMLKEM = "key encapsulation is not emulated"
	)
	return []keySpec{
		{name: specSymmetric, family: aesFamily, usages: []string{usageEncryptDecrypt},
			algorithms: map[string][]string{usageEncryptDecrypt: {algSymmetric}}},
		rsa("RSA_2048", 2048), rsa("RSA_3072", 3072), rsa("RSA_4096", 4096),
		nist("ECC_NIST_P256", "ECDSA_SHA_256"), nist("ECC_NIST_P384", "ECDSA_SHA_384"), nist("ECC_NIST_P521", "ECDSA_SHA_512"),
		{name: specSecp256k1, family: secp256k1Family, usages: []string{usageSignVerify}, algorithms: signing("ECDSA_SHA_256")},
		{name: specEd25519, family: ed25519Family, usages: []string{usageSignVerify}, algorithms: signing(algEd25519, algEd25519ph)},
		hmac("HMAC_224", "HMAC_SHA_224", 224), hmac("HMAC_256", "HMAC_SHA_256", 256),
		hmac("HMAC_384", "HMAC_SHA_384", 384), hmac("HMAC_512", "HMAC_SHA_512", 512),
		{name: "ML_DSA_44", usages: []string{usageSignVerify}, why: noMLDSA},
		{name: "ML_DSA_65", usages: []string{usageSignVerify}, why: noMLDSA},
		{name: "ML_DSA_87", usages: []string{usageSignVerify}, why: noMLDSA},
		{name: "ML_KEM_512", usages: []string{usageEncapsulate}, why: noMLKEM},
		{name: "ML_KEM_768", usages: []string{usageEncapsulate}, why: noMLKEM},
		{name: "ML_KEM_1024", usages: []string{usageEncapsulate}, why: noMLKEM},
		{name: "SM2", usages: []string{usageEncryptDecrypt, usageSignVerify, usageKeyAgreement}, why: "AWS has it in its Regions in China only"},
	}
}

// keyPairSpecs are the specs of GenerateDataKeyPair, in the order of the model.
func keyPairSpecs() []string {
	return []string{"RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", specSecp256k1, "SM2", specEd25519}
}

// symmetric reports whether keys of the spec encrypt with AES and can have several
// materials; asymmetric, whether they have a public key.
func (s *keySpec) symmetric() bool  { return s.family == aesFamily }
func (s *keySpec) asymmetric() bool { return s.family != aesFamily && s.family != hmacFamily }

// curves of a spec of the nistFamily, for signatures and for key agreement.
func (s *keySpec) curves() (elliptic.Curve, ecdh.Curve) {
	switch s.name {
	case "ECC_NIST_P256":
		return elliptic.P256(), ecdh.P256()
	case "ECC_NIST_P384":
		return elliptic.P384(), ecdh.P384()
	case "ECC_NIST_P521":
		return elliptic.P521(), ecdh.P521()
	}
	panic("kmsapi: " + s.name + " is no curve of the standard library")
}

// hashOf is the hash function that the name of an algorithm ends with.
func hashOf(algorithm string) crypto.Hash {
	switch algorithm[strings.LastIndexByte(algorithm, '_')+1:] {
	case "1":
		return crypto.SHA1
	case "224":
		return crypto.SHA224
	case "256":
		return crypto.SHA256
	case "384":
		return crypto.SHA384
	case "512":
		return crypto.SHA512
	}
	panic("kmsapi: " + algorithm + " names no hash function")
}

// quotaOf is the request quota that cryptographic operations with an algorithm share
// (K70). It goes by the request, so that it is known before the key is.
func quotaOf(algorithm string) string {
	switch {
	case strings.HasPrefix(algorithm, "RSA"):
		return quotaRSA
	case strings.HasPrefix(algorithm, "ML_DSA"):
		return quotaMLDSA
	case strings.HasPrefix(algorithm, "EC"), strings.HasPrefix(algorithm, "ED25519"), strings.HasPrefix(algorithm, "SM2"):
		return quotaECC
	}
	return quotaSymmetric
}
