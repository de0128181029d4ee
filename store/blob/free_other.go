//go:build !linux

package blob

// freeBytes returns 0: only Linux has a memory filesystem at a known place.
func freeBytes(string) uint64 { return 0 }
