package kmsapi

import (
	"slices"
	"strings"
	"testing"

	"twinbucket/iamsim"
)

// FuzzRequests: no body of any operation makes the decoders, the constraints or the
// operations themselves fail otherwise than by KMS's own exceptions.
func FuzzRequests(f *testing.F) {
	e := newEnv(f)
	inputs := sampleInputs(f, e)
	names := []string{}
	for _, op := range Operations() {
		if op.Supported {
			names = append(names, op.Name)
		}
	}
	for i, name := range names {
		f.Add(uint8(i), inputs[name])
		f.Add(uint8(i), `{"KeyId":null,"Tags":[{}],"Limit":-1,"Marker":"","EncryptionContext":{"":""}}`)
		f.Add(uint8(i), `{"KeyId":"alias/`+strings.Repeat("a", 300)+`","Message":"","Plaintext":"*"}`)
	}
	root := iamsim.Root(accountA)
	e.kms.cfg.Record = nil // events would pile up
	f.Fuzz(func(t *testing.T, n uint8, body string) {
		op := e.kms.ops[names[int(n)%len(names)]]
		if strings.Contains(body, "RSA_") && slices.Contains([]string{"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "CreateKey", "GetParametersForImport"}, op.Name) {
			return // making an RSA key takes longer than a thousand other inputs
		}
		_, err := op.serve(e.kms, t.Context(), &root, east, []byte(body))
		if code := codeOf(err); err != nil && (code == "" || code == string(internal)) {
			t.Errorf("%s %q: %v", op.Name, body, err)
		}
	})
}
