package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getBucketEncryption is GetBucketEncryption. Every bucket has a default, SSE-S3 from
// the start; the key id is echoed as it was written (S71).
func (a *API) getBucketEncryption(req *request) error {
	const root = "ServerSideEncryptionConfiguration"
	e := req.bucket.Encryption
	d := newDocument(root)
	d.open("Rule")
	d.open("ApplyServerSideEncryptionByDefault")
	d.text("SSEAlgorithm", e.Algorithm)
	d.optional("KMSMasterKeyID", e.KeyID)
	d.close("ApplyServerSideEncryptionByDefault")
	d.boolean("BucketKeyEnabled", e.BucketKey)
	if e.Blocked != nil {
		d.open("BlockedEncryptionTypes")
		for _, t := range e.Blocked {
			d.text("EncryptionType", t)
		}
		d.close("BlockedEncryptionTypes")
	}
	d.close("Rule")
	return req.send(d, root)
}

// putBucketEncryption is PutBucketEncryption. The key is not looked up: a wrong one
// shows when objects are written (S71).
func (a *API) putBucketEncryption(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	encryption, err := parseEncryption(body)
	if err != nil {
		return err
	}
	if err := a.setEncryption(req, encryption); err != nil {
		return err
	}
	return req.ok()
}

// deleteBucketEncryption is DeleteBucketEncryption: back to SSE-S3 (S71).
func (a *API) deleteBucketEncryption(req *request) error {
	if err := a.setEncryption(req, store.DefaultEncryption{Algorithm: algorithmS3}); err != nil {
		return err
	}
	return req.noContent()
}

func (a *API) setEncryption(req *request, e store.DefaultEncryption) error {
	return a.update(req, func(b *store.Bucket) error {
		b.Encryption = e
		return nil
	})
}

// parseEncryption reads a ServerSideEncryptionConfiguration of exactly one rule (S72).
func parseEncryption(body []byte) (store.DefaultEncryption, error) {
	out := store.DefaultEncryption{Algorithm: algorithmS3}
	root, err := parseXML(body, "ServerSideEncryptionConfiguration")
	if err != nil {
		return out, err
	}
	rule := root.need("Rule")
	if def := rule.one("ApplyServerSideEncryptionByDefault"); def != nil {
		out.Algorithm = def.need("SSEAlgorithm").enum(algorithmS3, algorithmKMS, algorithmDSSE)
		out.KeyID = def.one("KMSMasterKeyID").leaf()
	}
	out.BucketKey = rule.one("BucketKeyEnabled").boolean()
	if blocked := rule.one("BlockedEncryptionTypes"); blocked != nil {
		for _, t := range blocked.many("EncryptionType") {
			out.Blocked = append(out.Blocked, t.enum("NONE", "SSE-C"))
		}
	}
	if err := root.end(); err != nil {
		return out, err
	}
	if out.KeyID != "" && out.Algorithm == algorithmS3 {
		return out, failure.New("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
			"ArgumentName", "ApplyServerSideEncryptionByDefault")
	}
	return out, nil
}
