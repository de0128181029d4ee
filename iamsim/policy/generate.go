package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Use is one permission that somebody used.
type Use struct {
	Action   string // canonical, "s3:PutObject"
	Resource string // ARN, or "*"
}

const (
	// exactResources is how many resources of one kind an action may name one by one;
	// more are collapsed into their common prefix.
	exactResources = 3
	// maxManagedPolicy is the size of a managed policy without white space (P85).
	maxManagedPolicy = 6144
)

// collapse says how far resources are drawn together.
type collapse int

const (
	collapseMany   collapse = iota // more than exactResources of one bucket or kind
	collapseAll                    // any two
	collapseBucket                 // every object to its bucket, everything else to its kind
)

// Generate returns the text of the smallest identity policy that allows all uses: one
// statement for each set of resources, actions of one service together. Objects and
// entities of which many are used become a prefix with "*". The text is valid for a
// managed policy; if it would be too long for one, resources are drawn further together.
// No uses give "".
func Generate(uses []Use) string {
	if len(uses) == 0 {
		return ""
	}
	text := ""
	for level := collapseMany; level <= collapseBucket; level++ {
		if text = generate(uses, level); sizeOf(text) <= maxManagedPolicy {
			break
		}
	}
	return text
}

// sizeOf is a policy's size as IAM counts it, without white space (P85).
func sizeOf(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// generated is one statement in the order people write it.
type generated struct {
	Sid      string
	Effect   Effect
	Action   []string
	Resource []string
}

func generate(uses []Use, level collapse) string {
	byAction := map[string][]string{}
	for _, u := range uses {
		byAction[u.Action] = append(byAction[u.Action], u.Resource)
	}
	bySet := map[string]*generated{}
	for action, resources := range byAction {
		resources = collapseResources(resources, level)
		service, _, _ := strings.Cut(action, ":")
		key := service + "\x00" + strings.Join(resources, "\x00")
		st := bySet[key]
		if st == nil {
			st = &generated{Effect: Allow, Resource: resources}
			bySet[key] = st
		}
		st.Action = append(st.Action, action)
	}
	doc := struct {
		Version   string
		Statement []*generated
	}{Version: version2012}
	for _, st := range bySet {
		slices.Sort(st.Action)
		doc.Statement = append(doc.Statement, st)
	}
	slices.SortFunc(doc.Statement, func(a, b *generated) int {
		return cmp.Or(cmp.Compare(a.Action[0], b.Action[0]), slices.Compare(a.Resource, b.Resource))
	})
	for i, st := range doc.Statement {
		service, _, _ := strings.Cut(st.Action[0], ":")
		st.Sid = strings.ToUpper(letters(service)) + "Use" + strconv.Itoa(i+1)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		panic("policy: a generated policy: " + err.Error())
	}
	return b.String()
}

// collapseResources returns patterns for the resources, sorted and each once.
func collapseResources(resources []string, level collapse) []string {
	groups := map[string][]string{}
	for _, r := range resources {
		if r == "*" {
			return []string{"*"}
		}
		k := kindOf(r)
		groups[k] = append(groups[k], r)
	}
	var list []string
	for kind, members := range groups {
		slices.Sort(members)
		members = slices.Compact(members)
		limit := exactResources
		if level > collapseMany {
			limit = 1
		}
		switch {
		case level == collapseBucket && strings.HasSuffix(kind, "/"):
			list = append(list, literal(kind)+"*")
		case len(members) > limit && strings.HasSuffix(kind, "/"):
			list = append(list, literal(commonPrefix(members, len(kind)))+"*")
		default:
			for _, m := range members {
				list = append(list, literal(m))
			}
		}
	}
	slices.Sort(list)
	return list
}

// kindOf is the part of an ARN that resources share which may be drawn together: the
// bucket of an object, "role/" of a role. Others are their own kind.
func kindOf(resource string) string {
	f, ok := arnFields(resource)
	if !ok {
		return resource
	}
	first, _, found := strings.Cut(f[5], "/")
	if !found {
		return resource
	}
	return resource[:len(resource)-len(f[5])+len(first)+1]
}

// commonPrefix is what all members begin with, cut back to the last "/"; at least min long.
func commonPrefix(members []string, min int) string {
	first, last := members[0], members[len(members)-1] // sorted: what these two share all do
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	if i := strings.LastIndexByte(first[:n], '/'); i >= min {
		return first[:i+1]
	}
	return first[:min]
}

// literal writes characters that a pattern would read as wildcards or variables as
// themselves (P40).
func literal(resource string) string {
	if !strings.ContainsAny(resource, "*?$") {
		return resource
	}
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(resource)
}
