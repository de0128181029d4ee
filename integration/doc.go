// Package integration tests the built binary as its users meet it: over TCP, with the
// real aws CLI, boto3 and aws-sdk-go-v2. It knows nothing of the code behind the port
// and holds tests only.
//
// TestMain builds the binary once, with the race detector when the tests run with it,
// and puts it on PATH. It fails, and never skips, when a client is missing: make test
// installs them.
//
// Every test starts its own emulator. When the test ends the emulator must agree with
// itself (GET /_twinbucket/check), must have logged no error, and must end by SIGTERM
// with exit code 0. Nothing sleeps: replication is awaited, held and stepped through
// the verbs that users have.
//
//   - testdata/script: testscripts typed with the aws CLI: the walkthrough documents,
//     every failure they contain or warn of, the high-level s3 commands, signatures and
//     permissions
//   - the three console blocks of ../README.md, run as they stand
//   - testdata/boto3 and the SDK tests: clients with their default settings
//   - crash, process and memory: kill -9 under load, how the process starts and stops,
//     how much memory large objects take
//
// TWINBUCKET_TEST_LARGE=1 makes the memory test stream 5 GiB instead of 1 GiB.
package integration
