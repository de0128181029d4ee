// Package archtest holds the house rules that a machine can check. It has tests only.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../.."

// file is one Go file of the module, parsed.
type file struct {
	path string // slash path from root
	pkg  string // folder of path
	test bool
	ast  *ast.File
	fset *token.FileSet
}

func goFiles(t *testing.T) []file {
	t.Helper()
	var out []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		out = append(out, file{rel, filepath.ToSlash(filepath.Dir(rel)), strings.HasSuffix(rel, "_test.go"), f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("only %d Go files found: is the root right?", len(out))
	}
	return out
}

// imports is the table of docs/architecture.md: who may import what of this module.
// A trailing /* stands for all packages below.
var imports = []struct {
	pkg  string
	may  []string
	note string
}{
	{"cmd/twinbucket", []string{"server", "walkthrough"}, "verbs compose the server or act as clients of it"},
	{"walkthrough", []string{"server"}, "walkthroughs are clients: they see what a client sees"},
	{"server", []string{"s3api", "kmsapi", "quotasapi", "cwapi", "monitor", "batch", "iamsim", "iamsim/*", "replicator", "lifecycle", "notify", "store", "store/*", "internal/*"}, "the composition root"},
	{"s3api", []string{"iamsim", "iamsim/*", "store", "internal/*"}, "S3 meets KMS and replication through interfaces wired in server"},
	{"kmsapi", []string{"iamsim", "iamsim/*", "store/kv", "internal/*"}, "KMS knows nothing of buckets"},
	{"quotasapi", []string{"iamsim", "iamsim/*", "store/kv", "internal/*"}, "Service Quotas sets limits and knows no service that obeys them"},
	{"monitor", []string{"store", "internal/*"}, "the monitor says what there is to publish, not where"},
	{"batch", []string{"iamsim", "iamsim/*", "store", "store/kv", "internal/*"}, "jobs use the store and the doors they declare"},
	{"cwapi", []string{"iamsim", "iamsim/*", "internal/*"}, "CloudWatch keeps what it is given and knows no buckets"},
	{"replicator", []string{"iamsim", "iamsim/*", "store", "internal/*"}, "the replicator uses S3 and KMS through the doors it declares"},
	{"lifecycle", []string{"store", "internal/*"}, "lifecycle rules act through the store, for nobody"},
	{"notify", []string{"internal/*"}, "delivery knows nothing of what it delivers"},
	{"iamsim", []string{"iamsim/*", "store/kv", "internal/*"}, "IAM is below every service"},
	{"iamsim/policy", []string{"internal/*"}, "policy is pure"},
	{"iamsim/sigv4", []string{"internal/*"}, "signatures know no routes and no users"},
	{"store", []string{"store/kv", "store/blob", "internal/*"}, "the store knows no wire format and no service"},
	{"store/blob", []string{"store/blob/*", "internal/*"}, "sealed files know no records"},
	{"store/blob/*", []string{"store/blob", "internal/*"}, "test support of blob"},
	{"store/kv", nil, "the engine contract stands alone"},
	{"store/kv/*", []string{"store/kv", "store/kv/*"}, "engines implement the contract and nothing else"},
	{"internal/*", nil, "leaves of one idea import no other package of the module"},
	{"integration", nil, "black box: the binary and its port"},
}

func matches(pattern, pkg string) bool {
	if p, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(pkg, p+"/")
	}
	return pattern == pkg
}

func TestImports(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			continue // tests may compose what they need
		}
		at := slices.IndexFunc(imports, func(r struct {
			pkg  string
			may  []string
			note string
		}) bool {
			return matches(r.pkg, f.pkg)
		})
		if at < 0 {
			t.Errorf("%s: package %s is not in the import table: add it here and to docs/architecture.md", f.path, f.pkg)
			continue
		}
		rule := imports[at]
		for _, imp := range f.ast.Imports {
			path, ok := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), "twinbucket/")
			if ok && !slices.ContainsFunc(rule.may, func(p string) bool { return matches(p, path) }) {
				t.Errorf("%s imports %s, but %s: declare an interface where it is used and wire it in server", f.path, path, rule.note)
			}
		}
	}
}

// realTime lists who may read the machine's clock, with the reason.
var realTime = map[string]string{
	"internal/clock/clock.go":    "domain time is real time plus an offset",
	"cmd/twinbucket/wait.go":     "the verb's own timeout and progress",
	"replicator/control.go":      "Wait bounds how long it sleeps between two looks",
	"iamsim/service.go":          "signature skew, presigned expiry and how long a call took are transport time",
	"kmsapi/service.go":          "how long a call took",
	"quotasapi/service.go":       "how long a call took",
	"cwapi/service.go":           "how long a call took",
	"s3api/serve.go":             "how long a call took",
	"s3api/record.go":            "how long a call took",
	"s3api/replication_doors.go": "how long a call took",
	"s3api/slow_down.go":         "socket deadlines and the Date header",
}

// clockCalls matches what reads or waits on the machine's clock.
var clockCalls = map[string]bool{"Now": true, "Since": true, "Until": true, "After": true, "Tick": true, "NewTimer": true, "NewTicker": true, "AfterFunc": true, "Sleep": true}

func TestTimeComesFromTheClock(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test || f.pkg == "walkthrough" {
			continue
		}
		if _, ok := realTime[f.path]; ok {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := call.X.(*ast.Ident); ok && id.Name == "time" && id.Obj == nil && clockCalls[call.Sel.Name] {
				t.Errorf("%s: time.%s: domain time comes from a clock.Clock field; real transport time is listed in this test with its reason", f.fset.Position(n.Pos()), call.Sel.Name)
			}
			return true
		})
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, f := range goFiles(t) {
		if !f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == "time" && sel.Sel.Name == "Sleep" {
				t.Errorf("%s: tests wait for what they mean, or use synctest or a manual clock", f.fset.Position(n.Pos()))
			}
			if sel.Sel.Name == "Skip" || sel.Sel.Name == "Skipf" || sel.Sel.Name == "SkipNow" {
				t.Errorf("%s: a skipped test is one that nobody misses: make it run or fail", f.fset.Position(n.Pos()))
			}
			return true
		})
	}
}

func TestNoInitAndNoHouseholdPackages(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, part := range strings.Split(f.pkg, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "models"}, part) {
				t.Errorf("%s: package %s says nothing: name the one idea it holds", f.path, part)
			}
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init() runs for everybody: build the value in a constructor", f.path)
			}
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	packages := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.test && f.pkg != "internal/archtest" && f.pkg != "integration" {
			continue
		}
		packages[f.pkg] = true
		if f.ast.Doc != nil {
			comments[f.pkg] = append(comments[f.pkg], f.path)
		}
	}
	for pkg := range packages {
		if got := comments[pkg]; len(got) != 1 {
			t.Errorf("package %s has %d package comments %v, want exactly one: the manual of the package", pkg, len(got), got)
		}
	}
}

var (
	factRow  = regexp.MustCompile(`(?m)^\| ([A-Z][0-9]+) \|`)
	factCite = regexp.MustCompile(`\b([A-Z][0-9]{1,3})\b`)
)

// citing is a comment that cites facts: "// K12", "(S3, S201)", "fact P7".
var citing = regexp.MustCompile(`(?:^// |\(|[Ff]acts? |, |; |/)([A-Z][0-9]{1,3})(?:[).,;: ]|$)`)

func TestFactsAreNumberedOnceAndCited(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "facts.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	letters := map[string]bool{}
	for _, m := range factRow.FindAllStringSubmatch(string(text), -1) {
		if known[m[1]] {
			t.Errorf("docs/facts.md: fact %s stands twice", m[1])
		}
		known[m[1]] = true
		letters[m[1][:1]] = true
	}
	if len(known) == 0 {
		t.Fatal("docs/facts.md holds no numbered facts")
	}
	for _, f := range goFiles(t) {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				for _, m := range citing.FindAllStringSubmatch(c.Text, -1) {
					if id := factCite.FindString(m[1]); letters[id[:1]] && !known[id] && !notFacts[id] {
						t.Errorf("%s cites fact %s, which docs/facts.md does not have", f.fset.Position(c.Pos()), id)
					}
				}
			}
		}
	}
}

// notFacts are words of the trade that look like a fact's number.
var notFacts = map[string]bool{"S3": true, "V1": true, "V2": true, "V4": true, "C1": true, "P256": true}
