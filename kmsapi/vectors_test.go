package kmsapi

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// These tests run published vectors through the same functions that answer Sign, Verify,
// GenerateMac and Decrypt. The libraries have their own tests; what is proven here is
// that KMS's algorithm names mean these primitives, with these parameters.

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHMACVectors are cases of RFC 4231.
func TestHMACVectors(t *testing.T) {
	for _, tt := range []struct {
		key, data string
		macs      [4]string
	}{
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265", [4]string{
			"896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
			"afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
			"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
		{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", [4]string{
			"a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
			"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
	} {
		for i, algorithm := range []string{"HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"} {
			if got := hex.EncodeToString(macOf(algorithm, unhex(t, tt.key), unhex(t, tt.data))); got != tt.macs[i] {
				t.Errorf("%s: %s, want %s", algorithm, got, tt.macs[i])
			}
		}
	}
}

// TestEd25519Vectors are the first three of RFC 8032, section 7.1.
func TestEd25519Vectors(t *testing.T) {
	for _, tt := range []struct{ seed, message, signature string }{
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	} {
		pair := ed25519Pair{ed25519.NewKeyFromSeed(unhex(t, tt.seed))}
		input, err := signingInput(algEd25519, messageRaw, unhex(t, tt.message))
		if err != nil {
			t.Fatal(err)
		}
		got, err := pair.sign(nil, algEd25519, input)
		if err != nil || hex.EncodeToString(got) != tt.signature {
			t.Errorf("%x, %v; want %s", got, err, tt.signature)
		}
		if !pair.verify(algEd25519, input, got) || pair.verify(algEd25519, append([]byte("x"), input...), got) {
			t.Error("verified wrongly")
		}
	}
}

// TestEd25519phVector is the one of RFC 8032, section 7.3. KMS hashes what it is given
// once more, so the vector's message is not one that KMS would be given; its digest is.
func TestEd25519phVector(t *testing.T) {
	pair := ed25519Pair{ed25519.NewKeyFromSeed(unhex(t, "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"))}
	want := "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
	input := digest(crypto.SHA512, []byte("abc"))
	got, err := pair.sign(nil, algEd25519ph, input)
	if err != nil || hex.EncodeToString(got) != want || !pair.verify(algEd25519ph, input, got) {
		t.Errorf("%x, %v; want %s", got, err, want)
	}
}

// TestDeterministicECDSA are vectors of RFC 6979, appendix A.2, and for secp256k1 the
// well-known one of key 1 and the name of Bitcoin's inventor. Signatures on the curves of
// the standard library are randomized, so these are verified only.
func TestDeterministicECDSA(t *testing.T) {
	nist := func(curve elliptic.Curve, d string) keyPair {
		private, err := ecdsa.ParseRawPrivateKey(curve, unhex(t, d))
		if err != nil {
			t.Fatal(err)
		}
		return &nistPair{private}
	}
	for _, tt := range []struct {
		algorithm  string
		pair       keyPair
		text, r, s string
	}{
		{"ECDSA_SHA_256", nist(elliptic.P256(), "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"), "sample",
			"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716", "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
		{"ECDSA_SHA_384", nist(elliptic.P384(), "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5"), "sample",
			"94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
			"99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"},
		{"ECDSA_SHA_512", nist(elliptic.P521(), "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538"), "sample",
			"00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
			"00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A"},
		{"ECDSA_SHA_256", newSecp256k1Pair(secp256k1.PrivKeyFromBytes([]byte{1})), "Satoshi Nakamoto",
			"934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8", "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"},
	} {
		input, err := signingInput(tt.algorithm, messageRaw, []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		want := signatureOf(t, tt.r, tt.s)
		if !tt.pair.verify(tt.algorithm, input, want) {
			t.Errorf("%s of %q does not verify", tt.algorithm, tt.text)
		}
		if _, deterministic := tt.pair.(*secp256k1Pair); deterministic {
			if got, err := tt.pair.sign(nil, tt.algorithm, input); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s of %q: %x, %v; want %x", tt.algorithm, tt.text, got, err, want)
			}
		}
	}
}

// signatureOf encodes r and s as KMS does.
func signatureOf(t testing.TB, r, s string) []byte {
	t.Helper()
	number := func(text string) *big.Int { return new(big.Int).SetBytes(unhex(t, text)) }
	b, err := asn1.Marshal(struct{ R, S *big.Int }{number(r), number(s)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNISTECDSA runs NIST's verification vectors, among them changed messages,
// signatures and keys.
func TestNISTECDSA(t *testing.T) {
	f, err := os.Open("testdata/nist_ecdsa.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	curves := map[string]elliptic.Curve{"[P-256,SHA-256]": elliptic.P256(), "[P-384,SHA-384]": elliptic.P384(), "[P-521,SHA-512]": elliptic.P521()}
	var section string
	fields := map[string]string{}
	valid, invalid := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		name, value, ok := strings.Cut(line, " = ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if fields[name] = value; name != "Result" {
			continue
		}
		want := strings.HasPrefix(value, "P")
		if got := verifyNIST(t, curves[section], "ECDSA_SHA_"+section[len(section)-4:len(section)-1], fields); got != want {
			t.Errorf("%s: verified %v, want %s of %v", section, got, value, fields)
		}
		if want {
			valid++
		} else {
			invalid++
		}
	}
	if valid < 6 || invalid < 20 {
		t.Errorf("only %d valid and %d invalid vectors", valid, invalid)
	}
}

func verifyNIST(t *testing.T, curve elliptic.Curve, algorithm string, fields map[string]string) bool {
	t.Helper()
	size := (curve.Params().BitSize + 7) / 8
	point := []byte{4}
	for _, name := range []string{"Qx", "Qy"} {
		point = append(point, new(big.Int).SetBytes(unhex(t, even(fields[name]))).FillBytes(make([]byte, size))...)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return false // a key that is not on its curve
	}
	input, err := signingInput(algorithm, messageRaw, unhex(t, fields["Msg"]))
	if err != nil {
		t.Fatal(err)
	}
	pair := &nistPair{&ecdsa.PrivateKey{PublicKey: *public}}
	return pair.verify(algorithm, input, signatureOf(t, even(fields["R"]), even(fields["S"])))
}

func even(digits string) string {
	if len(digits)%2 == 1 {
		return "0" + digits
	}
	return digits
}

// TestWycheproof runs vectors of Project Wycheproof: signatures and ciphertexts that a
// careless implementation accepts. What they call acceptable, such as a missing NULL, is
// refused.
func TestWycheproof(t *testing.T) {
	var file struct {
		Groups []struct {
			Algorithm, File, Key string
			Tests                []struct {
				ID                          int
				Comment, Msg, Value, Result string
			}
		}
	}
	b, err := os.ReadFile("testdata/wycheproof.json")
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, g := range file.Groups {
		pair := wycheproofKey(t, unhex(t, g.Key))
		for _, tt := range g.Tests {
			seen++
			message, value := unhex(t, tt.Msg), unhex(t, tt.Value)
			var got bool
			if p, ok := pair.(*rsaPair); ok && strings.HasPrefix(g.Algorithm, "RSAES_") {
				plain, err := p.decrypt(g.Algorithm, value)
				got = err == nil && bytes.Equal(plain, message)
			} else {
				input, err := signingInput(g.Algorithm, messageRaw, message)
				if err != nil {
					t.Fatal(err)
				}
				got = pair.verify(g.Algorithm, input, value)
			}
			if got != (tt.Result == "valid") {
				t.Errorf("%s %d, %s: %v, want %s", g.File, tt.ID, tt.Comment, got, tt.Result)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d vectors", seen)
	}
}

// wycheproofKey is an RSA private key in PKCS #8, or the public key of secp256k1.
func wycheproofKey(t *testing.T, der []byte) keyPair {
	t.Helper()
	spec, _ := specOf("RSA_2048")
	if pair, err := parsePrivateKey(&spec, der); err == nil {
		return pair
	}
	var info subjectPublicKeyInfo
	if err := unmarshalAll(der, &info); err != nil {
		t.Fatal(err)
	}
	point, err := secp256k1.ParsePubKey(info.PublicKey.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &secp256k1Pair{point: point}
}
