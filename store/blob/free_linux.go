package blob

import "syscall"

// freeBytes returns the room left for unprivileged users in dir's filesystem, 0 if unknown.
func freeBytes(dir string) uint64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0
	}
	return st.Bavail * uint64(st.Bsize)
}
