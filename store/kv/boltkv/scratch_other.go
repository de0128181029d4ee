//go:build !linux

package boltkv

// freeBytes returns 0: only Linux has a memory filesystem at a known place.
func freeBytes(string) uint64 { return 0 }
