package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var b64 = base64.RawURLEncoding

// issuer signs tokens in tests.
type issuer struct {
	rsa *rsa.PrivateKey
	ec  map[string]*ecdsa.PrivateKey // by curve
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{r, map[string]*ecdsa.PrivateKey{}}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if i.ec[c.Params().Name], err = ecdsa.GenerateKey(c, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func (i *issuer) sign(t testing.TB, header, claims string) string {
	t.Helper()
	signed := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
	_, name, _ := strings.Cut(header, `"alg":"`)
	a, ok := algorithmOf(name[:5])
	if !ok {
		a = algorithm{crypto.SHA256, nil}
	}
	var signature []byte
	if a.curve != nil {
		private := i.ec[a.curve.Params().Name]
		r, s, err := ecdsa.Sign(rand.Reader, private, a.sum(signed))
		if err != nil {
			t.Fatal(err)
		}
		n := coordinate(a.curve)
		signature = append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
	} else {
		var err error
		if signature, err = rsa.SignPKCS1v15(nil, i.rsa, a.hash, a.sum(signed)); err != nil {
			t.Fatal(err)
		}
	}
	return signed + "." + b64.EncodeToString(signature)
}

// set is the issuer's JSON Web Key Set.
func (i *issuer) set(t testing.TB) []byte {
	t.Helper()
	set := []webKey{
		{Type: "RSA", ID: "r", Use: "sig", N: b64.EncodeToString(i.rsa.N.Bytes()), E: b64.EncodeToString(big.NewInt(int64(i.rsa.E)).Bytes())},
		{Type: "oct", ID: "s"},
		{Type: "EC", Curve: "secp256k1"},
		{Type: "RSA", ID: "enc", Use: "enc"},
	}
	for name, private := range i.ec {
		point, err := private.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		n := len(point) / 2
		set = append(set, webKey{Type: "EC", ID: name, Curve: name, X: b64.EncodeToString(point[1 : 1+n]), Y: b64.EncodeToString(point[1+n:])})
	}
	b, err := json.Marshal(map[string]any{"keys": set})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (i *issuer) pem(t testing.TB) []byte {
	t.Helper()
	var out []byte
	for _, public := range []any{&i.rsa.PublicKey, &i.ec["P-256"].PublicKey, &i.ec["P-384"].PublicKey, &i.ec["P-521"].PublicKey} {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&i.rsa.PublicKey)})...)
}

func keysOf(t testing.TB, b []byte) Keys {
	t.Helper()
	keys, err := ParseKeys(b)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// as gives a token another header.
func as(token, header string) string {
	_, rest, _ := strings.Cut(token, ".")
	return b64.EncodeToString([]byte(header)) + "." + rest
}

func TestVerify(t *testing.T) {
	mine, other := newIssuer(t), newIssuer(t)
	for _, keys := range []Keys{keysOf(t, mine.set(t)), keysOf(t, mine.pem(t))} {
		for _, tc := range []struct {
			name  string
			token string
			want  error
		}{
			{"RS256", mine.sign(t, `{"alg":"RS256","kid":"r"}`, `{}`), nil},
			{"RS256 without key id", mine.sign(t, `{"alg":"RS256"}`, `{}`), nil},
			{"RS384", mine.sign(t, `{"alg":"RS384"}`, `{}`), nil},
			{"RS512", mine.sign(t, `{"alg":"RS512"}`, `{}`), nil},
			{"ES256", mine.sign(t, `{"alg":"ES256","kid":"P-256"}`, `{}`), nil},
			{"ES384", mine.sign(t, `{"alg":"ES384","kid":"P-384"}`, `{}`), nil},
			{"ES512", mine.sign(t, `{"alg":"ES512"}`, `{}`), nil},
			{"another's key", other.sign(t, `{"alg":"RS256","kid":"r"}`, `{}`), ErrSignature},
			{"another's ES256 key", other.sign(t, `{"alg":"ES256"}`, `{}`), ErrSignature},
			{"none", mine.sign(t, `{"alg":"none"}`, `{}`), ErrAlgorithm},
			{"symmetric", mine.sign(t, `{"alg":"HS256"}`, `{}`), ErrAlgorithm},
			{"an RSA signature said to be ES256", as(mine.sign(t, `{"alg":"RS256"}`, `{}`), `{"alg":"ES256"}`), ErrSignature},
		} {
			token, err := Parse(tc.token)
			if err != nil {
				t.Fatal(err)
			}
			if err := token.Verify(keys); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
			}
		}
	}
	token, err := Parse(mine.sign(t, `{"alg":"RS256","kid":"rotated"}`, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(keysOf(t, mine.set(t))); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("with an unknown key id: %v", err)
	}

	// Every changed character of a token breaks it.
	good := mine.sign(t, `{"alg":"ES256"}`, `{"sub":"a"}`)
	keys := keysOf(t, mine.set(t))
	for i := range good {
		bad := []byte(good)
		if bad[i]++; string(bad) == good {
			continue
		}
		token, err := Parse(string(bad))
		if err == nil && token.Verify(keys) == nil {
			t.Errorf("character %d was changed and the token still counts", i)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	enc := func(s string) string { return b64.EncodeToString([]byte(s)) }
	ok := enc(`{"alg":"RS256"}`)
	for name, text := range map[string]string{
		"nothing":             "",
		"two parts":           ok + "." + enc(`{}`),
		"encrypted":           "a.b.c.d.e",
		"padding":             base64.URLEncoding.EncodeToString([]byte(`{"alg":"RS256"} `)) + "." + enc(`{}`) + ".",
		"header is no object": enc(`[]`) + "." + enc(`{}`) + ".",
		"claims are null":     ok + "." + enc(`null`) + ".",
		"claims go on":        ok + "." + enc(`{}{}`) + ".",
		"claims end twice":    ok + "." + enc(`{}}`) + ".",
		"critical extensions": enc(`{"alg":"RS256","crit":["x"]}`) + "." + enc(`{}`) + ".",
		"signature":           ok + "." + enc(`{}`) + ".%",
		"long":                ok + "." + enc(`{}`) + "." + strings.Repeat("A", MaxLength),
	} {
		if _, err := Parse(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseKeysRefuses(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"no set":          "[]",
		"empty":           `{"keys":[]}`,
		"only others":     `{"keys":[{"kty":"oct"},{"kty":"OKP","crv":"Ed25519"}]}`,
		"off the curve":   `{"keys":[{"kty":"EC","crv":"P-256","x":"` + b64.EncodeToString(make([]byte, 32)) + `","y":"` + b64.EncodeToString(make([]byte, 32)) + `"}]}`,
		"short point":     `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		"no exponent":     `{"keys":[{"kty":"RSA","n":"AA"}]}`,
		"short modulus":   `{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}`,
		"a private key":   string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(small)})),
		"a small RSA key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&small.PublicKey)})),
	} {
		if keys, err := ParseKeys([]byte(text)); err == nil {
			t.Errorf("%s: %d keys", name, len(keys))
		}
	}
}

func TestClaims(t *testing.T) {
	token, err := Parse(newIssuer(t).sign(t, `{"alg":"RS256"}`, `{"iss":"https://i","aud":["a","b"],"one":"a","exp":1700000000.9,"far":1e300,"null":null,"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := token.Text("iss"); got != "https://i" {
		t.Errorf("iss %q", got)
	}
	for _, name := range []string{"none", "null", "n", "aud"} {
		if got := token.Text(name); got != "" {
			t.Errorf("%s as a text: %q", name, got)
		}
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"a"}, nil}, [][]string{token.Texts("aud"), token.Texts("one"), token.Texts("n")}); diff != "" {
		t.Error(diff)
	}
	if at, ok := token.Time("exp"); !ok || !at.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("exp %v %v", at, ok)
	}
	for _, name := range []string{"none", "far", "iss"} {
		if at, ok := token.Time(name); ok {
			t.Errorf("%s as a time: %v", name, at)
		}
	}
}

func FuzzParse(f *testing.F) {
	i := newIssuer(f)
	keys := keysOf(f, i.set(f))
	seeds := []string{i.sign(f, `{"alg":"RS256","kid":"r"}`, `{"aud":["a"],"exp":1e9}`), i.sign(f, `{"alg":"ES256"}`, `{"aud":"a"}`), "a.b.c"}
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		for name := range token.claims {
			token.Texts(name)
			token.Time(name)
		}
		// Nobody but the issuer makes a token of the issuer.
		if token.Verify(keys) == nil {
			if !slices.Contains(seeds, text) {
				t.Fatalf("a forged token counts: %q", text)
			}
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	i := newIssuer(f)
	f.Add(i.set(f))
	f.Add(i.pem(f))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}`))
	token, err := Parse(i.sign(f, `{"alg":"RS256"}`, `{}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := ParseKeys(b)
		if err == nil && len(keys) == 0 {
			t.Fatal("no keys and no error")
		}
		_ = token.Verify(keys) // whatever the keys are, this must end
	})
}
