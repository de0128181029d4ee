package s3api

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
)

// TestOperationsCoverTheSDK: every operation that an SDK can call is implemented or refused.
func TestOperationsCoverTheSDK(t *testing.T) {
	listed := map[string]bool{}
	for _, op := range Operations() {
		if listed[op.Name] {
			t.Errorf("%s has two rows", op.Name)
		}
		listed[op.Name] = true
	}
	client := reflect.TypeFor[*s3.Client]()
	found := 0
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if name == "Options" {
			continue
		}
		found++
		if !listed[name] {
			t.Errorf("%s is neither implemented nor refused: add a row to the operation table", name)
		}
	}
	if found < 100 {
		t.Fatalf("only %d operations found in the SDK client", found)
	}
}

// TestActionsExist: a misspelt action would never be allowed by any policy.
func TestActionsExist(t *testing.T) {
	for _, op := range operationTable() {
		for _, action := range []string{op.Action, op.VersionAction} {
			if action != "" && !strings.HasPrefix(action, "s3express:") && !strings.HasPrefix(action, "s3-object-lambda:") && !policy.ActionKnown(action) {
				t.Errorf("%s: unknown action %s", op.Name, action)
			}
		}
		if op.Action == "" && op.Name != "DeleteObjects" {
			t.Errorf("%s has no action: only DeleteObjects authorizes by itself", op.Name)
		}
	}
}

// target is a request target that selects op.
func (op *operation) target(bucket, key string) string {
	path := "/"
	switch {
	case op.Name == "WriteGetObjectResponse":
		path = "/WriteGetObjectResponse"
	case op.Scope == bucketScope:
		path = "/" + bucket
	case op.Scope == objectScope:
		path = "/" + bucket + "/" + key
	}
	if op.Query == "" {
		return path
	}
	var query []string
	for term := range strings.SplitSeq(op.Query, "&") {
		if term == "id" || term == "uploadId" || term == "annotationName" {
			term += "=x"
		}
		query = append(query, term)
	}
	if op.Name == "UploadPart" || op.Name == "UploadPartCopy" {
		query = append(query, "partNumber=1")
	}
	return path + "?" + strings.Join(query, "&")
}

// TestEveryRowIsReachable: the request of each row leads to that row and to no other.
func TestEveryRowIsReachable(t *testing.T) {
	rt := newRouter(operationTable(), nil)
	for i := range rt.rows {
		op := &rt.rows[i]
		for _, also := range []string{"", "x-id=" + op.Name} {
			target := op.target("bucket", "key")
			if also != "" && strings.Contains(target, "?") {
				target += "&" + also
			} else if also != "" {
				target += "?" + also
			}
			if strings.Contains(op.Query, "x-id") && also != "" {
				continue
			}
			r := httptest.NewRequest(op.Method, target, nil)
			if op.Header != "" {
				r.Header.Set(op.Header, "/source/key")
			}
			at, route, err := rt.locate(r)
			if err != nil {
				t.Errorf("%s: %v", op.Name, err)
				continue
			}
			got, err := rt.find(r, at, route, r.URL.Query())
			if err != nil {
				t.Errorf("%s %s: %v", op.Method, target, err)
				continue
			}
			if diff := cmp.Diff(op.Name, got.Name); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", op.Method, target, diff)
			}
		}
	}
}

func TestRefusedOperationsSaySo(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "refused", "us-east-1", false)
	refused := 0
	for _, op := range operationTable() {
		if op.Handler != nil {
			continue
		}
		refused++
		a := f.do(call{method: op.Method, target: op.target("refused", "key")})
		e := f.wantError(a, 501, "NotImplemented", op.Name+" is not supported by Twinbucket. The README lists the supported operations.")
		if e.Code != "NotImplemented" {
			t.Errorf("%s: %s", op.Name, a.body)
		}
	}
	if refused == 0 {
		t.Fatal("no refused operation in the table")
	}
}
