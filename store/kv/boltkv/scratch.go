package boltkv

import "os"

// minScratch is the free room below which memory-backed storage is not used: containers get a
// /dev/shm of 64 MiB by default, which a few objects fill.
const minScratch = 1 << 30

// createScratch creates a throw-away file: in memory where there is enough of it, in the
// temporary directory otherwise.
func createScratch() (*os.File, error) {
	const shm, pattern = "/dev/shm", "twinbucket-*.db"
	if freeBytes(shm) >= minScratch {
		if f, err := os.CreateTemp(shm, pattern); err == nil {
			return f, nil
		}
	}
	return os.CreateTemp("", pattern)
}
