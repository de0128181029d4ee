package policy

import (
	_ "embed"
	"strings"
	"sync"
)

// actionPattern is one entry of Action or NotAction, in lower case: actions compare without case (P22).
type actionPattern struct {
	glob glob
}

func compileAction(text string) actionPattern {
	encoded := encode(strings.ToLower(text))
	if encoded == "\xff:\xff" {
		encoded = "\xff"
	}
	return actionPattern{compileGlob(encoded)}
}

//go:embed data/actions.csv
var actionsCSV string

// actionInfo is what AWS's authorization reference says about one action.
type actionInfo struct {
	name     string   // canonical case
	object   bool     // has the resource type object (S3)
	bucket   bool     // has the resource type bucket (S3)
	types    []string // resource types, "role" or "instance-profile"; none: the action takes only "*"
	keys     map[string]bool
	families []string // keys that end in a name of the request, "s3:existingobjecttag/"
}

// catalog is the reference for the four services, read once from the embedded table.
type catalog struct {
	actions map[string]*actionInfo // by lower-case name
	byName  []*actionInfo          // in the table's order
}

// reference holds no state but the parsed table: immutable once built.
var reference = sync.OnceValue(func() *catalog {
	c := &catalog{actions: make(map[string]*actionInfo)}
	_, rows, _ := strings.Cut(actionsCSV, "\n") // without the heading
	for line := range strings.Lines(rows) {
		f := strings.Split(strings.TrimSpace(line), ",")
		if len(f) != 3 {
			panic("policy: malformed action table: " + line)
		}
		info := &actionInfo{name: f[0]}
		for _, t := range strings.Fields(f[1]) {
			t = strings.TrimSuffix(t, "*")
			info.types = append(info.types, t)
			switch t {
			case "object":
				info.object = true
			case "bucket":
				info.bucket = true
			}
		}
		if f[2] != "" {
			info.keys = make(map[string]bool)
		}
		for _, k := range strings.Fields(strings.ToLower(f[2])) {
			if strings.HasSuffix(k, "/") || strings.HasSuffix(k, ":") {
				info.families = append(info.families, k)
			} else {
				info.keys[k] = true
			}
		}
		c.actions[strings.ToLower(info.name)] = info
		c.byName = append(c.byName, info)
	}
	return c
})

// supports reports whether the action has the condition key (lower case).
func (a *actionInfo) supports(key string) bool {
	if a.keys[key] {
		return true
	}
	for _, f := range a.families {
		if strings.HasPrefix(key, f) {
			return true
		}
	}
	return false
}

// ActionKnown reports whether action ("s3:PutObject", any case) is an action of
// S3, KMS, IAM or STS. Patterns and other services' actions are not known.
func ActionKnown(action string) bool {
	return reference().actions[strings.ToLower(action)] != nil
}

// CanonicalAction returns the action in the case AWS prints it in
// ("S3:putobject" gives "s3:PutObject"); an unknown action comes back as it is.
func CanonicalAction(action string) string {
	if info := reference().actions[strings.ToLower(action)]; info != nil {
		return info.name
	}
	return action
}
