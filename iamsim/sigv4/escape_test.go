package sigv4

import "testing"

func TestEscape(t *testing.T) {
	for in, want := range map[string][2]string{ // in a path, in a query
		"":                 {"", ""},
		"/a-b_c.d~e/0":     {"/a-b_c.d~e/0", "%2Fa-b_c.d~e%2F0"},
		"%2F%20%E2%82%AC":  {"%2F%20%E2%82%AC", "%2F%20%E2%82%AC"},
		"%2f%e2%82%aC":     {"%2F%E2%82%AC", "%2F%E2%82%AC"},
		"%7Ea%41":          {"~aA", "~aA"},
		"a+b c":            {"a%2Bb%20c", "a%20b%20c"},
		"€\n":              {"%E2%82%AC%0A", "%E2%82%AC%0A"},
		"100%":             {"100%25", "100%25"},
		"%4%zz%":           {"%254%25zz%25", "%254%25zz%25"},
		"!*'();:@&=$,[]?#": {"%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%5B%5D%3F%23", "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%5B%5D%3F%23"},
	} {
		if got := escape(in, inPath); got != want[0] {
			t.Errorf("path %q: got %q, want %q", in, got, want[0])
		}
		if got := escape(in, inQuery); got != want[1] {
			t.Errorf("query %q: got %q, want %q", in, got, want[1])
		}
	}
	if got, want := doubleEscape("/a%20b/c+d"), "/a%2520b/c%2Bd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRemoveDotSegments(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "//": "/", "/a/b": "/a/b", "/a/b/": "/a/b/", "/a//b": "/a/b", "/./a": "/a", "/a/../b": "/b",
		"/../a": "/a", "/a/..": "/", "/a/b/..": "/a", "/a/b/../": "/a/", "/.hidden": "/.hidden", "/a..b/...": "/a..b/...",
	} {
		if got := removeDotSegments(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
