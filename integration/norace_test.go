//go:build !race

package integration

// raceEnabled says that the tests, and therefore the binary, have the race detector.
const raceEnabled = false
